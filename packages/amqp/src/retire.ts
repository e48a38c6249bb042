import type { RheaConnection } from './rhea.ts';

/**
 * Be done with the socket of a lost connection, before the next is opened. rhea listens to every
 * socket as if it were the connection's own: a late `error` of the old one would end the new
 * connection, and its last bytes would be read as the new one's.
 */
export function retire({ socket }: RheaConnection): void {
  if (typeof socket?.removeAllListeners === 'function') {
    for (const name of ['data', 'error', 'end']) socket.removeAllListeners(name);
    socket.on('error', () => {});
    socket.destroy?.();
  } else {
    // rhea's wrapper of a WebSocket has room for one listener each.
    for (const name of ['data', 'end', 'error']) socket?.on(name, () => {});
  }
}

/**
 * Forget the beginning of a frame or a message that a loss cut off. rhea keeps it, and would read the
 * next connection, or the next message, as its end.
 */
export function forgetInput(connection: RheaConnection): void {
  connection.frame_size = undefined;
  connection.chunks = null;
  connection.received_bytes = 0;
  connection.previous_input = null;
  for (const session of Object.values(connection.local_channel_map))
    for (const link of Object.values(session.links)) link._incomplete = undefined;
}
