import type { FaultScope } from '../categories.ts';
import { type Evidence, evidence } from '../evidence.ts';
import { redact } from '../redact.ts';
import { attempt, get, getString } from '../shape.ts';
import { payloadFields } from './http.ts';
import { readPayload } from './payload.ts';
import { parseRetryAfter, retryAfterInProse } from './retry-after.ts';
import { codeInText, statusInText, timestampInText } from './text-parts.ts';
import { trackingIdIn, trackingIdOf } from './tracking-id.ts';

/** An AMQP error record (AMQP 1.0, 2.8.14), and the place it was met at. */
export interface AmqpErrorRecord {
  /** Symbol, as a string or as rhea's typed value. */
  readonly condition?: unknown;
  /** Text, or JSON with the cloud's number in it. */
  readonly description?: unknown;
  /** Map, or plain object. */
  readonly info?: unknown;
  /** What was ended or refused with it; decides what a condition means. */
  readonly scope?: FaultScope | undefined;
  /** Of the link, from the client: `send` is a sender. */
  readonly direction?: 'send' | 'receive' | undefined;
  /** Address of the link. */
  readonly address?: string | undefined;
  /** Outcome of the delivery it came with. */
  readonly outcome?: 'rejected' | 'released' | 'modified' | undefined;
  /** Of a `modified`: it may have arrived. */
  readonly deliveryFailed?: boolean | undefined;
  /** Raised by this side of the connection. */
  readonly local?: boolean | undefined;
  /** Ms since the epoch, for dates in a hint. @default Date.now() */
  readonly now?: number | undefined;
}

/**
 * Read an AMQP error: anything with a `condition`, a text or an `outcome`. Number, tracking id and wait
 * come from the info map and the description.
 *
 * @returns `undefined` where there is none of them; never throws
 */
export function readAmqpError(error: AmqpErrorRecord): Evidence | undefined {
  return attempt(() => readRecord(error));
}

function readRecord(error: AmqpErrorRecord): Evidence | undefined {
  const condition = symbolText(get(error, 'condition'));
  // Libraries that make an error of the record keep its text as the message.
  const description = get(error, 'description') ?? (condition === undefined ? undefined : get(error, 'message'));
  const outcome = error.outcome;
  if (condition === undefined && typeof description !== 'string' && outcome === undefined) return undefined;
  const payload = readPayload(description);
  const text = payload.text ?? '';
  const info = get(error, 'info');
  return evidence({
    transport: 'amqp',
    ...payloadFields(payload),
    condition,
    scope: error.scope,
    direction: error.direction,
    address: error.address,
    side: sideOf(error.address),
    outcome,
    deliveryFailed: error.deliveryFailed,
    local: error.local === true ? true : undefined,
    textCode: numberOf(infoValue(info, 'com.microsoft:error-code')) ?? codeInText(text),
    answerStatus: statusInText(text),
    trackingId: trackingIdOf(infoValue(info, 'com.microsoft:tracking-id')) ?? payload.trackingId ?? trackingIdIn(text),
    timestamp: payload.timestamp ?? timestampInText(text),
    retryAfterMs: parseRetryAfter(infoValue(info, 'retry-after'), error.now ?? Date.now()) ?? retryAfterInProse(text),
    serverReference: reference(info),
  });
}

/** Whose link it is: devices speak on `/devices/…`, back ends on `/messages/…` and `/$management`. */
export function sideOf(address: string | undefined): 'device' | 'service' | undefined {
  if (address === undefined) return undefined;
  const path = address
    .replace(/^amqps?:\/\/[^/]{1,300}/i, '')
    .replace(/^\//, '')
    .toLowerCase();
  if (path.startsWith('devices/') || path.startsWith('$iothub/')) return 'device';
  return path.startsWith('messages/') ? 'service' : undefined;
}

/** A symbol as rhea gives it: a string, or something that turns into one. */
export function symbolText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (value === null || typeof value !== 'object') return undefined;
  const inner = getString(value, 'value'); // rhea's Typed
  return inner === undefined || inner === '' ? undefined : inner;
}

/** A value of the info map, whatever the letter case: SDKs disagree about `Retry-After`. */
export function infoValue(info: unknown, name: string): unknown {
  if (info === null || typeof info !== 'object') return undefined;
  const direct = info instanceof Map ? info.get(name) : get(info, name);
  if (direct !== undefined) return plain(direct);
  const keys = info instanceof Map ? [...info.keys()].slice(0, 64) : Object.keys(info).slice(0, 64);
  const key = keys.find((one) => typeof one === 'string' && one.toLowerCase() === name);
  if (key === undefined) return undefined;
  return plain(info instanceof Map ? info.get(key) : get(info, key as string));
}

function plain(value: unknown): unknown {
  return value !== null && typeof value === 'object' && 'value' in value ? (value as { value: unknown }).value : value;
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{3,7}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 100 ? number : undefined;
}

/** Where a redirect leads: `hostname` for TLS, else `network-host`. */
function reference(info: unknown): string | undefined {
  const host = infoValue(info, 'network-host') ?? infoValue(info, 'hostname');
  if (typeof host !== 'string' || host === '') return undefined;
  const port = infoValue(info, 'port');
  const address = infoValue(info, 'address');
  // Each by itself: what makes a secret known must not run into the other part.
  return `${redact(host)}${typeof port === 'number' ? `:${port}` : ''}${typeof address === 'string' ? `/${redact(address.replace(/^\//, ''))}` : ''}`;
}
