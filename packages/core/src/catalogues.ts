import { dps } from './catalogue/dps.ts';
import { iotHub } from './catalogue/iot-hub.ts';
import type { Catalogue } from './catalogue/types.ts';
import type { EvidenceFields } from './evidence.ts';

/** The built-in catalogues, the hub's first: six-digit numbers mean the same in both where they meet. */
export const builtInCatalogues: readonly Catalogue[] = [iotHub, dps];
const PROVISIONING_FIRST: readonly Catalogue[] = [dps, iotHub];

/** The user's own first; then the service that answered, where the form tells which. */
export function cataloguesFor(seen: EvidenceFields, own: readonly Catalogue[]): readonly Catalogue[] {
  const builtIn = seen.service === 'dps' ? PROVISIONING_FIRST : builtInCatalogues;
  return own.length === 0 ? builtIn : [...own, ...builtIn];
}
