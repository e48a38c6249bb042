import { randomUUID } from 'node:crypto';
import { isLink, type RheaLink, type RheaSession } from './rhea.ts';

/*
 * rhea attaches links again only when the whole connection is made again. What it does then is done
 * here for one link or one session, with the same objects, so that the application's listeners hold.
 */

const MADE_UP = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Attach a link again that the peer detached. Its session must be open. */
export function reattach(link: RheaLink): void {
  const { session } = link;
  if (session.links[link.name]) return; // is being detached, is attached again, or another has its name
  // A name that rhea made up is made up afresh: the peer may not be done with the old one yet, and
  // rhea as a peer would revive it with its old credit.
  if (MADE_UP.test(link.name)) link.name = randomUUID();
  link.local.attach.name = link.name;
  const handle = firstFree(session.local.handles);
  link.local.handle = handle;
  link.local.attach.handle = handle;
  link.local.detach.handle = handle;
  link.local.detach.error = undefined;
  session.local.handles[handle] = link;
  session.links[link.name] = link;
  link._incomplete = undefined;
  link._reconnect();
  link.attach();
}

/** Begin a session again that the peer ended; its links attach again. */
export function rebegin(session: RheaSession): void {
  const { local_channel_map: channels } = session.connection;
  if (isInTables(session)) return;
  const channel = firstFree(channels);
  session.local.channel = channel;
  channels[channel] = session;
  // As after a lost connection: what was open on this side is opened again.
  for (const link of Object.values(session.links)) {
    link._incomplete = undefined;
    link.state.disconnected();
  }
  session._reconnect();
  session.begin();
}

/** Does rhea know it? What the peer ended it takes out, two ticks after it has said so. */
export function isInTables(end: RheaLink | RheaSession): boolean {
  if (isLink(end)) return end.session.links[end.name] === end;
  return Object.values(end.connection.local_channel_map).includes(end);
}

function firstFree(used: Record<number, unknown>): number {
  let free = 0;
  while (used[free] !== undefined) free++;
  return free;
}
