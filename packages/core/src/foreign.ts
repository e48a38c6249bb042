import { isDeviceCloudError } from './error.ts';
import { isEvidence, type Reader } from './evidence.ts';
import { isProgrammingError, readAnything } from './read.ts';
import { get, isError } from './shape.ts';

const ABORTS: ReadonlySet<unknown> = new Set(['ABORT_ERR', 'ERR_CANCELED', 20, 23]);

/**
 * Is this none of our business? A cancellation by the caller (AbortSignal, also its time-out) and a
 * mistake in the program (TypeError, RangeError, … without evidence in the cause chain) are no
 * faults of a cloud: they pass through untouched. `classify` of such gives category `unknown`. Never
 * throws.
 *
 * @param readers - the adapter's own: what they read is evidence
 */
export function isForeign(raw: unknown, readers: readonly Reader[] = []): boolean {
  if (isDeviceCloudError(raw) || isEvidence(raw)) return false;
  if (isCancellation(raw)) return true;
  if (!isProgrammingError(raw)) return false;
  const { cause, ...seen } = readAnything(raw, readers, []);
  return Object.values(seen).every((value) => value === undefined);
}

/** Did the caller cancel? AbortError, the reason of `AbortSignal.timeout`, and HTTP clients' own. Never throws. */
export function isCancellation(raw: unknown): boolean {
  if (!isError(raw)) return get(raw, '__CANCEL__') === true;
  const name = get(raw, 'name');
  if (name === 'AbortError' || name === 'CanceledError' || get(raw, '__CANCEL__') === true) return true;
  const code = get(raw, 'code');
  // DOMException keeps 20 and 23 for aborts; a number elsewhere is something else.
  return ABORTS.has(code) && (typeof code === 'string' || (name === 'TimeoutError' && code === 23));
}
