import { expect } from 'vitest';

/** Ask until it is so: longer than vitest's second, since tests share a machine. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { timeout: 10_000 });
}
