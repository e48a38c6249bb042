import { type OptionRule, optionError, rules } from '../options.ts';
import { checkRetryOptions } from './defaults.ts';
import type { Operation, OperationOptions, RetryOptions } from './options.ts';
import { runOperation } from './run.ts';

/** What `retry` takes besides how to repeat. */
export type RetryCallOptions = RetryOptions & Pick<OperationOptions, 'operation' | 'pacerKey' | 'classify'>;

const MORE: Readonly<Record<string, OptionRule>> = {
  operation: rules.string,
  pacerKey: rules.string,
  classify: rules.function,
};

/**
 * Run an operation and repeat it where that is safe: the fault is transient, and it did not run or
 * may run twice. A success costs next to nothing.
 *
 * An operation that retries by itself (an attached client, another `retry`) is not multiplied:
 * what its own layer gave up is final here, its requests count as attempts here. Only what it left
 * undecided is decided again: `retry: false` inside, or an `idempotent: true` that was said only
 * outside.
 *
 * @param operation - called once for each attempt, with its number and a signal to hand on
 * @returns what the operation gave
 * @throws a `DeviceCloudError` with `attempts`, `waitsMs` and `stopped`; `signal.reason` when
 *   aborted while waiting; programming errors and cancellations as they are
 * @throws TypeError (as a rejection) for options that are not what they should be
 *
 * @example
 * const twin = await retry(() => registry.getTwin('pump-1'), { idempotent: true, deadlineMs: 20_000 });
 */
export function retry<T>(operation: Operation<T>, options?: RetryCallOptions): Promise<T> {
  if (typeof operation !== 'function')
    return Promise.reject(optionError('retry', 'operation', 'a function', operation));
  if (options !== undefined) {
    try {
      checkRetryOptions('retry', options, MORE);
    } catch (mistake) {
      return Promise.reject(mistake);
    }
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
  }
  return runOperation(operation, options);
}
