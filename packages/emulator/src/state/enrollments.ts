import { createHmac, randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { CloudFault } from './fault.ts';
import { type Identities, type IdentitySettings, makeKey } from './identities.ts';

export interface EnrollmentSpec {
  readonly registrationId: string;
  /** Base64; made when missing, except for an enrolment by certificate. */
  readonly symmetricKey?: string | undefined;
  /** Enrolled by a certificate instead: its SHA-1 or SHA-256 thumbprint in hex. The device gets it too. */
  readonly x509Thumbprint?: string | undefined;
  /** Device it becomes. Default: the registration id. */
  readonly deviceId?: string | undefined;
  /** Answer the registration as failed, with this number and text (they come inside a 200). */
  readonly fails?: { readonly errorCode: number; readonly errorMessage: string } | undefined;
  /** Answer the registration as disabled (inside a 200 too). Default false. */
  readonly disabled?: boolean | undefined;
}

/** How a registration stands (iot-mqtt-connect-to-iot-dps). */
export type RegistrationStatus = 'assigning' | 'assigned' | 'failed' | 'disabled';

export interface RegistrationState {
  readonly registrationId: string;
  readonly createdDateTimeUtc: string;
  readonly assignedHub?: string;
  readonly deviceId?: string;
  readonly status: RegistrationStatus;
  readonly substatus?: string;
  readonly errorCode?: number;
  readonly errorMessage?: string;
  readonly lastUpdatedDateTimeUtc: string;
  readonly etag: string;
}

/** Answer of register and of its status (DPS device API). */
export interface RegistrationAnswer {
  readonly operationId: string;
  readonly status: RegistrationStatus;
  readonly registrationState?: RegistrationState;
}

/** Polls of one registration that are answered within a while (iot-dps-limits: 5 polls per 10 s per device). */
const MOST_POLLS = 5;
const POLLS_WITHIN_MS = 10_000;

interface Operation {
  readonly registrationId: string;
  /** When it was asked for lately, in ms since the epoch. */
  polledAt: number[];
  pollsLeft: number;
  /** How it ended, once it has. */
  state?: RegistrationState;
}

export interface EnrollmentSetup {
  readonly clock: Clock;
  readonly identities: Identities;
  readonly assignedHub: () => string;
  readonly enrollments: readonly EnrollmentSpec[];
  /** Key of an enrolment group: keys of its devices are derived from it (HMAC of the id). */
  readonly groupKey?: string | undefined;
  /** Status polls answered `assigning` before the result. Default 0. */
  readonly polls?: number | undefined;
  /** How long clients are asked to wait between polls, in s. Default 3, as the cloud says. */
  readonly retryAfterS?: number | undefined;
}

const RETRY_AFTER_S = 3;

/** Enrolments of the provisioning service, and registrations under way. */
export class Enrollments {
  readonly #setup: EnrollmentSetup;
  readonly #enrollments = new Map<string, EnrollmentSpec>();
  readonly #operations = new Map<string, Operation>();
  /** The last that was concluded, by registration. */
  readonly #states = new Map<string, RegistrationState>();

  constructor(setup: EnrollmentSetup) {
    this.#setup = setup;
    for (const spec of setup.enrollments) this.add(spec);
  }

  add(spec: EnrollmentSpec): EnrollmentSpec {
    const symmetricKey = spec.x509Thumbprint === undefined ? (spec.symmetricKey ?? makeKey()) : undefined;
    const enrollment = { ...spec, symmetricKey };
    this.#enrollments.set(spec.registrationId, enrollment);
    return enrollment;
  }

  /** The key a registration signs its token with; nothing when it is not enrolled. */
  keyFor(registrationId: string): string | undefined {
    const own = this.#enrollments.get(registrationId);
    if (own || !this.#setup.groupKey) return own?.symmetricKey;
    return createHmac('sha256', Buffer.from(this.#setup.groupKey, 'base64')).update(registrationId).digest('base64');
  }

  /** The certificate it registers with, where it has one instead of a key. */
  thumbprintFor(registrationId: string): string | undefined {
    return this.#enrollments.get(registrationId)?.x509Thumbprint;
  }

  isEnrolled(registrationId: string): boolean {
    return this.#enrollments.has(registrationId) || this.#setup.groupKey !== undefined;
  }

  /** What clients that poll are told to wait, in s. */
  get retryAfterS(): number {
    return this.#setup.retryAfterS ?? RETRY_AFTER_S;
  }

  /** @throws CloudFault enrollment-not-found */
  register(registrationId: string): RegistrationAnswer {
    if (!this.isEnrolled(registrationId)) throw new CloudFault('enrollment-not-found', { target: registrationId });
    // One registration of a device runs at a time: the map is bounded by the enrolments.
    for (const [id, one] of this.#operations) if (one.registrationId === registrationId) this.#operations.delete(id);
    const operationId = `4.${randomUUID().replaceAll('-', '')}.${randomUUID()}`;
    this.#operations.set(operationId, { registrationId, polledAt: [], pollsLeft: this.#setup.polls ?? 0 });
    return { operationId, status: 'assigning' };
  }

  /** Count a poll of an operation. @throws CloudFault throttled when it is asked for too often */
  pace(operationId: string): void {
    const operation = this.#operations.get(operationId);
    if (!operation) return;
    const now = this.#setup.clock.now();
    operation.polledAt = operation.polledAt.filter((at) => at > now - POLLS_WITHIN_MS);
    if (operation.polledAt.length >= MOST_POLLS) {
      throw new CloudFault('throttled', { target: operation.registrationId, retryAfterS: this.retryAfterS });
    }
    operation.polledAt.push(now);
  }

  /** @throws CloudFault enrollment-not-found for an operation that is not known */
  status(registrationId: string, operationId: string): RegistrationAnswer {
    const operation = this.#operations.get(operationId);
    if (!operation || operation.registrationId !== registrationId) {
      throw new CloudFault('enrollment-not-found', { target: registrationId });
    }
    if (operation.pollsLeft > 0) {
      operation.pollsLeft -= 1;
      return { operationId, status: 'assigning' };
    }
    operation.state ??= this.#conclude(registrationId);
    this.#states.set(registrationId, operation.state);
    return { operationId, status: operation.state.status, registrationState: operation.state };
  }

  /** How a registration stands that was concluded before. @throws CloudFault enrollment-not-found */
  lookup(registrationId: string): RegistrationState {
    const state = this.#states.get(registrationId);
    if (!state) throw new CloudFault('enrollment-not-found', { target: registrationId });
    return state;
  }

  #conclude(registrationId: string): RegistrationState {
    const enrollment = this.#enrollments.get(registrationId);
    const now = new Date(this.#setup.clock.now()).toISOString();
    const common = { registrationId, createdDateTimeUtc: now, lastUpdatedDateTimeUtc: now, etag: randomUUID() };
    if (enrollment?.fails) return { ...common, status: 'failed', ...enrollment.fails };
    if (enrollment?.disabled) return { ...common, status: 'disabled' };
    const deviceId = enrollment?.deviceId ?? registrationId;
    if (!this.#setup.identities.find({ deviceId })) {
      this.#setup.identities.create({ deviceId }, this.#credentialsOf(registrationId));
    }
    return {
      ...common,
      assignedHub: this.#setup.assignedHub(),
      deviceId,
      status: 'assigned',
      substatus: 'initialAssignment',
    };
  }

  /** The device goes on with what it registered with. */
  #credentialsOf(registrationId: string): IdentitySettings {
    const primaryThumbprint = this.thumbprintFor(registrationId);
    if (primaryThumbprint !== undefined) return { authenticationType: 'selfSigned', primaryThumbprint };
    const key = this.keyFor(registrationId);
    return { primaryKey: key, secondaryKey: key };
  }
}
