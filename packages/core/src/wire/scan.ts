import { MAX_TEXT } from '../limits.ts';
import type { Payload } from './payload.ts';
import { trackingIdOf } from './tracking-id.ts';

/*
 * Fields of JSON that does not parse: cut off by a logger, hard-wrapped by a console, in the middle
 * of a log line, quoted any number of times. Every expression below advances over what it matched,
 * so the work is linear in the text.
 */

const QUOTING = /\\+(?:[rnt]|u000[aAdD])?/g;
const KEYS = 'errorCode|trackingId|message|errorMessage|timestampUtc|registrationState|operationId';
/**
 * A field and its value, in the quotes of JSON or of Python; a value that is JSON again is met on its
 * own. Of a number that the text ends with, half may be missing.
 */
const FIELD = new RegExp(
  String.raw`["']\s{0,200}(${KEYS})["']\s{0,200}:\s{0,200}(?:[ub](?=["']))?(?:"(?!\s{0,20}[{[])([^"]{0,4000})"|'(?!\s{0,20}[{[])([^']{0,4000})'|(\d{6}(?!\d)|\d{3,7}(?=\D)))?`,
  'gi',
);

/** Take all quoting of JSON inside JSON off. */
export function unquote(text: string): string {
  return text.includes('\\') ? text.replace(QUOTING, (run) => (/[^\\]$/.test(run) ? ' ' : '')) : text;
}

/** Find what fields can still be read in a text that is not JSON as a whole. */
export function scan(given: string): Payload {
  const text = unquote(given.length > MAX_TEXT ? given.slice(0, MAX_TEXT) : given);
  const found: Payload = {};
  for (const [, key = '', double, single, digits] of text.matchAll(FIELD)) {
    const quoted = double ?? single;
    switch (key.toLowerCase()) {
      case 'errorcode':
        takeCode(digits ?? quoted, found);
        break;
      case 'trackingid':
        found.trackingId ??= trackingIdOf(quoted);
        break;
      case 'timestamputc':
        if (quoted !== undefined && quoted.length <= 60 && !/\s/.test(quoted)) found.timestamp ??= quoted;
        break;
      case 'message':
      case 'errormessage':
        // The last whole one is the innermost that is not cut.
        if (quoted && !quoted.includes('{')) found.text = quoted.replace(/\s+/g, ' ').trim();
        break;
      default:
        found.dps = true;
    }
  }
  return found;
}

/** Six digits are a code of the cloud; three are a status somebody wrapped around it. */
function takeCode(value: string | undefined, found: Payload): void {
  if (value === undefined) return;
  if (/^\d{3,7}$/.test(value)) {
    const code = Number(value);
    if (code >= 100 && (found.code === undefined || code > 99_999 || found.code <= 99_999)) found.code = code;
  } else if (/^[A-Za-z]\w{1,80}$/.test(value)) found.name ??= value;
}
