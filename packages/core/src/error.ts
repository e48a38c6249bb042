import { stoppedTexts } from './catalogue/category-texts.ts';
import type { KnownReason } from './catalogue/known.ts';
import type { CodeTexts } from './catalogue/types.ts';
import type { Advice, AppliesTo, Category, Executed, FaultScope, Transport } from './categories.ts';
import { clockNote, EARLIER_ATTEMPT } from './error-message.ts';
import { explain, fill, type Writable, wordsOf } from './error-parts.ts';
import { redact } from './redact.ts';

/**
 * Why an operation was not repeated (again).
 *
 * - `not-transient`: the same operation would fail again
 * - `not-idempotent`: it may have run, and nobody said that it may run twice
 * - `attempts`: `maxAttempts` are used up
 * - `deadline`: the next wait would not fit `deadlineMs`, or the attempt was cut at it
 * - `hint-too-long`: the cloud asks for a longer wait than `maxRetryAfterMs`
 * - `body`: what was sent is a stream and used up
 * - `paced-out`: too many operations wait for the target already; it was not sent
 * - `should-retry`: `shouldRetry` said no
 * - `disabled`: `retry: false`
 */
export type Stopped =
  | 'not-transient'
  | 'not-idempotent'
  | 'attempts'
  | 'deadline'
  | 'hint-too-long'
  | 'body'
  | 'paced-out'
  | 'should-retry'
  | 'disabled';

/** Texts that were written out already, with what an error adds of its own (`complete`). */
export interface WrittenTexts extends CodeTexts {
  readonly complete?: true;
}

/**
 * What an error is made of; everything but `reason` and `advice` may be left out. The fields are those
 * of {@link DeviceCloudError}.
 */
export interface ErrorFields {
  readonly reason: KnownReason | (string & {});
  readonly advice: Advice;
  /** @default 'unknown' */
  readonly executed?: Executed;
  readonly code?: number | undefined;
  readonly httpStatus?: number | undefined;
  readonly transport?: Transport | undefined;
  readonly scope?: FaultScope | undefined;
  readonly appliesTo?: AppliesTo | undefined;
  readonly condition?: string | undefined;
  readonly reasonCode?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly resetAt?: Date | undefined;
  readonly candidates?: readonly number[] | undefined;
  readonly serverReference?: string | undefined;
  readonly trackingId?: string | undefined;
  readonly timestamp?: string | undefined;
  readonly operation?: string | undefined;
  /** The cloud's own text; redacted before it is kept. */
  readonly detail?: string | undefined;
  /** How far the local clock is ahead of the cloud's, in ms. */
  readonly clockSkewMs?: number | undefined;
  /** Asked for when somebody reads them. */
  readonly texts?: WrittenTexts | ((error: DeviceCloudError) => CodeTexts | undefined) | undefined;
  /** A native error, made safe to print (see `safeCause`); anything else is not kept. */
  readonly cause?: unknown;
}

const BRAND = '@@faultmap/DeviceCloudError';
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** The fields that leave the process: an allow-list, in the order a person reads them. */
export const PUBLIC_FIELDS = [
  'category',
  'reason',
  'code',
  'httpStatus',
  'transport',
  'scope',
  'appliesTo',
  'condition',
  'reasonCode',
  'advice',
  'transient',
  'executed',
  'ownEarlierAttempt',
  'retryAfterMs',
  'resetAt',
  'candidates',
  'serverReference',
  'trackingId',
  'timestamp',
  'clockSkewMs',
  'operation',
  'detail',
  'attempts',
  'waitsMs',
  'stopped',
] as const;

/**
 * One typed error for every failure of a device cloud.
 *
 * Narrow it by `category` (closed), then `reason` (open) or `code`. All enumerable fields are
 * safe to log; the native error is `cause`, not enumerable.
 */
