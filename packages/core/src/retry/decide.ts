import type { Stopped } from '../error.ts';
import type { AnyDeviceCloudError } from '../errors.ts';
import { afterHint, fullJitter, type Random } from './backoff.ts';

/** What the decision looks at besides the error. All times in ms. */
export interface Situation {
  /** Failures so far, this one included. */
  readonly failures: number;
  /** Requests sent so far. */
  readonly sent: number;
  readonly maxAttempts: number;
  readonly idempotent: boolean;
  readonly replayable: boolean;
  /** `retry: false`. */
  readonly disabled: boolean;
  /** An inner layer has repeated this operation as often as it may. */
  readonly settledInside: boolean;
  /** Fresh credentials came for this failure. */
  readonly renewed: boolean;
  /** Until the deadline; may be Infinity. */
  readonly roomMs: number;
  readonly maxRetryAfterMs: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly throttledBaseDelayMs: number;
  readonly throttledMaxDelayMs: number;
  /**
   * A pacer spaces throttled operations, and this one is throttled for the first time: its own
   * backoff would only come on top. Throttled again it has a lower limit than its neighbours, and
   * the pace that is right for them would use up its attempts.
   */
  readonly paced: boolean;
}

export type Decision = { readonly waitMs: number; readonly stop?: undefined } | { readonly stop: Stopped };

/** May it be repeated, by what the error says and what the operation is? `undefined`: yes. */
export function objection(error: AnyDeviceCloudError, now: Situation): Stopped | undefined {
  if (now.disabled) return 'disabled';
  if (now.settledInside) return error.stopped ?? 'not-transient';
  if (!error.transient && !now.renewed) return 'not-transient';
  if (error.executed !== 'no' && !now.idempotent) return 'not-idempotent';
  return undefined;
}

/** Limits that hold whoever wants a repeat. `undefined`: there is room. */
export function limit(error: AnyDeviceCloudError, now: Situation): Stopped | undefined {
  if (!now.replayable) return 'body';
  if (now.failures >= now.maxAttempts || now.sent >= now.maxAttempts) return 'attempts';
  const hint = error.retryAfterMs ?? 0;
  if (hint > now.maxRetryAfterMs) return 'hint-too-long';
  return hint >= now.roomMs ? 'deadline' : undefined;
}

/** How long until the next attempt: the cloud's hint as a floor, else backoff with full jitter. */
export function delay(error: AnyDeviceCloudError, now: Situation, random: Random): Decision {
  const waitMs = waitFor(error, now, random);
  return waitMs < now.roomMs ? { waitMs } : { stop: 'deadline' };
}

function waitFor(error: AnyDeviceCloudError, now: Situation, random: Random): number {
  if (now.renewed) return 0;
  if (error.retryAfterMs) return afterHint(error.retryAfterMs, now.roomMs, random);
  const n = now.failures - 1;
  // 400029: the condition has passed. Met again, it has not.
  if (error.advice === 'now' && n === 0) return 0;
  if (error.advice !== 'throttled') return fullJitter(now.baseDelayMs, now.maxDelayMs, n, random);
  return now.paced ? 0 : fullJitter(now.throttledBaseDelayMs, now.throttledMaxDelayMs, n, random);
}
