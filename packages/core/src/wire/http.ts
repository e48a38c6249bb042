import { brand, type Evidence, type EvidenceFields } from '../evidence.ts';
import { attempt, get } from '../shape.ts';
import { type Payload, readPayload } from './payload.ts';
import { parseHttpDate, parseRetryAfter, parseRetryAfterMs, retryAfterInProse } from './retry-after.ts';
import { trackingIdOf } from './tracking-id.ts';

/** An HTTP answer, whoever received it. */
export interface HttpAnswer {
  readonly status: number;
  /** Plain object (any letter case) or anything with `get(name)`. */
  readonly headers?: unknown;
  /** String, bytes or parsed object; a stream is left unread. */
  readonly body?: unknown;
  /** Ms since the epoch, for dates in headers. @default Date.now() */
  readonly now?: number | undefined;
}

/**
 * Read an HTTP answer that says a fault: a status of 300 and above, or a success whose body tells
 * of a failed registration.
 *
 * @returns `undefined` for a plain success; never throws
 */
export function readHttpAnswer(answer: HttpAnswer): Evidence | undefined {
  return attempt(() => readAnswer(answer));
}

function readAnswer({ status, headers, body, now }: HttpAnswer): Evidence | undefined {
  if (!Number.isInteger(status) || status < 100 || status > 999) return undefined;
  const payload = readPayload(body);
  // A direct method answers 200 with the device's own status in the body: that is a success.
  if (status < 300 && payload.failed === undefined) return undefined;
  const name =
    header(headers, 'iothub-errorcode') ?? header(headers, 'x-ms-error-code') ?? header(headers, 'iothuberrorcode');
  const { text } = payload;
  return brand({
    transport: 'http',
    scope: 'request',
    httpStatus: status,
    payloadCode: payload.code,
    payloadName: payload.name ?? name,
    service: payload.dps ? 'dps' : undefined,
    registrationFailed: payload.failed,
    retryAfterMs: retryAfter(headers, text, now),
    trackingId: payload.trackingId ?? trackingIdOf(header(headers, 'x-ms-request-id')),
    timestamp: payload.timestamp,
    text,
    serverReference: status < 400 ? header(headers, 'location') : undefined,
    clockSkewMs: status === 401 ? clockSkew(headers, now) : undefined,
  });
}

/** What every wire form makes of a body alike. */
export function payloadFields(payload: Payload): EvidenceFields {
  return {
    payloadCode: payload.code,
    payloadName: payload.name,
    service: payload.dps ? 'dps' : undefined,
    registrationFailed: payload.failed,
    trackingId: payload.trackingId,
    timestamp: payload.timestamp,
    text: payload.text,
  };
}

/** One header as a string, from a plain object or anything with `get`. */
export function header(headers: unknown, name: string): string | undefined {
  const value = rawHeader(headers, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function rawHeader(headers: unknown, name: string): unknown {
  const direct = get(headers, name);
  if (direct !== undefined && typeof direct !== 'function') return direct;
  const getter = get(headers, 'get');
  if (typeof getter === 'function') return attempt(() => getter.call(headers, name) as unknown);
  if (headers === null || typeof headers !== 'object') return undefined;
  let seen = 0;
  for (const key in headers) {
    if (++seen > 200) return undefined;
    if (key.length === name.length && key.toLowerCase() === name) return get(headers, key);
  }
  return undefined;
}

/** The hint in any of its spellings; the most exact first. */
function retryAfter(headers: unknown, text: string | undefined, now: number | undefined): number | undefined {
  if (headers !== undefined && headers !== null) {
    const ms = parseRetryAfterMs(rawHeader(headers, 'retry-after-ms') ?? rawHeader(headers, 'x-ms-retry-after-ms'));
    if (ms !== undefined) return ms;
    const value = rawHeader(headers, 'retry-after');
    const parsed = value === undefined ? undefined : parseRetryAfter(value, now ?? Date.now());
    if (parsed !== undefined) return parsed;
  }
  return text === undefined ? undefined : retryAfterInProse(text);
}

function clockSkew(headers: unknown, now: number | undefined): number | undefined {
  const date = header(headers, 'date');
  const cloud = date === undefined ? undefined : parseHttpDate(date);
  return cloud === undefined ? undefined : Math.round((now ?? Date.now()) - cloud);
}
