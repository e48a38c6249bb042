import { type AnyDeviceCloudError, fromJSON } from '@faultmap/core';

/** Where loggers put the error of a record. */
const PLACES = ['err', 'error', 'exception'] as const;

/** An error that faultmap made and somebody logged as JSON: itself, or in a field of a record. */
export function ownError(record: unknown): AnyDeviceCloudError | undefined {
  if (typeof record !== 'object' || record === null) return undefined;
  const fields = record as Readonly<Record<string, unknown>>;
  for (const one of [fields, ...PLACES.map((place) => fields[place])]) {
    if (typeof one !== 'object' || one === null || !('category' in one) || !('advice' in one)) continue;
    try {
      return fromJSON(one as Parameters<typeof fromJSON>[0]);
    } catch {
      // Alike, and yet none of ours.
    }
  }
  return undefined;
}
