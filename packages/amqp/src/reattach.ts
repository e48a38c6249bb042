import { randomUUID } from 'node:crypto';
import type { RheaLink, RheaSession } from './rhea.ts';

/*
 * rhea attaches links again only when the whole connection is made again. What it does then is done
 * here for one link or one session, with the same objects, so that the application's listeners hold.
 */

const MADE_UP = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Attach a link again that the peer detached. Its session must be open. */
export function reattach(link: RheaLink): void {
  const { session } = link;
  if (session.links[link.name] === link) return; // is being detached, or is attached again
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
  link._reconnect();
  link.attach();
}

/** Begin a session again that the peer ended; its links attach again. */
export function rebegin(session: RheaSession): void {
  const { local_channel_map: channels } = session.connection;
  if (Object.values(channels).includes(session)) return;
  const channel = firstFree(channels);
  session.local.channel = channel;
  channels[channel] = session;
  // As after a lost connection: what was open on this side is opened again.
  for (const link of Object.values(session.links)) link.state.disconnected();
  session._reconnect();
  session.begin();
}

function firstFree(used: Record<number, unknown>): number {
  let free = 0;
  while (used[free] !== undefined) free++;
  return free;
}
