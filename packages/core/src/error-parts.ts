import { textsWithoutCode } from './catalogue/category-texts.ts';
import { type Category, isTransient } from './categories.ts';
import { safeCause } from './cause.ts';
import type { DeviceCloudError, ErrorFields, WrittenTexts } from './error.ts';
import { headline, isPlainLine, oneLine, shortened } from './error-message.ts';
import { redact } from './redact.ts';
import { isError } from './shape.ts';

/* What an error is filled with, whether a constructor made it or not. */

/** The texts that belong to an error, looked up when somebody reads them. */
export function explain(error: DeviceCloudError): WrittenTexts {
  const texts = Texts.of(error);
  const own = typeof texts === 'function' ? texts(error) : texts;
  return own ?? textsWithoutCode(error.category, error.reason);
}

/** The words of an error, clean of secrets. */
export interface Words {
  readonly reason: string;
  readonly detail: string | undefined;
  readonly message: string;
  readonly cause: unknown;
}

/** Computed before an error is made: its message is one of them. */
export function wordsOf(fields: ErrorFields): Words {
  // One word is no secret; anything else may come from the wire.
  const reason = /^\w{1,80}$/.test(fields.reason) ? fields.reason : redact(fields.reason);
  // Printers show a cause whatever it is: what is no error may carry the request, and cannot be hidden.
  // Made safe here, so that it is so whoever makes the error.
  const cause = fields.cause !== undefined && isError(fields.cause) ? safeCause(fields.cause) : undefined;
  const given = fields.detail;
  if (given === undefined || isPlainLine(given))
    return { reason, detail: given, message: headline(fields, reason, given), cause };
  const detail = shortened(given);
  return { reason, detail, message: headline(fields, reason, oneLine(detail)), cause };
}

export type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Write the fields that are known; the others are left out, so that a log shows what there is. */
export function fill<E extends DeviceCloudError>(
  error: E,
  category: Category,
  fields: ErrorFields,
  { reason, detail }: Words,
): E {
  const to: Writable<DeviceCloudError> = error;
  to.category = category;
  to.reason = reason;
  if (fields.code !== undefined) to.code = fields.code;
  to.advice = fields.advice;
  to.transient = isTransient(fields.advice);
  to.executed = fields.executed ?? 'unknown';
  if (detail !== undefined) to.detail = detail;
  if (fields.httpStatus !== undefined) to.httpStatus = fields.httpStatus;
  if (fields.transport !== undefined) to.transport = fields.transport;
  if (fields.scope !== undefined) to.scope = fields.scope;
  if (fields.appliesTo !== undefined) to.appliesTo = fields.appliesTo;
  if (fields.condition !== undefined) to.condition = fields.condition;
  if (fields.reasonCode !== undefined) to.reasonCode = fields.reasonCode;
  if (fields.retryAfterMs !== undefined) to.retryAfterMs = fields.retryAfterMs;
  if (fields.resetAt !== undefined) to.resetAt = fields.resetAt;
  if (fields.candidates !== undefined) to.candidates = fields.candidates;
  if (fields.serverReference !== undefined) to.serverReference = fields.serverReference;
  if (fields.trackingId !== undefined) to.trackingId = fields.trackingId;
  if (fields.timestamp !== undefined) to.timestamp = fields.timestamp;
  if (fields.clockSkewMs !== undefined) to.clockSkewMs = fields.clockSkewMs;
  if (fields.operation !== undefined) to.operation = redact(fields.operation);
  if (fields.texts !== undefined) new Texts(error, fields.texts);
  return error;
}

/** Hands back what it is given, so that a class below it adds its private field to that. */
const Given = class {
  constructor(error: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is the whole of it
    return error as never;
  }
};

/** A private field that no printer shows, on errors that no constructor of ours made. */
class Texts extends Given {
  readonly #texts: ErrorFields['texts'];

  constructor(error: DeviceCloudError, texts: ErrorFields['texts']) {
    super(error);
    this.#texts = texts;
  }

  static of(error: DeviceCloudError): ErrorFields['texts'] {
    return #texts in error ? (error as unknown as Texts).#texts : undefined;
  }
}
