import { CODE_OF } from '../forms/behaviour.ts';
import { codeForm } from '../forms/codes.ts';
import type { Cloud } from '../state/cloud.ts';
import { CloudFault } from '../state/fault.ts';
import { isJsonObject, type JsonObject } from '../state/json.ts';
import { settingsIn } from './documents.ts';
import type { HandlerAnswer } from './types.ts';

/** Devices in one bulk call (C# RegistryManager). */
const LIMIT = 100;

interface BulkError {
  readonly deviceId: string;
  readonly errorCode: number;
  readonly errorStatus: string;
}

/**
 * A bulk registry call: each entry by its own; failures are listed in the answer.
 *
 * @throws CloudFault too-many-devices, device-repeated, argument-invalid, throttled
 */
export function bulk(entries: readonly JsonObject[], cloud: Cloud): HandlerAnswer {
  if (entries.length === 0) throw new CloudFault('argument-invalid', { text: 'No devices are given' });
  if (entries.length > LIMIT) throw new CloudFault('too-many-devices');
  const ids = entries.map((entry) => `${String(entry.id)}/${String(entry.moduleId ?? '')}`);
  if (new Set(ids).size < ids.length) throw new CloudFault('device-repeated');
  cloud.throttles.take('registry', entries.length);
  const errors: BulkError[] = [];
  for (const entry of entries) {
    try {
      apply(entry, cloud);
    } catch (thrown) {
      errors.push(errorOf(String(entry.id), thrown));
    }
  }
  // 400 with the same document where some failed (service REST, BulkRegistryOperationResult).
  const failed = errors.length > 0;
  return {
    status: failed ? 400 : 200,
    ...(failed ? { headers: { 'iothub-errorcode': 'BulkRegistryOperationFailure' } } : {}),
    body: { isSuccessful: !failed, errors, warnings: [] },
  };
}

function apply(entry: JsonObject, cloud: Cloud): void {
  const deviceId = typeof entry.id === 'string' ? entry.id : '';
  const identity = typeof entry.moduleId === 'string' ? { deviceId, moduleId: entry.moduleId } : { deviceId };
  const mode = typeof entry.importMode === 'string' ? entry.importMode : 'createOrUpdate';
  const etag = /IfMatchETag$/i.test(mode) && typeof entry.eTag === 'string' ? entry.eTag : undefined;
  const settings = settingsIn(entry);
  const exists = cloud.identities.find(identity) !== undefined;
  if (/^delete/i.test(mode)) cloud.identities.remove(identity, etag);
  else if (/^update(IfMatchETag)?$/i.test(mode)) cloud.identities.update(identity, settings, etag);
  else if (/^createOrUpdate/i.test(mode) && exists) cloud.identities.update(identity, settings, etag);
  else if (/^create/i.test(mode)) cloud.identities.create(identity, settings);
  else if (/^updateTwin/i.test(mode)) cloud.identities.get(identity);
  else throw new CloudFault('argument-invalid', { text: 'importMode is not known' });
  cloud.log.executed('devices-bulk', deviceId);
  const properties = isJsonObject(entry.properties) ? entry.properties : {};
  const gone = /^delete/i.test(mode);
  if (!gone && (entry.tags !== undefined || properties.desired !== undefined)) {
    cloud.twins.change(identity, { tags: entry.tags, desired: properties.desired });
  }
}

function errorOf(deviceId: string, thrown: unknown): BulkError {
  const code = CODE_OF[thrown instanceof CloudFault ? thrown.fault : 'server-error'];
  return { deviceId, errorCode: code, errorStatus: codeForm(code).name ?? 'GenericBadRequest' };
}
