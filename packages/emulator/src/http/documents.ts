import type { Cloud } from '../state/cloud.ts';
import type { IdentityRecord, IdentitySettings } from '../state/identities.ts';
import { isJsonObject, type Json, type JsonObject } from '../state/json.ts';
import type { TwinRecord } from '../state/twins.ts';

/** The cloud's way to say never. */
const NEVER = '0001-01-01T00:00:00Z';

/** Times formatted before: they change rarely, and formatting costs more than the rest of a document. */
const FORMATTED = new Map<number, string>();
const FORMATTED_LIMIT = 10_000;

function timeOf(at: number | undefined): string {
  if (at === undefined) return NEVER;
  const known = FORMATTED.get(at);
  if (known) return known;
  const text = new Date(at).toISOString();
  if (FORMATTED.size >= FORMATTED_LIMIT) FORMATTED.clear();
  FORMATTED.set(at, text);
  return text;
}

/** A document as JSON, with all that was in it. */
interface Written {
  readonly record: IdentityRecord;
  readonly connected: boolean;
  readonly depth: number;
  readonly text: string;
}

const WRITTEN = new WeakMap<IdentityRecord, Written>();

/** {@link identityDocument} as JSON; written again only when something in it has changed. */
export function identityText(record: IdentityRecord, cloud: Cloud): string {
  const connected = cloud.connections.current(record) !== undefined;
  const depth = cloud.queues.depth(record.deviceId);
  const last = WRITTEN.get(record);
  if (last && last.connected === connected && last.depth === depth && isSame(last.record, record)) return last.text;
  const text = JSON.stringify(identityDocument(record, cloud));
  WRITTEN.set(record, { record: { ...record }, connected, depth, text });
  return text;
}

function isSame(before: IdentityRecord, now: IdentityRecord): boolean {
  for (const name in now) {
    if (before[name as keyof IdentityRecord] !== now[name as keyof IdentityRecord]) return false;
  }
  return true;
}

/** A device or module as the registry answers it (service REST, api-version 2021-04-12). */
export function identityDocument(record: IdentityRecord, cloud: Cloud): JsonObject {
  const isDevice = record.moduleId === undefined;
  const { primaryThumbprint, secondaryThumbprint, authenticationType: type } = record;
  // One literal, then single additions: a spread costs more than all the rest of a request.
  const document: JsonObject = {
    deviceId: record.deviceId,
    generationId: record.generationId,
    etag: record.etag,
    connectionState: cloud.connections.current(record) ? 'Connected' : 'Disconnected',
    connectionStateUpdatedTime: timeOf(record.connectionUpdatedAt),
    lastActivityTime: timeOf(record.lastActivityAt),
    cloudToDeviceMessageCount: isDevice ? cloud.queues.depth(record.deviceId) : 0,
    authentication: {
      symmetricKey: {
        primaryKey: type === 'sas' ? record.primaryKey : null,
        secondaryKey: type === 'sas' ? record.secondaryKey : null,
      },
      x509Thumbprint: { primaryThumbprint, secondaryThumbprint },
      type,
    },
  };
  if (record.moduleId !== undefined) {
    document.moduleId = record.moduleId;
    document.managedBy = record.managedBy;
    return document;
  }
  document.status = record.status;
  document.statusReason = record.statusReason;
  document.statusUpdatedTime = timeOf(record.statusUpdatedAt);
  document.capabilities = { iotEdge: record.iotEdge };
  return document;
}

/** A twin as the service reads it. */
export function twinDocument(record: IdentityRecord, twin: TwinRecord, cloud: Cloud): JsonObject {
  const $metadata = { $lastUpdated: timeOf(twin.updatedAt) };
  return {
    deviceId: record.deviceId,
    ...(record.moduleId === undefined ? {} : { moduleId: record.moduleId }),
    etag: twin.etag,
    deviceEtag: record.etag,
    status: record.status,
    statusUpdateTime: timeOf(record.statusUpdatedAt),
    connectionState: cloud.connections.current(record) ? 'Connected' : 'Disconnected',
    lastActivityTime: timeOf(record.lastActivityAt),
    cloudToDeviceMessageCount: record.moduleId === undefined ? cloud.queues.depth(record.deviceId) : 0,
    authenticationType: record.authenticationType,
    x509Thumbprint: { primaryThumbprint: record.primaryThumbprint, secondaryThumbprint: record.secondaryThumbprint },
    modelId: '',
    version: twin.version,
    tags: twin.tags,
    properties: {
      desired: { ...twin.desired, $metadata, $version: twin.desiredVersion },
      reported: { ...twin.reported, $metadata, $version: twin.reportedVersion },
    },
    capabilities: { iotEdge: record.iotEdge },
  };
}

/** What a registry request sets. */
export function settingsIn(document: JsonObject): IdentitySettings {
  const authentication = isJsonObject(document.authentication) ? document.authentication : {};
  const keys = isJsonObject(authentication.symmetricKey) ? authentication.symmetricKey : {};
  const thumbprints = isJsonObject(authentication.x509Thumbprint) ? authentication.x509Thumbprint : {};
  const capabilities = isJsonObject(document.capabilities) ? document.capabilities : {};
  return {
    primaryKey: text(keys.primaryKey),
    secondaryKey: text(keys.secondaryKey),
    status: document.status === 'enabled' || document.status === 'disabled' ? document.status : undefined,
    statusReason: text(document.statusReason),
    authenticationType: authenticationType(authentication.type),
    primaryThumbprint: text(thumbprints.primaryThumbprint),
    secondaryThumbprint: text(thumbprints.secondaryThumbprint),
    iotEdge: typeof capabilities.iotEdge === 'boolean' ? capabilities.iotEdge : undefined,
    managedBy: text(document.managedBy),
  };
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function authenticationType(value: Json | undefined): IdentitySettings['authenticationType'] {
  return value === 'sas' || value === 'selfSigned' || value === 'certificateAuthority' || value === 'none'
    ? value
    : undefined;
}
