import { conclude, type Stopped } from '../error.ts';
import type { AnyDeviceCloudError } from '../errors.ts';
import { causeWasTold, processWide } from '../events.ts';
import { outcomeOf } from '../pacer/outcome.ts';
import type { Gate } from '../pacer/types.ts';
import { RETRY_DEFAULTS } from './defaults.ts';
import { giveUp } from './nested.ts';
import type { OperationOptions, RetryOptions } from './options.ts';

/**
 * Is it clear without a further look that it is not repeated? So it is with most faults. `false` says
 * only that the policy has to be asked.
 */
export function isHopeless(
  { transient, advice }: AnyDeviceCloudError,
  { disabled, shouldRetry, renew }: { disabled?: unknown; shouldRetry?: unknown; renew?: unknown },
): boolean {
  if (disabled) return true;
  return !transient && shouldRetry === undefined && (renew === undefined || advice !== 'renew-credentials');
}

/**
 * End an operation whose one attempt failed with a hopeless fault: told and concluded as
 * `runOperation` would, at once. For adapters that make the first attempt by themselves: a call
 * that fails should not take much longer than without them.
 *
 * @param error - gets `attempts: 1`, no waits, and `stopped`; to be thrown by the caller
 * @param options - those `runOperation` would have been given
 * @param sentAt - when it was sent, on the clock of the pacer
 * @param gate - where the attempt passed; it is reported to
 */
export function endAtOnce(
  error: AnyDeviceCloudError,
  options: Pick<RetryOptions & OperationOptions, 'events' | 'operation' | 'disabled' | 'throttledBaseDelayMs'>,
  sentAt: number,
  gate: Gate | undefined,
): void {
  const { events = processWide, operation, disabled, throttledBaseDelayMs } = options;
  const stopped: Stopped = disabled ? 'disabled' : 'not-transient';
  const backoffMs = throttledBaseDelayMs ?? RETRY_DEFAULTS.throttledBaseDelayMs;
  gate?.report(sentAt, outcomeOf(error), { error, who: error, backoffMs });
  conclude(error, { executed: error.executed, attempts: 1, waitsMs: [], stopped });
  giveUp(error);
  if (!causeWasTold(error)) events.emit('fault', { error, operation, attempt: 1 });
  events.emit('give-up', { error, operation, attempt: 1, stopped });
}
