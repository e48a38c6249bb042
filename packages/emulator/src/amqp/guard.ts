import type { EngineConnection, Frame } from './engine.ts';
import { isWellFormedMessage } from './frame-check.ts';
import type { Peer } from './peer.ts';

/** A disposition for more deliveries at once than a session can hold is an attack on our loop. */
const MAX_DISPOSITION_RANGE = 4_096;
/** Larger than any message the cloud takes, so that it is still answered with the right error. */
const MAX_MESSAGE_BYTES = 1_048_576;

const FRAMES = ['end', 'attach', 'detach', 'transfer', 'disposition', 'flow'] as const;

/**
 * Rules of AMQP 1.0 that rhea leaves to its peer. A client whose frames cross a session's end is
 * right (2.5.5: discard until END comes), one that ignores credit or counts is not; neither may
 * take the process with it.
 */
export function guard(peer: Peer): void {
  const { connection } = peer;
  writeSafely(peer);
  const seen = new Set<number>();
  const begin = connection.on_begin.bind(connection) as (frame: Frame) => void;
  own(connection, 'on_begin', (frame) => {
    seen.add(frame.channel);
    begin(frame);
  });
  for (const name of FRAMES) {
    const original = (connection[`on_${name}`] as (frame: Frame) => void).bind(connection);
    own(connection, `on_${name}`, (frame) => {
      if (!connection.remote_channel_map[frame.channel] && seen.has(frame.channel)) return;
      if (isLate(connection, name, frame)) return;
      const wrong = wrongWith(connection, name, frame);
      if (wrong) peer.close(wrong);
      else if (name === 'attach') attachByNameAndRole(connection, frame, original);
      else original(frame);
    });
  }
}

/**
 * rhea writes in a turn of its own, where nobody catches what it throws over values that it took
 * unread from the client: that ends this connection, not the process.
 */
function writeSafely({ connection, pipe }: Peer): void {
  const write = connection._process.bind(connection);
  connection._process = () => {
    try {
      write();
    } catch {
      pipe.destroy();
    }
  };
}

/**
 * A link is known by its name and its direction (2.6.1); rhea knows it by its name alone and takes
 * the second of a pair for an attach sent twice. qpid-proton names both of a pair alike.
 */
function attachByNameAndRole(connection: EngineConnection, frame: Frame, attach: (frame: Frame) => void): void {
  const session = connection.remote_channel_map[frame.channel];
  const { name = '', role } = frame.performative;
  const first = session?.links[name];
  // `role` is true for a client that receives: our end of such a link sends.
  if (!session || !first || first.is_sender() === role) {
    attach(frame);
    return;
  }
  delete session.links[name];
  attach(frame);
  const second = session.links[name];
  session.links[name] = first;
  if (second) session.links[`${name}\0${role}`] = second;
  session.remove_link = (link) => {
    delete session.remote.handles[link.remote.handle as number];
    delete session.local.handles[link.local.handle];
    for (const [key, one] of Object.entries(session.links)) if ((one as unknown) === link) delete session.links[key];
  };
}

function own(connection: EngineConnection, name: string, handler: (frame: Frame) => void): void {
  connection[name] = handler;
}

/** A frame for a link that is detached already. */
function isLate(connection: EngineConnection, name: string, frame: Frame): boolean {
  const { handle } = frame.performative;
  if (name === 'attach' || name === 'disposition' || handle === undefined || handle === null) return false;
  const session = connection.remote_channel_map[frame.channel];
  return session !== undefined && session.remote.handles[handle] === undefined;
}

function wrongWith(connection: EngineConnection, name: string, frame: Frame) {
  const { first = 0, last, handle } = frame.performative;
  if (name === 'disposition' && (last ?? first) - first > MAX_DISPOSITION_RANGE) {
    return { condition: 'amqp:session:window-violation', description: 'A disposition of unknown deliveries.' };
  }
  if (name !== 'transfer' || handle === undefined) return undefined;
  const link = connection.remote_channel_map[frame.channel]?.remote.handles[handle];
  const parts = [...(link?._incomplete?.frames ?? []), frame.payload ?? Buffer.alloc(0)];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  if (size > MAX_MESSAGE_BYTES) {
    return {
      condition: 'amqp:link:message-size-exceeded',
      description: `A message of more than ${MAX_MESSAGE_BYTES} bytes.`,
    };
  }
  // 2.7.5: the first transfer of a delivery has its id; rhea settles by it without a look.
  if (!link?._incomplete && typeof frame.performative.delivery_id !== 'number') {
    return { condition: 'amqp:invalid-field', description: 'A delivery without a delivery-id.' };
  }
  if (link && !link._incomplete && link.credit <= 0) {
    return { condition: 'amqp:link:transfer-limit-exceeded', description: 'A transfer without credit.' };
  }
  if (!frame.performative.more && !isWellFormedMessage(Buffer.concat(parts))) {
    return { condition: 'amqp:decode-error', description: 'A message that cannot be decoded.' };
  }
  return undefined;
}
