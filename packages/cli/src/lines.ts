import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { decoded } from './decode.ts';
import { type Io, UsageError } from './io.ts';

/** A longer line is cut: a log with no line end must not fill the memory. */
export const LONGEST_LINE = 1_048_576;
/** Largest input that is read as one text. */
const LARGEST_TEXT = 16 * 1_048_576;
/** Bytes read at a time. */
const CHUNK = 262_144;
/** What tells a terminal that no more comes. */
const END = process.platform === 'win32' ? 'Ctrl-Z and Enter' : 'Ctrl-D on a line of its own';

/** The lines of a text, one at a time, without their ends (LF or CRLF). */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const lines of batchesOf(chunks)) yield* lines;
}

/** The same, as many at a time as a chunk has: waiting once a line takes longer than most lines do. */
export async function* batchesOf(chunks: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines: string[] = [];
    rest += chunk;
    let start = 0;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', start)) {
      lines.push(cut(rest, start, end));
      start = end + 1;
    }
    rest = rest.slice(start);
    // Of an endless line only the beginning is kept.
    if (rest.length > 2 * LONGEST_LINE) rest = rest.slice(0, LONGEST_LINE);
    if (lines.length > 0) yield lines;
  }
  if (rest !== '') yield [cut(rest, 0, rest.length)];
}

function cut(text: string, start: number, end: number): string {
  const last = text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end;
  return text.slice(start, Math.min(last, start + LONGEST_LINE));
}

/**
 * The text of a file; `-` is standard input. Who sits before a terminal that says nothing is told
 * what it waits for.
 *
 * @param awaited - what is read, as in `an error`
 * @param signal - ends the text where it is
 * @throws UsageError where it cannot be read
 */
export async function openText(
  path: string,
  awaited: string,
  io: Io,
  signal?: AbortSignal,
): Promise<AsyncIterable<string>> {
  if (path === '-') {
    if ((io.stdin as { isTTY?: boolean }).isTTY)
      io.stderr.write(`faultmap: reading ${awaited} from the terminal; ${END} ends it\n`);
    return decoded(until(signal, io.stdin), 'stdin');
  }
  try {
    if ((await stat(path)).isDirectory()) throw new UsageError(`${path} is a directory: give the files in it`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`);
  }
  return decoded(until(signal, createReadStream(path, { highWaterMark: CHUNK })), path);
}

async function* until(signal: AbortSignal | undefined, stream: Readable): AsyncGenerator<string | Buffer> {
  if (signal) addAbortSignal(signal, stream);
  try {
    yield* stream;
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** A whole input as one text, up to 16 MiB. */
export async function textOf(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk;
    if (text.length > LARGEST_TEXT)
      throw new UsageError('the input is larger than 16 MiB: use --jsonl, or scan for logs');
  }
  return text;
}

/** Why a file cannot be read, in words; the code of the system where it is a rare one. */
export function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'no permission';
  if (code === 'ENOSPC') return 'no space is left';
  return typeof code === 'string' ? code : 'unknown reason';
}
