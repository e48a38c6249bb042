import { TextDecoder } from 'node:util';
import { UsageError } from './io.ts';

/**
 * The text of a log's bytes: UTF-8, or UTF-16 where a mark at the beginning says so (PowerShell's `>`).
 *
 * @throws UsageError where the beginning is compressed or no text at all
 */
export async function* textOfLog(stream: AsyncIterable<string | Buffer>, name: string): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    decoder ??= new TextDecoder(encodingOf(bytes, name));
    yield decoder.decode(bytes, { stream: true });
  }
  if (decoder) yield decoder.decode();
}

function encodingOf(head: Buffer, name: string): string {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  if (head[0] === 0x1f && head[1] === 0x8b)
    throw new UsageError(`${name} is binary, compressed by gzip: zcat it into faultmap scan`);
  if (head.includes(0)) throw new UsageError(`${name} is binary, no text`);
  return 'utf-8';
}
