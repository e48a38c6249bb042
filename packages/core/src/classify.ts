import { iotHub } from './catalogue/iot-hub.ts';
import type { Catalogue } from './catalogue/types.ts';
import { isDeviceCloudError } from './error.ts';
import { type AnyDeviceCloudError, makeError } from './errors.ts';
import { type Evidence, evidence, isEvidence, type Reader } from './evidence.ts';
import { judge } from './precedence.ts';

export interface ClassifyContext {
  /** Asked before core's own wire readers; an attachment passes its own. */
  readonly readers?: readonly Reader[] | undefined;
  /** Searched before the built-in ones. */
  readonly catalogues?: readonly Catalogue[] | undefined;
  /** What the program was doing, for messages. */
  readonly operation?: string | undefined;
}

/**
 * Turn anything a device-cloud client raised into one typed error. Total: never throws.
 */
export function classify(input: unknown, context: ClassifyContext = {}): AnyDeviceCloudError {
  if (isDeviceCloudError(input)) return input;
  const seen = isEvidence(input) ? input : read(input, context.readers ?? []);
  const verdict = judge(seen, context.catalogues ?? [iotHub]);
  return makeError(verdict.category, { ...verdict.fields, operation: context.operation });
}

function read(input: unknown, readers: readonly Reader[]): Evidence {
  for (const reader of readers) {
    const seen = reader(input);
    if (seen) return seen;
  }
  return evidence({ cause: input });
}
