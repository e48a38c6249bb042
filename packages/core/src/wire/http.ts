import { brand, type Evidence, type EvidenceFields } from '../evidence.ts';
import { attempt, get } from '../shape.ts';
import { type Payload, readPayload } from './payload.ts';
import { parseHttpDate, parseRetryAfter, parseRetryAfterMs, retryAfterInProse } from './retry-after.ts';
import { trackingIdOf } from './tracking-id.ts';

/** An HTTP answer, whoever received it. */
export interface HttpAnswer {
  /** 100 to 999; anything else is no answer. */
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
 * of a failed registration. Number, name, tracking id and text come from the body at any nesting, then
 * from `iothub-errorcode`, `x-ms-error-code` and `x-ms-request-id`; the wait from `retry-after-ms`,
 * `x-ms-retry-after-ms`, `Retry-After` (RFC 9110, 10.2.3) or prose.
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
  const found = readHeaders(headers);
  const { text } = payload;
  return brand({
    transport: 'http',
    scope: 'request',
    httpStatus: status,
    payloadCode: payload.code,
    payloadName: payload.name ?? word(found.name) ?? word(found.dpsName) ?? word(found.olderName),
    service: payload.dps ? 'dps' : undefined,
    registrationFailed: payload.failed,
    retryAfterMs: retryAfter(found, text, now),
    trackingId: payload.trackingId ?? trackingIdOf(found.requestId),
    timestamp: payload.timestamp,
    text,
    serverReference: status < 400 ? word(found.location) : undefined,
    clockSkewMs: status === 401 ? clockSkew(found.date, now) : undefined,
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

/** The headers that tell something about a fault. */
interface FaultHeaders {
  name?: unknown;
  olderName?: unknown;
  dpsName?: unknown;
  requestId?: unknown;
  retryAfter?: unknown;
  retryAfterMs?: unknown;
  azureRetryAfterMs?: unknown;
  location?: unknown;
  date?: unknown;
}

const WANTED: ReadonlyMap<string, keyof FaultHeaders> = new Map([
  ['iothub-errorcode', 'name'],
  ['iothuberrorcode', 'olderName'],
  ['x-ms-error-code', 'dpsName'],
  ['x-ms-request-id', 'requestId'],
  ['retry-after', 'retryAfter'],
  ['retry-after-ms', 'retryAfterMs'],
  ['x-ms-retry-after-ms', 'azureRetryAfterMs'],
  ['location', 'location'],
  ['date', 'date'],
]);
const LONGEST_NAME = 19;
/** No server of note accepts or sends more. */
const MAX_HEADERS = 200;

/** One look at each header, in any letter case; or by `get`, as fetch and HTTP clients have it. */
function readHeaders(headers: unknown): FaultHeaders {
  const found: FaultHeaders = {};
  const getter = get(headers, 'get');
  if (typeof getter === 'function') {
    for (const [name, field] of WANTED) found[field] = attempt(() => getter.call(headers, name) as unknown);
    return found;
  }
  if (headers === null || typeof headers !== 'object') return found;
  let seen = 0;
  for (const key in headers) {
    if (++seen > MAX_HEADERS) break;
    const field = WANTED.get(key) ?? (key.length <= LONGEST_NAME ? WANTED.get(key.toLowerCase()) : undefined);
    if (field !== undefined) found[field] ??= get(headers, key);
  }
  return found;
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The hint in any of its spellings; the most exact first. */
function retryAfter(headers: FaultHeaders, text: string | undefined, now: number | undefined): number | undefined {
  const ms = parseRetryAfterMs(headers.retryAfterMs) ?? parseRetryAfterMs(headers.azureRetryAfterMs);
  if (ms !== undefined) return ms;
  const value = headers.retryAfter;
  const parsed = value === undefined || value === null ? undefined : parseRetryAfter(value, now ?? Date.now());
  return parsed ?? (text === undefined ? undefined : retryAfterInProse(text));
}

function clockSkew(date: unknown, now: number | undefined): number | undefined {
  const cloud = typeof date === 'string' ? parseHttpDate(date) : undefined;
  return cloud === undefined ? undefined : Math.round((now ?? Date.now()) - cloud);
}
