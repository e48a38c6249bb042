import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';
import { etagOf, holds } from './etag.ts';
import { CloudFault } from './fault.ts';
import { type Identity, isValidId, keyOf } from './identity.ts';
import { Signal } from './signal.ts';

export type DeviceStatus = 'enabled' | 'disabled';
export type AuthenticationType = 'sas' | 'selfSigned' | 'certificateAuthority' | 'none';

/** What can be set of a device or module. */
export interface IdentitySettings {
  readonly primaryKey?: string | undefined;
  readonly secondaryKey?: string | undefined;
  readonly status?: DeviceStatus | undefined;
  readonly statusReason?: string | null | undefined;
  readonly authenticationType?: AuthenticationType | undefined;
  readonly primaryThumbprint?: string | undefined;
  readonly secondaryThumbprint?: string | undefined;
  readonly iotEdge?: boolean | undefined;
  readonly managedBy?: string | undefined;
}

export interface IdentityRecord extends Identity {
  readonly generationId: string;
  etag: string;
  primaryKey: string;
  secondaryKey: string;
  status: DeviceStatus;
  statusReason: string | null;
  statusUpdatedAt: number | undefined;
  authenticationType: AuthenticationType;
  primaryThumbprint: string | null;
  secondaryThumbprint: string | null;
  iotEdge: boolean;
  managedBy: string | null;
  connectionUpdatedAt: number | undefined;
  lastActivityAt: number | undefined;
}

/** Keys of the emulator are as long as the cloud's: 32 bytes, base64. */
export function makeKey(): string {
  return randomBytes(32).toString('base64');
}

/** The identity registry: devices and their modules. */
export class Identities {
  /** An identity is gone or may no longer connect. */
  readonly ended = new Signal<{ identity: Identity; why: 'removed' | 'disabled' }>();
  readonly #clock: Clock;
  readonly #records = new Map<string, IdentityRecord>();
  #generation = 0n;
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws CloudFault device-already-exists, module-already-exists, device-not-found (of a module), argument-invalid */
  create(identity: Identity, settings: IdentitySettings = {}): IdentityRecord {
    if (!isValidId(identity.deviceId) || (identity.moduleId !== undefined && !isValidId(identity.moduleId))) {
      throw new CloudFault('argument-invalid', { text: 'The id is empty, too long or holds a character it may not' });
    }
    if (identity.moduleId !== undefined) this.get({ deviceId: identity.deviceId });
    const key = keyOf(identity);
    if (this.#records.has(key)) {
      throw new CloudFault(identity.moduleId === undefined ? 'device-already-exists' : 'module-already-exists', {
        target: key,
      });
    }
    this.#generation = maxOf(this.#generation + 1n, BigInt(Math.trunc(this.#clock.now())) * 1_000_000n);
    const record: IdentityRecord = {
      deviceId: identity.deviceId,
      ...(identity.moduleId === undefined ? {} : { moduleId: identity.moduleId }),
      generationId: String(this.#generation),
      etag: this.#nextEtag(),
      primaryKey: settings.primaryKey || makeKey(),
      secondaryKey: settings.secondaryKey || makeKey(),
      status: settings.status ?? 'enabled',
      statusReason: settings.statusReason ?? null,
      statusUpdatedAt: undefined,
      authenticationType: settings.authenticationType ?? 'sas',
      primaryThumbprint: settings.primaryThumbprint ?? null,
      secondaryThumbprint: settings.secondaryThumbprint ?? null,
      iotEdge: settings.iotEdge ?? false,
      managedBy: settings.managedBy ?? null,
      connectionUpdatedAt: undefined,
      lastActivityAt: undefined,
    };
    this.#records.set(key, record);
    return record;
  }

  /** @throws CloudFault not-found, precondition-failed when `ifMatch` does not hold */
  update(identity: Identity, settings: IdentitySettings, ifMatch?: string): IdentityRecord {
    const record = this.get(identity);
    if (!holds(record.etag, ifMatch)) throw new CloudFault('precondition-failed', { target: keyOf(identity) });
    const disabled = settings.status === 'disabled' && record.status !== 'disabled';
    if (settings.status !== undefined && settings.status !== record.status) {
      record.status = settings.status;
      record.statusUpdatedAt = this.#clock.now();
    }
    if (settings.statusReason !== undefined) record.statusReason = settings.statusReason;
    if (settings.primaryKey) record.primaryKey = settings.primaryKey;
    if (settings.secondaryKey) record.secondaryKey = settings.secondaryKey;
    if (settings.authenticationType !== undefined) record.authenticationType = settings.authenticationType;
    if (settings.primaryThumbprint !== undefined) record.primaryThumbprint = settings.primaryThumbprint;
    if (settings.secondaryThumbprint !== undefined) record.secondaryThumbprint = settings.secondaryThumbprint;
    if (settings.iotEdge !== undefined) record.iotEdge = settings.iotEdge;
    if (settings.managedBy !== undefined) record.managedBy = settings.managedBy;
    record.etag = this.#nextEtag();
    if (disabled) this.ended.emit({ identity, why: 'disabled' });
    return record;
  }

  /** @throws CloudFault not-found, precondition-failed when `ifMatch` does not hold */
  remove(identity: Identity, ifMatch?: string): void {
    const record = this.get(identity);
    if (!holds(record.etag, ifMatch)) throw new CloudFault('precondition-failed', { target: keyOf(identity) });
    if (identity.moduleId === undefined) for (const module of this.modules(identity.deviceId)) this.remove(module);
    this.#records.delete(keyOf(identity));
    this.ended.emit({ identity: record, why: 'removed' });
  }

  /** @throws CloudFault device-not-found or module-not-found */
  get(identity: Identity): IdentityRecord {
    const record = this.find(identity);
    if (record) return record;
    const missing = identity.moduleId !== undefined && this.find({ deviceId: identity.deviceId });
    throw new CloudFault(missing ? 'module-not-found' : 'device-not-found', { target: keyOf(identity) });
  }

  find(identity: Identity): IdentityRecord | undefined {
    return this.#records.get(keyOf(identity));
  }

  /** Devices, without modules, in the order they were made. */
  devices(): IdentityRecord[] {
    return [...this.#records.values()].filter((record) => record.moduleId === undefined);
  }

  modules(deviceId: string): IdentityRecord[] {
    return [...this.#records.values()].filter(
      (record) => record.deviceId === deviceId && record.moduleId !== undefined,
    );
  }

  #nextEtag(): string {
    this.#version += 1;
    return etagOf(String(100_000_000 + this.#version));
  }
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
