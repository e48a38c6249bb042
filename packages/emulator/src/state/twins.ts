import type { Clock } from './clock.ts';
import { holds } from './etag.ts';
import { CloudFault } from './fault.ts';
import type { Identities } from './identities.ts';
import { type Identity, keyOf } from './identity.ts';
import { isJsonObject, type JsonObject, mergePatch } from './json.ts';
import { Signal } from './signal.ts';

/** Limits of a twin's sections, in bytes of JSON (devguide-quotas-throttling). */
const TAGS_LIMIT = 8 * 1024;
const PROPERTIES_LIMIT = 32 * 1024;

export interface TwinRecord {
  tags: JsonObject;
  desired: JsonObject;
  desiredVersion: number;
  reported: JsonObject;
  reportedVersion: number;
  version: number;
  etag: string;
  updatedAt: number;
}

/** What a service may change of a twin. */
export interface TwinChange {
  readonly tags?: unknown;
  readonly desired?: unknown;
}

/** Twins of devices and modules; made when first asked for, gone with their identity. */
export class Twins {
  /** Desired properties changed; `patch` holds `$version`. */
  readonly desiredChanged = new Signal<{ identity: Identity; patch: JsonObject; version: number }>();
  readonly #clock: Clock;
  readonly #identities: Identities;
  readonly #records = new Map<string, TwinRecord>();

  constructor(clock: Clock, identities: Identities) {
    this.#clock = clock;
    this.#identities = identities;
    identities.ended.on(({ identity, why }) => {
      if (why === 'removed') this.#records.delete(keyOf(identity));
    });
  }

  /** @throws CloudFault device-not-found, module-not-found */
  get(identity: Identity): TwinRecord {
    this.#identities.get(identity);
    const key = keyOf(identity);
    let record = this.#records.get(key);
    if (!record) {
      record = {
        tags: {},
        desired: {},
        desiredVersion: 1,
        reported: {},
        reportedVersion: 1,
        version: 1,
        etag: twinEtag(1),
        updatedAt: this.#clock.now(),
      };
      this.#records.set(key, record);
    }
    return record;
  }

  /** What a device reads of its own twin. */
  forDevice(identity: Identity): { desired: JsonObject; reported: JsonObject } {
    const twin = this.get(identity);
    return {
      desired: { ...twin.desired, $version: twin.desiredVersion },
      reported: { ...twin.reported, $version: twin.reportedVersion },
    };
  }

  /**
   * A service changes tags and desired properties: merged, or replaced as a whole.
   *
   * @throws CloudFault not-found, precondition-failed, argument-invalid
   */
  change(
    identity: Identity,
    change: TwinChange,
    how: { replace?: boolean; ifMatch?: string | undefined } = {},
  ): TwinRecord {
    const twin = this.get(identity);
    if (!holds(twin.etag, how.ifMatch)) throw new CloudFault('precondition-failed', { target: keyOf(identity) });
    const tags = this.#next(twin.tags, change.tags, how.replace, 'tags', TAGS_LIMIT);
    const desired = this.#next(twin.desired, change.desired, how.replace, 'properties.desired', PROPERTIES_LIMIT);
    twin.tags = tags;
    if (isJsonObject(change.desired)) {
      twin.desired = desired;
      twin.desiredVersion += 1;
    }
    this.#touch(twin);
    if (isJsonObject(change.desired)) {
      const patch = { ...change.desired, $version: twin.desiredVersion };
      this.desiredChanged.emit({ identity, patch, version: twin.desiredVersion });
    }
    return twin;
  }

  /** A device reports; returns the new version. @throws CloudFault argument-invalid */
  report(identity: Identity, patch: unknown): number {
    const twin = this.get(identity);
    if (!isJsonObject(patch))
      throw new CloudFault('argument-invalid', { text: 'Reported properties are not an object' });
    twin.reported = this.#next(twin.reported, patch, false, 'properties.reported', PROPERTIES_LIMIT);
    twin.reportedVersion += 1;
    this.#touch(twin);
    return twin.reportedVersion;
  }

  #next(old: JsonObject, given: unknown, replace: boolean | undefined, name: string, limit: number): JsonObject {
    if (given === undefined || given === null) return replace && given === null ? {} : old;
    if (!isJsonObject(given)) throw new CloudFault('argument-invalid', { text: `${name} is not an object` });
    // Checked before the merge, which walks as deep as the patch goes.
    if (JSON.stringify(given).length > limit) {
      throw new CloudFault('argument-invalid', { text: `${name} is larger than ${limit} bytes` });
    }
    const { $version: _version, $metadata: _metadata, ...patch } = given;
    const next = mergePatch(replace ? {} : old, patch);
    if (JSON.stringify(next).length > limit) {
      throw new CloudFault('argument-invalid', { text: `${name} is larger than ${limit} bytes` });
    }
    return next;
  }

  #touch(twin: TwinRecord): void {
    twin.version += 1;
    twin.etag = twinEtag(twin.version);
    twin.updatedAt = this.#clock.now();
  }
}

/** Twin ETags are base64 of an eight-byte counter, for instance `AAAAAAAAAAE=`. */
function twinEtag(version: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(version));
  return bytes.toString('base64');
}
