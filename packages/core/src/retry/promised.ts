import { optionError } from '../options.ts';

/** What has a `then`; to await it is not what a decision does. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** A decision that is a promise would be taken for none, and repeat what must not be repeated. */
export function promised(wish: PromiseLike<unknown>): TypeError {
  // Nobody looks at it any more: its rejection is not to end the process.
  wish.then(undefined, () => {});
  return optionError('retry', 'shouldRetry', 'a function that gives a boolean or undefined', wish);
}
