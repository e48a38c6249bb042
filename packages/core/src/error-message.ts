import type { Category } from './categories.ts';
import type { ErrorFields } from './error.ts';
import { isPlain, redact } from './redact.ts';

/** Said before the fix of an error that may be the caller's own doing. */
export const EARLIER_ATTEMPT =
  'An earlier attempt of this operation may have done it: read the resource before anything else.';

/** SAS tokens hold for clocks that are at most five minutes apart. */
export function clockNote(category: Category, skewMs: number | undefined): string | undefined {
  if (category !== 'unauthorized' || skewMs === undefined || Math.abs(skewMs) <= 300_000) return undefined;
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return `The clock of this machine is ${minutes} minutes ${skewMs > 0 ? 'ahead of' : 'behind'} the cloud's: set it right first.`;
}

/** Longest `detail`: a text for people, not a log. */
const MAX_DETAIL = 4096;

/** Redacted before it is cut, so that no half of a secret is left over. */
export function shortened(detail: string): string {
  const text = redact(detail.length > 2 * MAX_DETAIL ? detail.slice(0, 2 * MAX_DETAIL) : detail);
  return text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL - 1)}…` : text;
}

/** `[404103 DeviceNotOnline] registry.get: Timed out …`: most important first, one line. */
export function headline({ code, operation }: ErrorFields, reason: string, detail: string | undefined): string {
  const label = code === undefined ? `[${reason}]` : `[${code} ${reason}]`;
  const start = operation ? `${label} ${redact(operation)}${detail ? ':' : ''}` : label;
  return detail ? `${start} ${detail}` : start;
}

/** Longest `detail` in a message. */
const MAX_LINE = 200;

export function oneLine(detail: string): string {
  const words = /[\t\r\n]| {2}/.test(detail) ? detail.slice(0, 1000).replace(/\s+/g, ' ').trim() : detail;
  return words.length > MAX_LINE ? `${words.slice(0, MAX_LINE - 1)}…` : words;
}

/** Nothing to mask, to cut or to unwrap: so are most texts of the cloud. */
export function isPlainLine(detail: string): boolean {
  return detail.length <= MAX_LINE && isPlain(detail) && !detail.includes('  ');
}
