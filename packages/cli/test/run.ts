import { Readable, Writable } from 'node:stream';
import { type Io, main } from '@faultmap/cli';

export interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Collects what is written; `slow` answers every write late, as a pipe that is full does. */
export class Collected extends Writable {
  text = '';
  /** Most bytes that ever waited to be taken. */
  mostWaiting = 0;
  readonly #slow: boolean;

  constructor(slow = false) {
    super({ highWaterMark: 1_024, decodeStrings: false });
    this.#slow = slow;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    this.mostWaiting = Math.max(this.mostWaiting, this.writableLength);
    if (this.#slow) setImmediate(done);
    else done();
  }
}

/** Streams of a run, and what it wrote. */
export function streams(input: string | Readable = '', interrupted: Promise<void> = new Promise(() => {})) {
  const stdout = new Collected();
  const stderr = new Collected();
  const stdin = typeof input === 'string' ? Readable.from(input === '' ? [] : [Buffer.from(input)]) : input;
  const io: Io = { stdin, stdout, stderr, env: {}, interrupted: () => interrupted };
  return { io, stdout, stderr };
}

/** Run the program on arguments and standard input. */
export async function run(argv: readonly string[], input: string | Readable = ''): Promise<Outcome> {
  const { io, stdout, stderr } = streams(input);
  const exitCode = await main(argv, io);
  return { exitCode, out: stdout.text, err: stderr.text };
}