export abstract class DeviceCloudError extends Error {
  /** What kind of fault it is; a closed set, one class each. */
  declare readonly category: Category;
  /** Documented name; else node code, AMQP condition or MQTT reason name; else `'Unlisted'`. */
  declare readonly reason: KnownReason | (string & {});
  /** The cloud's number, kept whatever it is. */
  declare readonly code: number | undefined;
  /** Of an HTTP answer, or of one with such a status over MQTT or AMQP. */
  declare readonly httpStatus: number | undefined;
  /** The protocol it was seen on, where that is known. */
  declare readonly transport: Transport | undefined;
  /** Where on the wire the fault arose. */
  declare readonly scope: FaultScope | undefined;
  /** Whom the code concerns: hub, device or module. */
  declare readonly appliesTo: AppliesTo | undefined;
  /** AMQP error condition. */
  declare readonly condition: string | undefined;
  /** MQTT reason code or 3.1.1 return code. */
  declare readonly reasonCode: number | undefined;
  /** What to do about it. */
  declare readonly advice: Advice;
  /** Does the default policy repeat the unchanged operation, where that is safe? */
  declare readonly transient: boolean;
  /** May the operation have taken effect? On a final error: the strongest over its attempts. */
  declare readonly executed: Executed;
  /** `'possible'`: this conflict may be the caller's own earlier attempt, which did run. */
  declare readonly ownEarlierAttempt: 'possible' | undefined;
  /** How long the cloud asked to wait, in ms. */
  declare readonly retryAfterMs: number | undefined;
  /** When a quota resets: of 403002 the next midnight UTC. */
  declare readonly resetAt: Date | undefined;
  /** Codes that look alike from here; set where the wire names no cause. */
  declare readonly candidates: readonly number[] | undefined;
  /** Another server, offered by the one that refused. */
  declare readonly serverReference: string | undefined;
  /** The cloud's id of the request, for its support. */
  declare readonly trackingId: string | undefined;
  /** The cloud's own time stamp, as it was written. */
  declare readonly timestamp: string | undefined;
  /** How far the local clock is ahead of the cloud's, in ms, where an answer showed it. */
  declare readonly clockSkewMs: number | undefined;
  /** What the program was doing, for messages. */
  declare readonly operation: string | undefined;
  /** The cloud's own text, redacted. */
  declare readonly detail: string | undefined;
  /** How many requests were sent for the operation; 0: none. Set when an operation ends. */
  declare readonly attempts: number | undefined;
  /** The waits between them, in ms. */
  declare readonly waitsMs: readonly number[] | undefined;
  /** Why the operation was not repeated (again). */
  declare readonly stopped: Stopped | undefined;

  static {
    // Fields that are not known are no own ones, and yet "in" every error.
    for (const key of PUBLIC_FIELDS)
      Object.defineProperty(DeviceCloudError.prototype, key, { value: undefined, writable: true, configurable: true });
  }

  constructor(category: Category, fields: ErrorFields) {
    const words = wordsOf(fields);
    if (words.cause !== undefined) super(words.message, { cause: words.cause });
    else super(words.message);
    fill(this, category, fields, words);
  }

  /** Holds across copies of the package and realms; alone it is dropped by bundlers when unused. */
  get [BRAND](): true {
    return true;
  }

  /** What happened, in one sentence. */
  get summary(): string | undefined {
    return explain(this).summary;
  }

  /** What to do about it. */
  get fix(): string | undefined {
    const texts = explain(this);
    if (texts.complete) return texts.fix || undefined;
    const notes = [
      this.ownEarlierAttempt === 'possible' ? EARLIER_ATTEMPT : undefined,
      this.stopped && isWorthSaying(this.stopped, this.transient) ? stoppedTexts[this.stopped] : undefined,
      clockNote(this.category, this.clockSkewMs),
      texts.fix,
    ];
    return notes.filter((note) => note !== undefined).join(' ') || undefined;
  }

  /** The page of the cloud's documentation. */
  get docsUrl(): string | undefined {
    return explain(this).docsUrl;
  }

