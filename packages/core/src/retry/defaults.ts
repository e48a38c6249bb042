import { type OptionRule, optionError, resolveOptions, rules } from '../options.ts';
import type { RetryOptions } from './options.ts';

/** The table of defaults, for every transport that does not say otherwise; the reasons are at `RetryOptions`. */
export const RETRY_DEFAULTS = {
  maxAttempts: 4,
  deadlineMs: 60_000,
  baseDelayMs: 250,
  maxDelayMs: 10_000,
  throttledBaseDelayMs: 2_000,
  throttledMaxDelayMs: 30_000,
  maxRetryAfterMs: 60_000,
  idempotent: false,
} as const satisfies RetryOptions;

/**
 * Where a pacer guards the target, the first backoff after a fault that is not throttling. Its
 * circuit opens after five faults in a row, so short waits cannot become a storm: at 95 % load
 * with 5 % random 503 this costs no request more than waiting longer.
 */
export const GUARDED_BASE_DELAY_MS = 50;

const RULES: Readonly<Record<keyof RetryOptions, OptionRule>> = {
  maxAttempts: rules.count,
  deadlineMs: rules.msOrNever,
  baseDelayMs: rules.ms,
  maxDelayMs: rules.ms,
  throttledBaseDelayMs: rules.ms,
  throttledMaxDelayMs: rules.ms,
  maxRetryAfterMs: rules.msOrNever,
  idempotent: rules.boolean,
  signal: {
    expected: 'an AbortSignal',
    ok: (v) => typeof v === 'object' && v !== null && typeof (v as AbortSignal).addEventListener === 'function',
  },
  pacer: {
    expected: 'a pacer made by createPacer, or false',
    ok: (v) => v === false || (typeof v === 'object' && v !== null && typeof Reflect.get(v, 'gate') === 'function'),
  },
  shouldRetry: rules.function,
  clock: {
    expected: 'a clock with now() and after()',
    ok: (v) => typeof v === 'object' && v !== null && 'now' in v && 'after' in v,
  },
  random: rules.function,
};

/** Checked options, what was not given left out; `disabled` when `retry: false` was given. */
export interface ResolvedRetryOptions extends RetryOptions {
  readonly disabled?: boolean | undefined;
}

/**
 * Check retry options and lay them over `defaults`, field by field. Call it once at attaching, and
 * again for a request that brings its own, with the attachment's as defaults.
 *
 * @param owner - for messages, for instance `attachHttp`
 * @param given - what the user wrote; `false` switches repeats off, an object switches them on again
 * @param defaults - what holds where nothing is given; `runOperation` fills in the rest
 * @param prefix - where the options live in the user's object
 * @throws TypeError naming option, expected and received
 */
export function resolveRetryOptions(
  owner: string,
  given: RetryOptions | false | undefined,
  defaults: ResolvedRetryOptions = {},
  prefix = 'retry.',
): ResolvedRetryOptions {
  if (given === undefined) return defaults;
  if (given === false) return { ...defaults, disabled: true };
  const { disabled: _, ...base } = defaults;
  return resolveOptions<RetryOptions>(owner, given as object, base, RULES, prefix);
}

/**
 * The same check for options that are used as they are, without a copy: what a `retry` around
 * every call can afford.
 */
export function checkRetryOptions(owner: string, given: object, more: Readonly<Record<string, OptionRule>>): void {
  if (typeof given !== 'object' || given === null) throw optionError(owner, '', rules.object.expected, given);
  for (const name in given) {
    const value = (given as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const rule = RULES[name as keyof RetryOptions] ?? more[name];
    if (rule?.ok(value)) continue;
    const known = Object.keys({ ...RULES, ...more }).join(', ');
    throw optionError(owner, name, rule?.expected ?? `one of the options ${known}`, rule ? value : name);
  }
}
