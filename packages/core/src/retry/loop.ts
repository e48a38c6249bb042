import pRetry from 'p-retry';

/**
 * What p-retry is given for every failure, whatever was thrown: it never repeats a TypeError and
 * replaces values that are not Errors, so nothing else may reach it.
 */
export interface Failure<E> {
  /** What was thrown. */
  readonly raw: unknown;
  /** The typed error; `undefined`: passes through. */
  readonly error: E | undefined;
}

/** An Error by prototype only: a real one would capture a stack that nobody reads. */
export function failure<E>(raw: unknown, error: E | undefined): Failure<E> {
  return Object.assign(Object.create(Error.prototype), { raw, error });
}

/**
 * The only place that touches p-retry. It keeps count and order; whether and when to repeat is
 * all in `mayRepeat`, which also waits.
 *
 * Not used of it, each for a measured reason: `signal` and `maxRetryTime` (a success that comes
 * after the abort is thrown away, the last wait is shortened), `onFailedAttempt` (runs after the
 * last failure too, so that a wait in it delays the rejection), `shouldConsumeRetry` (a hot loop).
 *
 * @param first - how the first attempt failed; it was made outside, so that success costs nothing
 * @param repeat - makes attempt n ≥ 2; rejects with a `Failure` only
 * @param mayRepeat - asked only when an attempt is left; what it throws ends the loop as it is
 */
export function repeatAfter<T, E>(
  first: Failure<E>,
  repeat: (attempt: number) => Promise<T>,
  mayRepeat: (failure: Failure<E>) => Promise<boolean>,
  maxAttempts: number,
): Promise<T> {
  return pRetry(
    (attempt) => {
      if (attempt === 1) throw first;
      return repeat(attempt);
    },
    {
      retries: maxAttempts - 1,
      minTimeout: 0,
      factor: 1,
      randomize: false,
      shouldRetry: ({ error }) => mayRepeat(error as unknown as Failure<E>),
    },
  );
}
