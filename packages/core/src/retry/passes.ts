import { classify } from '../classify.ts';
import type { AnyDeviceCloudError } from '../errors.ts';
import { isProgrammingError } from '../read.ts';

/**
 * Raw failure → typed error, for operations without an adapter. `undefined`: not a fault of a
 * cloud (cancelled by the caller, a programming error), passes through as it is.
 */
export function classifyAny(raw: unknown): AnyDeviceCloudError | undefined {
  if (isAbort(raw)) return undefined;
  const error = classify(raw);
  return error.category === 'unknown' && isProgrammingError(raw) ? undefined : error;
}

/**
 * What platforms throw when the caller aborts. The `TimeoutError` of `AbortSignal.timeout` is not
 * among them: within an operation it is the time-out of one attempt. (That of the caller's own
 * `signal` is known by being its reason.)
 */
function isAbort(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && 'name' in raw && raw.name === 'AbortError';
}
