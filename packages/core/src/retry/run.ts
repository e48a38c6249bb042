import { systemClock } from '../clock.ts';
import { pacerFor } from '../pacer/shared.ts';
import type { Gate } from '../pacer/types.ts';
import { Try } from './attempt.ts';
import { Course } from './course.ts';
import type { Operation, OperationOptions, RetryOptions } from './options.ts';

const NONE: RetryOptions & OperationOptions = {};

/**
 * Run an operation under retry, pace and events: what `retry` and the adapters are made of. The
 * options are taken as they are, see `resolveRetryOptions`; what is not given has its default.
 *
 * A success costs one reaction on its promise and one look at the clock; everything else is
 * made when something fails.
 *
 * @param operation - run once for each attempt; what it throws at once is a rejection like any other
 * @param options - how to repeat, and what an adapter says of the operation
 * @returns what the operation gave
 * @throws the typed error with `attempts`, `waitsMs`, `stopped`; `signal.reason` when aborted while
 *   waiting; as it is, whatever `classify` takes for no fault of a cloud
 */
export function runOperation<T>(operation: Operation<T>, options: RetryOptions & OperationOptions = NONE): Promise<T> {
  const startedAt = options.firstFailure?.startedAt ?? (options.clock ?? systemClock).now();
  const gate = gateOf(options);
  if (options.hardDeadline || options.firstFailure || (gate && !gate.free))
    return new Course(operation, options, startedAt, gate).begin();

  if (gate) gate.inFlight++;
  const attempt = new Try(1, options.signal);
  let outcome: Promise<T>;
  try {
    const given = operation(attempt);
    outcome = given instanceof Promise ? given : Promise.resolve(given);
  } catch (thrown) {
    outcome = Promise.reject(thrown);
  }
  const failed = (raw: unknown) => new Course(operation, options, startedAt, gate).failedFirst(raw, attempt);
  if (!gate) return outcome.then(undefined, failed);
  return outcome.then((value) => {
    gate.report(startedAt, 'success');
    return value;
  }, failed);
}

function gateOf(options: RetryOptions & OperationOptions): Gate | undefined {
  if (options.pacer === false || options.disabled) return undefined;
  if (options.pacer) return options.pacer.gate(options.pacerKey ?? 'all');
  return options.pacerKey === undefined ? undefined : pacerFor(options.clock).gate(options.pacerKey);
}
