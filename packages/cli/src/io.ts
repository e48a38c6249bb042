import type { Readable, Writable } from 'node:stream';
import pc from 'picocolors';

/** What a run of the program reads and writes; the process's own, or a test's. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settles when whoever runs the program wants it to end: Ctrl-C, or a test. */
  readonly interrupted: () => Promise<void>;
}

/** How a run ended; also the exit code of the process. */
export const EXIT = {
  ok: 0,
  /** It ran, but not everything could be read, or nothing is known of what was asked. */
  incomplete: 1,
  /** Wrong use: an unknown command or option, a file that cannot be read or written. */
  usage: 2,
  /** By Ctrl-C, as shells have it. */
  interrupted: 130,
} as const;

/** A mistake in how the program was called, or in what it was given: one line, no stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.usage) {
    super(message);
    this.exitCode = exitCode;
  }
}

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours for people; none into a pipe, with NO_COLOR, or with `--no-color`. */
export function colorsFor(io: Io, wanted: boolean): Colors {
  const terminal = (io.stdout as { isTTY?: boolean }).isTTY === true && io.env.TERM !== 'dumb';
  const forced = (io.env.FORCE_COLOR ?? '0') !== '0';
  return pc.createColors(wanted && !io.env.NO_COLOR && (terminal || forced));
}

/**
 * Write, and wait while the reader is slow: ten thousand lines do not pile up in memory. A reader
 * that went away (`| head`) ends the run quietly.
 */
export async function write(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed || stream.writableEnded) throw new ReaderGone();
  if (stream.write(text)) return;
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error) => {
      stream.off('drain', onDrain);
      stream.off('close', onClose);
      stream.off('error', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onDrain = () => done();
    // Another error than that is told by who watches the output.
    const onClose = () => done(new ReaderGone());
    stream.on('drain', onDrain);
    stream.on('close', onClose);
    stream.on('error', onClose);
  });
}

/** Is it that nobody reads any more, rather than a full disk? */
export function isGone(error: Error | undefined): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return error === undefined || code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

/** Watch what is written; the answer is what went wrong with it, once all of it has gone. */
export function watchOutput(stream: Writable): () => Promise<Error | undefined> {
  let failure: Error | undefined;
  const onError = (error: Error) => {
    failure ??= error;
  };
  stream.on('error', onError);
  return async () => {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
    // The error of a write is told after it was called back.
    await new Promise((resolve) => setImmediate(resolve));
    stream.off('error', onError);
    return isGone(failure) ? undefined : failure;
  };
}

/** Whoever read the output closed it. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}
