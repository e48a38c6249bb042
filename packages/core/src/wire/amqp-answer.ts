import type { FaultScope } from '../categories.ts';
import { type Evidence, evidence } from '../evidence.ts';
import { attempt, get } from '../shape.ts';
import { infoValue, symbolText } from './amqp-error.ts';
import { payloadFields } from './http.ts';
import { readPayload } from './payload.ts';
import { parseRetryAfter, retryAfterInProse } from './retry-after.ts';
import { codeInText } from './text-parts.ts';
import { trackingIdIn, trackingIdOf } from './tracking-id.ts';

/** An answer message of `$cbs`, a management node, a twin link, or DPS. */
export interface AmqpAnswer {
  /** Map, or plain object: status, description and condition of CBS, management and DPS. */
  readonly applicationProperties?: unknown;
  /** Map, or plain object of the message annotations: the status of a twin. */
  readonly annotations?: unknown;
  /** A data section as rhea gives it, bytes, text or a parsed object. */
  readonly body?: unknown;
  /** @default 'request' */
  readonly scope?: FaultScope | undefined;
  /** Of the answer's link. */
  readonly address?: string | undefined;
  /** Ms since the epoch, for dates in a hint. @default Date.now() */
  readonly now?: number | undefined;
}

const STATUS = ['status-code', 'statuscode', 'iotdps-status'];
const DESCRIPTION = ['status-description', 'statusdescription'];
const CONDITION = ['error-condition', 'errorcondition'];

/**
 * Read the answer to a request over AMQP. Both spellings of the status are understood.
 *
 * @returns `undefined` for a success; never throws
 */
export function readAmqpAnswer(answer: AmqpAnswer): Evidence | undefined {
  return attempt(() => readAnswer(answer));
}

function readAnswer({
  applicationProperties: properties,
  annotations,
  body,
  scope,
  address,
  now,
}: AmqpAnswer): Evidence | undefined {
  const status = statusOf(first(properties, STATUS) ?? infoValue(annotations, 'status'));
  const payload = readPayload(sectionOf(body));
  if (status === undefined && payload.code === undefined && payload.failed === undefined) return undefined;
  if (status !== undefined && status < 300 && payload.failed === undefined) return undefined;
  const description = first(properties, DESCRIPTION);
  const said = typeof description === 'string' ? readPayload(description) : {};
  const text = payload.text ?? said.text;
  return evidence({
    transport: 'amqp',
    scope: scope ?? 'request',
    address,
    ...payloadFields(payload),
    payloadCode: payload.code ?? said.code,
    payloadName: payload.name ?? said.name,
    answerStatus: status,
    condition: symbolText(first(properties, CONDITION)),
    textCode: text === undefined ? undefined : codeInText(text),
    trackingId:
      payload.trackingId ??
      said.trackingId ??
      trackingIdOf(first(properties, ['com.microsoft:tracking-id', 'trackingid'])) ??
      (text === undefined ? undefined : trackingIdIn(text)),
    timestamp: payload.timestamp ?? said.timestamp,
    text,
    retryAfterMs:
      parseRetryAfter(
        infoValue(properties, 'retry-after') ?? infoValue(annotations, 'retry-after'),
        now ?? Date.now(),
      ) ?? (text === undefined ? undefined : retryAfterInProse(text)),
  });
}

function first(map: unknown, names: readonly string[]): unknown {
  for (const name of names) {
    const value = infoValue(map, name);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** A status as a number, a numeric string, or a typed value. */
function statusOf(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 999 ? status : undefined;
}

/** The bytes of a data section (`{ typecode: 117, content }`), else the body as it is. */
function sectionOf(body: unknown): unknown {
  const content = get(body, 'content');
  return content === undefined ? body : content;
}
