import type { AnyDeviceCloudError } from '@faultmap/core';

type Fields = Readonly<Record<string, unknown>>;

/** A level where loggers write it: after time, thread and logger's name, or as a field. */
const QUIET =
  /^(?:[\s\d\-:.,TZ+|/]|\[[^\]\n]{0,60}\](?!:)|[a-z_][\w.]{0,60} - )*?\[?(?:(?:INFO|INF|DEBUG|DBG|TRACE|TRC|VERBOSE)\b|(?:info|debug|trace|dbug|trce|inf|dbg)(?:\]|:))|^[^\n]{0,80}?\blevel=["']?(?:info|debug|trace)\b/;
const QUIET_NAME = /^(?:info|information|informational|debug|trace|verbose|silly)$/i;
/** Marks of an answer or an exception of the cloud, which no sentence of a program has by chance. */
const PAYLOAD =
  /[eE]rrorCode"?\s*:|"(?:ExceptionMessage|Message|trackingId)"\s*:|\bTracking ?ID:|\.Exceptions\.\w+Exception/;

/** Whether an entry was logged at INFO or below. */
export function isQuiet(text: string, record: Fields | undefined): boolean {
  if (!record) return QUIET.test(text.slice(0, 300));
  const level = record.level ?? record.severity ?? record.Level;
  // Numbers are those of pino and bunyan: 30 is info.
  return typeof level === 'number' ? level >= 10 && level <= 30 : typeof level === 'string' && QUIET_NAME.test(level);
}

/** Whether a conclusion rests on words or a bare status alone: nothing else in the entry tells of a fault. */
export function restsOnWords(error: AnyDeviceCloudError, text: string, record: Fields | undefined): boolean {
  if (error.code !== undefined || error.condition !== undefined) return false;
  if (/^E[A-Z_]{4,}$/.test(error.reason ?? '') || PAYLOAD.test(text)) return false;
  return !holdsError(record);
}

/** Whether a record has an error as a field of its own. */
export function holdsError(record: Fields | undefined): boolean {
  return [record?.err, record?.error, record?.exception].some((one) => typeof one === 'object' && one !== null);
}
