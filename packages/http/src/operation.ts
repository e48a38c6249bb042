import { redact } from '@faultmap/core/adapter';
import type { InternalAxiosRequestConfig } from 'axios';
import { barePath } from './pacer-key.ts';

/** Longest path in a message. */
const MAX_PATH = 200;

/**
 * What a request does, where the program does not say it: `GET /twins/pump-7`. Method and path, so
 * that the device is named; neither host nor query, which may hold credentials. Not masked yet: an
 * error does that for its `operation`.
 */
export function describe(config: InternalAxiosRequestConfig): string {
  const path = barePath(config) || '/';
  const method = (config.method ?? 'get').toUpperCase();
  return `${method} ${path.length > MAX_PATH || /\s/.test(path) ? inOneLine(path) : path}`;
}

/** Masked before it is cut, so that no half of a secret is left. */
function inOneLine(path: string): string {
  const line = redact(path).replace(/\s+/g, '%20');
  return line.length > MAX_PATH ? `${line.slice(0, MAX_PATH - 1)}…` : line;
}
