import { StringDecoder } from 'node:string_decoder';
import { TextDecoder } from 'node:util';
import { UsageError } from './io.ts';

/** NULs that belong to no binary number. */
const SHORTEST_ROW = 64;

/**
 * The text of bytes: UTF-8, or UTF-16 where a mark at the beginning says so (PowerShell's `>`). Rows
 * of NULs are passed over: a log that was truncated under its writer begins with them, and one whose
 * machine lost its power has them where it did.
 *
 * @param name - of the file, for messages
 * @throws UsageError where the beginning is compressed or no text at all
 */
export async function* decoded(stream: AsyncIterable<string | Buffer>, name: string): AsyncGenerator<string> {
  let decoder: Decoder | undefined;
  for await (const chunk of stream) {
    const given = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const bytes = decoder ? given : given.subarray(zerosOf(given));
    if (bytes.length === 0) continue;
    decoder ??= decoderOf(bytes, name);
    yield decoder.write(bytes);
  }
  if (decoder) yield decoder.end();
}

function zerosOf(bytes: Buffer): number {
  let count = 0;
  while (bytes[count] === 0) count++;
  return count;
}

/** Texts have none, and programs and images soon one: all that lost power leaves are whole rows. */
function hasLoneZero(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0); at !== -1; ) {
    const row = zerosOf(bytes.subarray(at));
    if (row < SHORTEST_ROW) return true;
    at = bytes.indexOf(0, at + row);
  }
  return false;
}

interface Decoder {
  readonly write: (bytes: Buffer) => string;
  readonly end: () => string;
}

function decoderOf(head: Buffer, name: string): Decoder {
  if (head[0] === 0xff && head[1] === 0xfe) return utf16('utf-16le');
  if (head[0] === 0xfe && head[1] === 0xff) return utf16('utf-16be');
  if (head[0] === 0x1f && head[1] === 0x8b)
    throw new UsageError(`${name} is binary, compressed by gzip: zcat it into faultmap`);
  if (hasLoneZero(head)) throw new UsageError(`${name} is binary, no text`);
  return utf8();
}

function utf16(encoding: string): Decoder {
  const decoder = new TextDecoder(encoding);
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}

/** Several times as fast as a `TextDecoder`, which goes on from chunk to chunk more slowly. */
function utf8(): Decoder {
  const decoder = new StringDecoder('utf8');
  let begun = false;
  return {
    write: (bytes) => {
      const text = decoder.write(bytes);
      const first = begun ? text : text.replace(/^\ufeff/, '');
      begun ||= text !== '';
      return first.includes('\0') ? first.replaceAll('\0', '') : first;
    },
    end: () => decoder.end(),
  };
}
