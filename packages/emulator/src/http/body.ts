import type { IncomingMessage } from 'node:http';
import { CloudFault } from '../state/fault.ts';
import { isJsonObject, type JsonObject } from '../state/json.ts';

/** The largest body that is read: some more than the largest message, so that 413 can be said. */
const LIMIT = 1024 * 1024;

export const NO_BYTES = Buffer.alloc(0);

/** Does a request have a body (RFC 9112, 6.3)? */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/**
 * Read a body whole; a callback, since a promise would be a noticeable part of a small request.
 *
 * @param done - called once with the bytes, or with message-too-large above a limit no operation
 *   has; never when the client goes away before the end
 */
export function readBody(request: IncomingMessage, done: (body: Buffer | CloudFault) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    // What is beyond is read and dropped: an answer before the end is lost with the connection.
    if (length <= LIMIT) chunks.push(chunk);
  });
  request.on('end', () => {
    if (length > LIMIT) done(new CloudFault('message-too-large'));
    else done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
  });
  request.on('error', () => {}); // the client went away
}

/** Parse JSON. @throws CloudFault malformed-json */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new CloudFault('argument-invalid', { text: 'The request body cannot be parsed as JSON' });
  }
}

/** Parse a JSON object; an empty body is an empty one where that is allowed. @throws CloudFault */
export function parseObject(body: Buffer, emptyAllowed = false): JsonObject {
  if (emptyAllowed && body.length === 0) return {};
  const value = parseJson(body);
  if (!isJsonObject(value)) throw new CloudFault('argument-invalid', { text: 'The request body is not an object' });
  return value;
}
