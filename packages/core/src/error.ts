import type { KnownReason } from './catalogue/known.ts';
import type { CodeTexts } from './catalogue/types.ts';
import {
  type Advice,
  type AppliesTo,
  type Category,
  type Executed,
  type FaultScope,
  isTransient,
  type Transport,
} from './categories.ts';
import { redact } from './redact.ts';

/** Why an operation was not repeated (again). */
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

/** What an error is made of; everything but `reason` and `advice` may be left out. */
export interface ErrorFields {
  readonly reason: KnownReason | (string & {});
  readonly advice: Advice;
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
  readonly texts?: CodeTexts | (() => CodeTexts | undefined) | undefined;
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
  readonly category: Category;
  /** Documented name; else node code, AMQP condition or MQTT reason name; else `'Unlisted'`. */
  readonly reason: KnownReason | (string & {});
  /** The cloud's number, kept whatever it is. */
  readonly code: number | undefined;
  readonly httpStatus: number | undefined;
  readonly transport: Transport | undefined;
  /** Where on the wire the fault arose. */
  readonly scope: FaultScope | undefined;
  /** Whom the code concerns: hub, device or module. */
  readonly appliesTo: AppliesTo | undefined;
  /** AMQP error condition. */
  readonly condition: string | undefined;
  /** MQTT reason code or 3.1.1 return code. */
  readonly reasonCode: number | undefined;
  readonly advice: Advice;
  /** Does the default policy repeat the unchanged operation, where that is safe? */
  readonly transient: boolean;
  /** May the operation have taken effect? On a final error: the strongest over its attempts. */
  readonly executed: Executed;
  /** `'possible'`: this conflict may be the caller's own earlier attempt, which did run. */
  readonly ownEarlierAttempt: 'possible' | undefined;
  /** How long the cloud asked to wait, in ms. */
  readonly retryAfterMs: number | undefined;
  /** When a quota resets. */
  readonly resetAt: Date | undefined;
  /** Codes that look alike from here; set where the wire names no cause. */
  readonly candidates: readonly number[] | undefined;
  /** Another server, offered by the one that refused. */
  readonly serverReference: string | undefined;
  readonly trackingId: string | undefined;
  /** The cloud's own time stamp, as it was written. */
  readonly timestamp: string | undefined;
  /** What the program was doing, for messages. */
  readonly operation: string | undefined;
  /** The cloud's own text, redacted. */
  readonly detail: string | undefined;
  /** How many requests were sent for the operation. */
  readonly attempts: number | undefined;
  /** The waits between them, in ms. */
  readonly waitsMs: readonly number[] | undefined;
  /** Why the operation was not repeated (again). */
  readonly stopped: Stopped | undefined;
  readonly #texts: ErrorFields['texts'];

  constructor(category: Category, fields: ErrorFields) {
    const detail = fields.detail === undefined ? undefined : redact(fields.detail);
    const message = headline(fields, detail);
    if (fields.cause === undefined) super(message);
    else super(message, { cause: fields.cause });
    this.category = category;
    this.reason = fields.reason;
    this.code = fields.code;
    this.httpStatus = fields.httpStatus;
    this.transport = fields.transport;
    this.scope = fields.scope;
    this.appliesTo = fields.appliesTo;
    this.condition = fields.condition;
    this.reasonCode = fields.reasonCode;
    this.advice = fields.advice;
    this.transient = isTransient(fields.advice);
    this.executed = fields.executed ?? 'unknown';
    this.ownEarlierAttempt = undefined;
    this.retryAfterMs = fields.retryAfterMs;
    this.resetAt = fields.resetAt;
    this.candidates = fields.candidates;
    this.serverReference = fields.serverReference;
    this.trackingId = fields.trackingId;
    this.timestamp = fields.timestamp;
    this.operation = fields.operation;
    this.detail = detail;
    this.attempts = undefined;
    this.waitsMs = undefined;
    this.stopped = undefined;
    this.#texts = fields.texts;
  }

  /** Holds across copies of the package and realms; alone it is dropped by bundlers when unused. */
  get [BRAND](): true {
    return true;
  }

  /** What happened, in one sentence. */
  get summary(): string | undefined {
    return this.#explain()?.summary;
  }

  /** What to do about it. */
  get fix(): string | undefined {
    const fix = this.#explain()?.fix;
    if (this.ownEarlierAttempt !== 'possible') return fix;
    return `An earlier attempt of this operation may have done it: read the resource before anything else.${fix ? ` ${fix}` : ''}`;
  }

  /** The page of the cloud's documentation. */
  get docsUrl(): string | undefined {
    return this.#explain()?.docsUrl;
  }

  #explain(): CodeTexts | undefined {
    return typeof this.#texts === 'function' ? this.#texts() : this.#texts;
  }

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

/** `[404103 DeviceNotOnline] registry.get: Timed out …`: most important first, one line. */
function headline(fields: ErrorFields, detail: string | undefined): string {
  const label = fields.code === undefined ? fields.reason : `${fields.code} ${fields.reason}`;
  const words = detail === undefined ? '' : detail.replace(/\s+/g, ' ').trim();
  const text = words.length > 200 ? `${words.slice(0, 199)}…` : words;
  return `[${redact(label)}]${fields.operation ? ` ${redact(fields.operation)}:` : ''}${text ? ` ${text}` : ''}`;
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
  readonly executed?: Executed;
  readonly ownEarlierAttempt?: 'possible';
  readonly attempts?: number;
  readonly waitsMs?: readonly number[];
  readonly stopped?: Stopped;
  readonly operation?: string;
}

/** Write what is known only when an operation ends onto its final error. Returns the error. */
export function conclude<E extends DeviceCloudError>(error: E, ending: Ending): E {
  return Object.assign(error, ending);
}
