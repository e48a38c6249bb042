import type { Socket } from 'node:net';

/**
 * Reset a connection: the other side sees ECONNRESET. A TLS socket cannot be reset itself (node
 * throws ERR_INVALID_HANDLE_TYPE): the TCP socket beneath it is.
 */
export function resetSocket(socket: Socket): void {
  const { _parent } = socket as Socket & { readonly _parent?: Socket | null };
  (_parent ?? socket).resetAndDestroy();
  socket.destroy();
}
