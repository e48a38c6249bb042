import type { AnyDeviceCloudError } from '@faultmap/core';
import { loudnessInRecord } from './level-in-record.ts';
import { loudnessInText } from './level-in-text.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Marks of an answer or an exception of the cloud, which no sentence of a program has by chance. */
const PAYLOAD =
  /[eE]rrorCode"?\s*:|"(?:ExceptionMessage|Message|trackingId)"\s*:|\bTracking ?ID:|\.Exceptions\.\w+Exception/;

/** Whether an entry was logged at INFO or below. */
export function isQuiet(text: string, record: Fields | undefined): boolean {
  return (record ? loudnessInRecord(record) : loudnessInText(text)) === 'quiet';
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
