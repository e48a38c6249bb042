/*
 * Reading of values that may be anything: a hostile getter, a revoked proxy, a class of a client
 * library. Nothing here throws, nothing is written.
 */

/** `value[key]`, or `undefined` where that throws or there is nothing. */
export function get(value: unknown, key: string | symbol): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined;
  try {
    return (value as Record<string | symbol, unknown>)[key];
  } catch {
    return undefined; // a hostile getter or proxy
  }
}

export function getString(value: unknown, key: string): string | undefined {
  const found = get(value, key);
  return typeof found === 'string' ? found : undefined;
}

export function getNumber(value: unknown, key: string): number | undefined {
  const found = get(value, key);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

/** Is it an object (no function, no null)? */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** An error of this or another realm. */
export function isError(value: unknown): value is Error {
  if (!isObject(value)) return false;
  try {
    // Most of what is asked about is plain data, and asking for its tag is not cheap.
    if (Object.getPrototypeOf(value) === Object.prototype) return false;
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false; // a hostile proxy
  }
}

/** Run a reader; what it throws counts as "nothing seen". */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
