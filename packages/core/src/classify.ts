import { textsWithoutCode } from './catalogue/category-texts.ts';
import type { Catalogue, CodeTexts } from './catalogue/types.ts';
import { cataloguesFor } from './catalogues.ts';
import { safeCause } from './cause.ts';
import { type ErrorFields, isDeviceCloudError } from './error.ts';
import { type AnyDeviceCloudError, makeError } from './errors.ts';
import { type Evidence, type EvidenceFields, isEvidence, type Reader } from './evidence.ts';
import { type Conclusion, judge } from './precedence.ts';
import { readAnything } from './read.ts';

export interface ClassifyContext {
  /** Asked before core's own wire readers; an attachment passes its own. */
  readonly readers?: readonly Reader[] | undefined;
  /** Searched before the built-in ones. */
  readonly catalogues?: readonly Catalogue[] | undefined;
  /** What the program was doing, for messages. */
  readonly operation?: string | undefined;
  /** Ms since the epoch, for the reset of a quota. @default Date.now() */
  readonly now?: number | undefined;
}

const NONE: readonly never[] = [];

/**
 * Turn anything a device-cloud client raised into one typed error. Total: never throws, whatever it
 * is given, and does a bounded amount of work. An error of ours is returned as it is.
 *
 * @param input - evidence, an error, an HTTP answer, an AMQP error, an MQTT packet or topic, or text
 */
export function classify(input: unknown, context: ClassifyContext = {}): AnyDeviceCloudError {
  if (isDeviceCloudError(input)) return input;
  const own = context.catalogues ?? NONE;
  const seen: EvidenceFields = isEvidence(input) ? input : readAnything(input, context.readers ?? NONE, own);
  const catalogues = cataloguesFor(seen, own);
  const { conclusion } = judge(seen, catalogues);
  return makeError(conclusion.category, fieldsOf(seen, conclusion, catalogues, context));
}

function fieldsOf(
  seen: EvidenceFields,
  conclusion: Conclusion,
  catalogues: readonly Catalogue[],
  context: ClassifyContext,
): ErrorFields {
  return {
    reason: conclusion.reason,
    advice: conclusion.advice,
    executed: conclusion.executed,
    code: conclusion.code,
    appliesTo: conclusion.row?.scope,
    httpStatus: seen.httpStatus ?? seen.answerStatus,
    transport: seen.transport,
    scope: seen.scope,
    condition: seen.condition,
    reasonCode: seen.reasonCode,
    retryAfterMs: seen.retryAfterMs,
    resetAt: conclusion.advice === 'at-reset' ? nextUtcMidnight(context.now ?? Date.now()) : undefined,
    candidates: seen.candidates ?? conclusion.candidates,
    serverReference: seen.serverReference,
    trackingId: seen.trackingId,
    timestamp: seen.timestamp,
    operation: context.operation,
    detail: seen.text,
    texts: () => textsOf(conclusion, catalogues),
    cause: safeCause(seen.cause),
  };
}

/** Looked up only when a text is read. */
function textsOf({ row, category, reason }: Conclusion, catalogues: readonly Catalogue[]): CodeTexts {
  const from = row && catalogues.find(({ rows }) => rows.includes(row));
  return (row && from?.texts?.[row.code]) ?? textsWithoutCode(category, reason);
}

/** Daily quotas of IoT Hub start anew at 00:00 UTC. */
function nextUtcMidnight(now: number): Date {
  const day = new Date(now);
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + 1));
}

export type { Evidence };
