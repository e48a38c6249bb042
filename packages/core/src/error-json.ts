import { CATEGORIES, type Category } from './categories.ts';
import { conclude, type ErrorFields, type ErrorJson } from './error.ts';
import { type AnyDeviceCloudError, makeError } from './errors.ts';
import { redact } from './redact.ts';

const ADVICE: ReadonlySet<unknown> = new Set(['now', 'backoff', 'throttled', 'at-reset', 'renew-credentials', 'never']);

/**
 * An error from its `toJSON` form, for instance from a log, a worker or another service. `toJSON` of
 * what it returns is the same again, but for the stack and `cause`, which do not travel.
 *
 * A category of a newer version becomes `unknown`. Texts are redacted once more: what comes from
 * elsewhere may not have been.
 *
 * @param json - the object that `toJSON` gave, or its text
 * @returns an error of the category's class, `isDeviceCloudError` holds
 * @throws TypeError where it is not such a form
 */
export function fromJSON(json: ErrorJson | string): AnyDeviceCloudError {
  const form = parsed(json);
  const category = CATEGORIES.includes(form.category as Category) ? (form.category as Category) : 'unknown';
  const error = makeError(category, fieldsOf(form));
  conclude(error, ending(form));
  const message = string(form, 'message');
  if (message !== undefined && message !== error.message)
    Object.defineProperty(error, 'message', { value: redact(message), configurable: true, writable: true });
  return error;
}

type Form = Readonly<Record<string, unknown>>;

function parsed(json: unknown): Form {
  const value: unknown = typeof json === 'string' ? attemptParse(json) : json;
  if (typeof value === 'object' && value !== null) {
    const form = value as Form;
    if (typeof form.category === 'string' && typeof form.reason === 'string' && ADVICE.has(form.advice)) return form;
  }
  throw new TypeError('fromJSON: expected what toJSON of an error gives (category, reason, advice, …)');
}

function attemptParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldsOf(form: Form): ErrorFields {
  const summary = string(form, 'summary');
  const resetAt = new Date(string(form, 'resetAt') ?? Number.NaN);
  return {
    reason: redact(string(form, 'reason') ?? 'Unlisted'),
    advice: form.advice as ErrorFields['advice'],
    executed: oneOf(form.executed, ['no', 'unknown', 'yes']) ?? 'unknown',
    code: number(form, 'code'),
    httpStatus: number(form, 'httpStatus'),
    transport: oneOf(form.transport, ['http', 'mqtt', 'amqp']),
    scope: string(form, 'scope') as ErrorFields['scope'],
    appliesTo: oneOf(form.appliesTo, ['hub', 'device', 'module']),
    condition: redacted(form, 'condition'),
    reasonCode: number(form, 'reasonCode'),
    retryAfterMs: number(form, 'retryAfterMs'),
    resetAt: Number.isNaN(resetAt.getTime()) ? undefined : resetAt,
    candidates: numbers(form, 'candidates'),
    serverReference: redacted(form, 'serverReference'),
    trackingId: redacted(form, 'trackingId'),
    timestamp: redacted(form, 'timestamp'),
    clockSkewMs: number(form, 'clockSkewMs'),
    operation: redacted(form, 'operation'),
    detail: string(form, 'detail'),
    texts:
      summary === undefined
        ? undefined
        : { summary: redact(summary), fix: redact(string(form, 'fix') ?? ''), ...docs(form), complete: true },
  };
}

function docs(form: Form): { docsUrl?: string } {
  const docsUrl = string(form, 'docsUrl');
  return docsUrl === undefined ? {} : { docsUrl };
}

function ending(form: Form): Record<string, unknown> {
  const known = {
    ownEarlierAttempt: oneOf(form.ownEarlierAttempt, ['possible']),
    attempts: number(form, 'attempts'),
    waitsMs: numbers(form, 'waitsMs'),
    stopped: string(form, 'stopped'),
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

function string(form: Form, key: string): string | undefined {
  const value = form[key];
  return typeof value === 'string' ? value : undefined;
}

function redacted(form: Form, key: string): string | undefined {
  const value = string(form, key);
  return value === undefined ? undefined : redact(value);
}

function number(form: Form, key: string): number | undefined {
  const value = form[key];
  return typeof value === 'number' ? value : undefined;
}

function numbers(form: Form, key: string): readonly number[] | undefined {
  const value = form[key];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'number') : undefined;
}

function oneOf<const T extends string>(value: unknown, values: readonly T[]): T | undefined {
  return values.find((one) => one === value);
}
