import type { Socket } from 'node:net';

const HEADER = Buffer.from('414d515000010000', 'hex');

/** OPEN with container-id `x`: a list of one string. */
export const OPEN = Buffer.from('0000001202000000005310c00401a1017800'.slice(0, 36), 'hex');

/** Answer the client's header with ours and these frames. */
export function speak(socket: Socket, frames: readonly Buffer[]): void {
  socket.once('data', () => socket.write(Buffer.concat([HEADER, ...frames])));
  socket.resume();
}
