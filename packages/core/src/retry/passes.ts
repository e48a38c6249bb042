import { classify } from '../classify.ts';
import type { AnyDeviceCloudError } from '../errors.ts';

/**
 * Raw failure → typed error, for operations without an adapter. `undefined`: not a fault of a
 * cloud (cancelled by the caller, a programming error), passes through as it is.
 */
export function classifyAny(raw: unknown): AnyDeviceCloudError | undefined {
  if (isCancellation(raw)) return undefined;
  const error = classify(raw);
  return error.category === 'unknown' && isProgrammingError(raw) ? undefined : error;
}

const MISTAKES = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError']);

/** A mistake of the program. By name, so that it holds across realms. */
export function isProgrammingError(raw: unknown): boolean {
  return raw instanceof Error ? MISTAKES.has(raw.name) : false;
}

/** What platforms throw when the caller aborts. */
export function isCancellation(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && 'name' in raw && raw.name === 'AbortError';
}
