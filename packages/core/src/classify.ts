import { textsWithoutCode } from './catalogue/category-texts.ts';
import { rowOfCode } from './catalogue/indexes.ts';
import type { Catalogue, CodeTexts } from './catalogue/types.ts';
import { cataloguesFor } from './catalogues.ts';
import type { Category } from './categories.ts';
import { type DeviceCloudError, type ErrorFields, isDeviceCloudError } from './error.ts';
import { type Words, wordsOf } from './error-parts.ts';
import { type AnyDeviceCloudError, dress } from './errors.ts';
import { type EvidenceFields, isChecked, isEvidence, type Reader } from './evidence.ts';
import { type Conclusion, judge } from './precedence.ts';
import { readAnything } from './read.ts';
import { redact } from './redact.ts';
import { timeOfTrackingId, timestampOf, trackingIdOf } from './wire/tracking-id.ts';

/** What `classify` may be told besides the input. */
export interface ClassifyContext {
  /**
   * Asked before core's own wire readers, in turn; an attachment passes its own. One that throws is
   * passed over. @default none
   */
  readonly readers?: readonly Reader[] | undefined;
  /** Codes of other clouds, searched before the built-in ones. @default none */
  readonly catalogues?: readonly Catalogue[] | undefined;
  /** What the program was doing, for messages; secrets in it are masked. @default none */
  readonly operation?: string | undefined;
  /** Ms since the epoch, for the reset of a quota. @default Date.now() */
  readonly now?: number | undefined;
}

const NONE: readonly never[] = [];
const NO_CONTEXT: ClassifyContext = {};

/**
 * Turn anything a device-cloud client raised into one typed error. Total: never throws, whatever it
 * is given, and does a bounded amount of work. An error of ours is returned as it is.
 *
 * @param input - evidence; an error of any client; `{ status, headers?, body? }` of an HTTP answer, or
 *   its parsed body; an AMQP error `{ condition, description?, info? }`; an MQTT packet `{ cmd, … }` or
 *   message `{ topic, payload? }`; or text
 * @returns an error of one of the category classes; `unknown` where there is nothing to go by
 *
 * @example
 * const { category, code } = classify({ status: 404, body: '{"errorCode":404103}' }); // offline 404103
 */
export function classify(input: unknown, context: ClassifyContext = NO_CONTEXT): AnyDeviceCloudError {
  if (isDeviceCloudError(input)) return input;
  const { category, fields, words } = known(input, context);
  const { message, cause } = words;
  // Made here, and not farther down: each frame of ours would cost as much as a line of reading, and
  // take the place of one of the caller's.
  return dress(cause === undefined ? new Error(message) : new Error(message, { cause }), category, fields, words);
}

interface Known {
  readonly category: Category;
  readonly fields: ErrorFields;
  readonly words: Words;
}

function known(input: unknown, context: ClassifyContext): Known {
  try {
    return judged(input, context);
  } catch {
    // Evidence of a reader that holds what it should not, or a hostile proxy.
    const fields: ErrorFields = { reason: 'Unlisted', advice: 'never' };
    return { category: 'unknown', fields, words: wordsOf(fields) };
  }
}

function judged(input: unknown, context: ClassifyContext): Known {
  const own = context.catalogues ?? NONE;
  const seen: EvidenceFields = isEvidence(input) ? input : readAnything(input, context.readers ?? NONE, own);
  const catalogues = cataloguesFor(seen, own);
  const { conclusion } = judge(seen, catalogues);
  const fields = fieldsOf(seen, conclusion, catalogues, context);
  return { category: conclusion.category, fields, words: wordsOf(fields) };
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
    condition: clean(seen.condition),
    reasonCode: seen.reasonCode,
    retryAfterMs: seen.retryAfterMs,
    resetAt: conclusion.advice === 'at-reset' ? nextUtcMidnight(context.now ?? Date.now()) : undefined,
    candidates: someOf(seen.candidates ?? conclusion.candidates),
    serverReference: clean(seen.serverReference),
    trackingId: idOf(seen),
    timestamp: timeOf(seen),
    clockSkewMs: seen.clockSkewMs,
    operation: context.operation,
    detail: seen.text,
    texts: textsFrom(catalogues),
    cause: seen.cause,
  };
}

/** No candidates are none known, not an empty list of them. */
function someOf(candidates: readonly number[] | undefined): readonly number[] | undefined {
  return candidates?.length ? candidates : undefined;
}

/** What came over the wire may hold anything. */
function clean(word: string | undefined): string | undefined {
  return word === undefined ? undefined : redact(word.slice(0, 400));
}

function idOf(seen: EvidenceFields): string | undefined {
  return isChecked(seen) ? seen.trackingId : (trackingIdOf(seen.trackingId) ?? clean(seen.trackingId));
}

/** A time stamp of its own, else the time at which the tracking id was made. */
function timeOf(seen: EvidenceFields): string | undefined {
  const { timestamp, trackingId } = seen;
  if (timestamp === undefined) return timeOfTrackingId(trackingId);
  return isChecked(seen) ? timestamp : timestampOf(timestamp);
}

type Texts = (error: DeviceCloudError) => CodeTexts;

const textsOf = new WeakMap<readonly Catalogue[], Texts>();

/** Texts are looked up only when they are read; one function for each list of catalogues. */
function textsFrom(catalogues: readonly Catalogue[]): Texts {
  const there = textsOf.get(catalogues);
  if (there) return there;
  const texts: Texts = ({ code, category, reason, candidates }) => {
    // A fault that can only stand for one code is explained as that one.
    const meant = code ?? (candidates?.length === 1 ? candidates[0] : undefined);
    const row = meant === undefined ? undefined : rowOfCode(meant, catalogues);
    const from = row && catalogues.find(({ rows }) => rows.includes(row));
    return (row && from?.texts?.[row.code]) ?? textsWithoutCode(category, reason);
  };
  textsOf.set(catalogues, texts);
  return texts;
}

/** Daily quotas of IoT Hub start anew at 00:00 UTC. */
function nextUtcMidnight(now: number): Date {
  const day = new Date(now);
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + 1));
}
