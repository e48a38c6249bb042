import type { RheaConnection, RheaSocket } from './rhea.ts';

/** Larger than any frame a peer sends on purpose when this side announced no limit of its own. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/**
 * A frame that announces gigabytes is waited for without a limit: rhea buffers whatever comes.
 * Look, after each piece of input, at what it waits for. Returns what ends the looking.
 */
export function watchFrameSize(
  connection: RheaConnection,
  socket: RheaSocket,
  onTooLarge: (bytes: number) => void,
): () => void {
  const announced = connection.local.open.max_frame_size;
  const limit = typeof announced === 'number' && announced > 0 ? announced : MAX_FRAME_BYTES;
  const look = () => {
    const bytes = connection.frame_size;
    if (bytes === undefined || bytes <= limit) return;
    stop();
    onTooLarge(bytes);
  };
  const stop = () => void socket.removeListener('data', look);
  socket.on('data', look);
  return stop;
}
