import type { InternalAxiosRequestConfig } from 'axios';
import { headerOf } from './idempotency.ts';

/** Headers to send instead of those that were refused, for instance `{ Authorization: … }`. */
export type HttpCredentials = Readonly<Record<string, string>>;

/**
 * Lay fresh credentials over the headers of a request.
 *
 * @returns were there any that had not just been refused?
 */
export function mergeCredentials(config: InternalAxiosRequestConfig, fresh: HttpCredentials | undefined): boolean {
  // A token alone would be spread into headers, letter by letter.
  if (fresh !== undefined && (typeof fresh !== 'object' || fresh === null || Array.isArray(fresh)))
    throw new TypeError(
      `attachHttp: option credentials: expected it to give an object of headers, got a ${typeof fresh}`,
    );
  let changed = false;
  for (const [name, value] of Object.entries(fresh ?? {})) {
    if (typeof value !== 'string' || headerOf(config, name) === value) continue;
    config.headers.set(name, value);
    // axios would write its own Authorization over this one
    if (name.toLowerCase() === 'authorization') delete config.auth;
    changed = true;
  }
  return changed;
}
