import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { UncleanFault } from '../faults/types.ts';
import { GATEWAY_PAGE } from '../forms/http.ts';
import { resetSocket } from '../reset-socket.ts';
import type { Clock } from '../state/clock.ts';
import type { HandlerAnswer } from './types.ts';

/** A moment for the client to read what was sent, before the connection goes, in ms. */
const LINGER_MS = 20;
const SLOW_BYTES_PER_S = 20;
/** The official SDKs take an answer without this type for an empty object. */
export const JSON_TYPE = 'application/json; charset=utf-8';

interface WireAnswer {
  readonly status: number;
  readonly headers: Record<string, string | number>;
  readonly body: Buffer;
}

/** Make an answer ready: JSON for objects, a length always. */
function wireAnswer(answer: HandlerAnswer): WireAnswer {
  const { body } = answer;
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(isJson ? JSON.stringify(body) : (body ?? ''));
  const headers: Record<string, string | number> = { ...answer.headers };
  if (isJson) headers['content-type'] ??= JSON_TYPE;
  if (answer.status !== 204 && answer.status !== 304 && answer.status >= 200) headers['content-length'] = bytes.length;
  return { status: answer.status, headers, body: bytes };
}

/** Send an answer as it should be. Text stays text: Node then writes it together with the head. */
export function send(response: ServerResponse, answer: HandlerAnswer): void {
  const { status, body } = answer;
  // Made anew by every handler, so it may be filled up.
  const headers: Record<string, string | number> = answer.headers ?? {};
  if (status === 204 || status === 304) {
    response.writeHead(status, headers);
    response.end();
    return;
  }
  let content = body;
  if (typeof body === 'object' && !Buffer.isBuffer(body)) {
    content = JSON.stringify(body);
    headers['content-type'] ??= JSON_TYPE;
  }
  headers['content-length'] = content === undefined ? 0 : Buffer.byteLength(content as string | Buffer);
  // One call with all headers: merging them with those set before is the slower way of Node's.
  response.writeHead(status, headers);
  response.end(content);
}

/** Reset the connection: the client sees ECONNRESET. */
export function reset(response: ServerResponse): void {
  if (response.socket) resetSocket(response.socket);
}

/** Send bytes that are no HTTP, and close. */
export function sendGarbage(response: ServerResponse): void {
  // Never by chance the beginning of a status line.
  response.socket?.end(Buffer.concat([Buffer.from([0x16, 0x03, 0xff]), randomBytes(61)]));
}

/** Send an answer the way a network or front end at fault does. */
export function sendUnclean(response: ServerResponse, answer: HandlerAnswer, fault: UncleanFault, clock: Clock): void {
  const wire = wireAnswer(answer);
  // A cut needs something to cut: an answer without a body gets one.
  const body = wire.body.length > 0 ? wire.body : Buffer.from('{"isSuccessful":true}');
  const status = wire.status === 204 ? 200 : wire.status;
  const whole = { ...wire, status, headers: { ...wire.headers, 'content-length': body.length }, body };
  switch (fault.unclean) {
    case 'reset-during':
      sendHalf(response, whole, () => clock.after(LINGER_MS, () => reset(response)));
      return;
    case 'truncated':
      sendHalf(response, whole, () => response.socket?.end());
      return;
    case 'reset-after': {
      // Taken now: an answer that is finished has let go of its socket.
      const { socket } = response;
      response.once('finish', () => clock.after(LINGER_MS, () => socket && resetSocket(socket)));
      send(response, answer);
      return;
    }
    case 'not-json':
      send(response, { status, headers: { 'content-type': 'text/html' }, body: GATEWAY_PAGE });
      return;
    case 'slow':
      sendSlowly(response, whole, { clock, bytesPerSecond: fault.bytesPerSecond ?? SLOW_BYTES_PER_S });
      return;
    default:
      send(response, answer);
  }
}

function sendHalf(response: ServerResponse, { status, headers, body }: WireAnswer, then: () => void): void {
  response.writeHead(status, headers);
  response.write(body.subarray(0, Math.floor(body.length / 2)), then);
}

function sendSlowly(
  response: ServerResponse,
  { status, headers, body }: WireAnswer,
  pace: { clock: Clock; bytesPerSecond: number },
): void {
  response.writeHead(status, headers);
  response.flushHeaders();
  let sent = 0;
  const next = () => {
    if (response.destroyed) return;
    sent += 1;
    if (sent > body.length) response.end();
    else response.write(body.subarray(sent - 1, sent), () => pace.clock.after(1000 / pace.bytesPerSecond, next));
  };
  next();
}