  /** Plain data of the public fields and texts, without stack and cause; `fromJSON` takes it. */
  toJSON(): ErrorJson {
    const json: Record<string, unknown> = { name: this.name, message: this.message };
    for (const key of PUBLIC_FIELDS) {
      const value = this[key];
      if (value !== undefined) json[key] = value instanceof Date ? value.toISOString() : value;
    }
    for (const key of ['summary', 'fix', 'docsUrl'] as const) {
      if (this[key] !== undefined) json[key] = this[key];
    }
    return json as unknown as ErrorJson;
  }

  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { name, message, ...fields } = this.toJSON() as unknown as Record<string, unknown>;
    const frames = typeof this.stack === 'string' ? this.stack.split('\n').filter((line) => /^\s+at /.test(line)) : [];
    return `${[`${name}: ${message}`, ...frames].join('\n')} ${inspect(fields, options)}`;
  }

  /**
   * One definition for the base, the categories and a user's subclass: it is inherited, and an
   * own one per class would make any error an instance of any class.
   */
  static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: inherited by every subclass, each asks for itself
    return isInstance(this, value);
  }
}

function isInstance(of: unknown, value: unknown): boolean {
  const ordinary = () => Function.prototype[Symbol.hasInstance].call(of, value);
  if (!isDeviceCloudError(value)) return ordinary();
  if (of === DeviceCloudError) return true;
  // Only the category classes have `category` as their own; a user's subclass does not.
  const own = Object.getOwnPropertyDescriptor(of as object, 'category');
  return own ? value.category === own.value : ordinary();
}

/** The plain-data form of an error: what `toJSON` gives and `fromJSON` takes. */
export interface ErrorJson {
  readonly name: string;
  readonly message: string;
  readonly category: Category;
  readonly reason: string;
  readonly advice: Advice;
  readonly executed: Executed;
  readonly [key: string]: unknown;
}

/** The other ways to stop say all by their name. */
const STOPPED_WORTH_SAYING: ReadonlySet<Stopped> = new Set([
  'not-idempotent',
  'hint-too-long',
  'deadline',
  'body',
  'paced-out',
]);

/** What is switched off is said where it would have been repeated. */
function isWorthSaying(stopped: Stopped, transient: boolean): boolean {
  return STOPPED_WORTH_SAYING.has(stopped) || (stopped === 'disabled' && transient);
}

/**
 * Is it one of ours? Holds across duplicated copies of the package, minification and realms.
 * Never throws.
 */
export function isDeviceCloudError(value: unknown): value is import('./errors.ts').AnyDeviceCloudError {
  try {
    return typeof value === 'object' && value !== null && (value as Record<string, unknown>)[BRAND] === true;
  } catch {
    return false; // a hostile proxy
  }
}

/** What is known only when an operation ends. For `retry` and adapters. */
export interface Ending {
  /** The strongest over all attempts. */
  readonly executed?: Executed;
  /** An earlier attempt that may have run could have caused this fault. */
  readonly ownEarlierAttempt?: 'possible';
  /** Requests sent. */
  readonly attempts?: number;
  /** The waits between them, in ms. */
  readonly waitsMs?: readonly number[];
  readonly stopped?: Stopped;
  /** Masked before it is kept. */
  readonly operation?: string;
}

/**
 * Write what is known only when an operation ends onto its final error. What the ending leaves out
 * stays as it is. `runOperation` does it by itself: this is for faults outside of one.
 *
 * @returns the same error
 */
export function conclude<E extends DeviceCloudError>(error: E, ending: Ending): E {
  const to: Writable<DeviceCloudError> = error;
  if (ending.executed !== undefined) to.executed = ending.executed;
  if (ending.attempts !== undefined) to.attempts = ending.attempts;
  if (ending.waitsMs !== undefined) to.waitsMs = ending.waitsMs;
  if (ending.stopped !== undefined) to.stopped = ending.stopped;
  if (ending.ownEarlierAttempt !== undefined) to.ownEarlierAttempt = ending.ownEarlierAttempt;
  if (ending.operation !== undefined) to.operation = redact(ending.operation);
  return error;
}
