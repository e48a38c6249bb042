import { redact } from '@faultmap/core/adapter';
import type { InternalAxiosRequestConfig } from 'axios';
import { barePath } from './pacer-key.ts';

/** Longest path in a message. */
const MAX_PATH = 200;

/**
 * What a request does, where the program does not say it: `GET /twins/pump-7`. Method and path, so
 * that the device is named; neither host nor query, which may hold credentials.
 */
export function describe(config: InternalAxiosRequestConfig): string {
  const path = redact(barePath(config)).replace(/\s+/g, '%20');
  const short = path.length > MAX_PATH ? `${path.slice(0, MAX_PATH - 1)}…` : path;
  return `${(config.method ?? 'get').toUpperCase()} ${short || '/'}`;
}
