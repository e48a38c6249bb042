import type { InternalAxiosRequestConfig } from 'axios';
import { targetOf } from './idempotency.ts';

const READS: ReadonlySet<string> = new Set(['get', 'head', 'options', 'query']);

/**
 * Host, read or write, first segment of the path: a cloud throttles its registry, its twins and
 * its telemetry apart. Nothing of the query, which may hold a signature.
 */
export function pacerKeyOf(config: InternalAxiosRequestConfig): string {
  const target = targetOf(config);
  const kind = READS.has((config.method ?? 'get').toLowerCase()) ? 'read' : 'write';
  return `http ${target?.host ?? ''} ${kind} ${target?.pathname.split('/', 2)[1] ?? ''}`;
}
