const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const IMF = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC850 = /^[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

/** More than three centuries is no wait but a mistake. */
const MAX_SECONDS = 9_999_999_999;

/**
 * How long to wait, in ms, from one value of `Retry-After` (RFC 9110, 10.2.3): seconds, or one of
 * the three HTTP dates; a fraction of seconds and an ISO date are understood as well. A date in the
 * past is 0. Of a header sent twice (`5, 10`) the longer counts: never earlier than asked.
 *
 * Strict on purpose: `1e3`, `0x10` and `-1` are no hints (seven libraries agree on 5 of 49 values).
 *
 * @param value - the header, or a number of seconds
 * @param now - ms since the epoch, for dates
 * @returns `undefined` where the value is no hint
 */
export function parseRetryAfter(value: unknown, now: number): number | undefined {
  if (Array.isArray(value)) return longest(value, now);
  if (typeof value === 'number') return value >= 0 && value <= MAX_SECONDS ? Math.ceil(value * 1000) : undefined;
  if (typeof value !== 'string' || value.length > 200) return undefined;
  const text = value.trim();
  if (/^\d{1,10}(?:\.\d{1,6})?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const until = parseHttpDate(text);
  if (until !== undefined) return Math.max(0, until - now);
  // A comma is part of a date too, so lists are tried last.
  return text.includes(',') && !/[a-z]/i.test(text) ? longest(text.split(','), now) : undefined;
}

/** A wait given in ms (`retry-after-ms`, `x-ms-retry-after-ms`). */
export function parseRetryAfterMs(value: unknown): number | undefined {
  const ms =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\s*\d{1,12}\s*$/.test(value)
        ? Number(value)
        : -1;
  return ms >= 0 && Number.isFinite(ms) ? Math.ceil(ms) : undefined;
}

/** "Wait 10 seconds and try again": IoT Hub writes its wait in prose (azure-iot-sdk-csharp#1189). */
export function retryAfterInProse(text: string): number | undefined {
  const match =
    /\b(?:wait|retry|try again)(?: again)?(?: for| after| in)? (\d{1,6}) ?(ms\b|milliseconds?|s\b|sec(?:ond)?s?|min(?:ute)?s?)/i.exec(
      text,
    );
  if (!match) return retryAfterHeaderIn(text);
  const unit = match[2]?.toLowerCase() ?? '';
  return (
    Number(match[1]) * (unit.startsWith('ms') || unit.startsWith('milli') ? 1 : unit.startsWith('m') ? 60_000 : 1000)
  );
}

/** `Retry-After: 30` in a dump of headers, `&retry-after=3` of a topic: seconds. */
function retryAfterHeaderIn(text: string): number | undefined {
  const seconds = /\bretry-after(?:\\{0,8}["'])? ?[:=] ?(?:\\{0,8}["'])?(\d{1,6})(?![\w.:/-])/i.exec(text)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** An HTTP date (RFC 9110, 5.6.7) as ms since the epoch, whatever the time zone of this machine. */
export function parseHttpDate(text: string): number | undefined {
  const imf = IMF.exec(text);
  if (imf) return utc(Number(imf[3]), imf[2], Number(imf[1]), imf[4], imf[5], imf[6]);
  const asc = ASCTIME.exec(text);
  if (asc) return utc(Number(asc[6]), asc[1], Number(asc[2]), asc[3], asc[4], asc[5]);
  const old = RFC850.exec(text);
  // Two digits: a year more than 50 years ahead is of the past century. No clock of ours reaches 2070.
  if (old)
    return utc(Number(old[3]) + (Number(old[3]) >= 70 ? 1900 : 2000), old[2], Number(old[1]), old[4], old[5], old[6]);
  if (!ISO.test(text)) return undefined;
  const iso = Date.parse(text);
  return Number.isNaN(iso) ? undefined : iso;
}

function utc(
  year: number,
  month: string | undefined,
  day: number,
  ...time: (string | undefined)[]
): number | undefined {
  const index = MONTHS.indexOf(month?.toLowerCase() ?? '');
  const [hours = 0, minutes = 0, seconds = 0] = time.map(Number);
  if (index < 0 || day < 1 || day > 31 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
  return Date.UTC(year, index, day, hours, minutes, seconds);
}

function longest(values: readonly unknown[], now: number): number | undefined {
  const waits = values.slice(0, 16).map((one) => (Array.isArray(one) ? undefined : parseRetryAfter(one, now)));
  if (waits.length === 0 || waits.includes(undefined)) return undefined;
  return Math.max(...(waits as number[]));
}
