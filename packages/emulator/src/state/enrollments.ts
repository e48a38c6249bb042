import { createHmac, randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { CloudFault } from './fault.ts';
import { type Identities, makeKey } from './identities.ts';

export interface EnrollmentSpec {
  readonly registrationId: string;
  /** Base64; made when missing. */
  readonly symmetricKey?: string | undefined;
  /** Device it becomes. Default: the registration id. */
  readonly deviceId?: string | undefined;
  /** Answer the registration as failed, with this number and text (they come inside a 200). */
  readonly fails?: { readonly errorCode: number; readonly errorMessage: string } | undefined;
}

interface Enrollment extends EnrollmentSpec {
  readonly symmetricKey: string;
}

export interface RegistrationState {
  readonly registrationId: string;
  readonly createdDateTimeUtc: string;
  readonly assignedHub?: string;
  readonly deviceId?: string;
  readonly status: 'assigning' | 'assigned' | 'failed';
  readonly substatus?: string;
  readonly errorCode?: number;
  readonly errorMessage?: string;
  readonly lastUpdatedDateTimeUtc: string;
  readonly etag: string;
}

/** Answer of register and of its status (DPS device API). */
export interface RegistrationAnswer {
  readonly operationId: string;
  readonly status: 'assigning' | 'assigned' | 'failed';
  readonly registrationState?: RegistrationState;
}

interface Operation {
  readonly registrationId: string;
  pollsLeft: number;
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
}

/** Enrolments of the provisioning service, and registrations under way. */
export class Enrollments {
  readonly #setup: EnrollmentSetup;
  readonly #enrollments = new Map<string, Enrollment>();
  readonly #operations = new Map<string, Operation>();

  constructor(setup: EnrollmentSetup) {
    this.#setup = setup;
    for (const spec of setup.enrollments) this.add(spec);
  }

  add(spec: EnrollmentSpec): Enrollment {
    const enrollment = { ...spec, symmetricKey: spec.symmetricKey ?? makeKey() };
    this.#enrollments.set(spec.registrationId, enrollment);
    return enrollment;
  }

  /** The key a registration signs its token with; nothing when it is not enrolled. */
  keyFor(registrationId: string): string | undefined {
    const own = this.#enrollments.get(registrationId)?.symmetricKey;
    if (own || !this.#setup.groupKey) return own;
    return createHmac('sha256', Buffer.from(this.#setup.groupKey, 'base64')).update(registrationId).digest('base64');
  }

  /** @throws CloudFault enrollment-not-found */
  register(registrationId: string): RegistrationAnswer {
    if (this.keyFor(registrationId) === undefined)
      throw new CloudFault('enrollment-not-found', { target: registrationId });
    // One registration of a device runs at a time: the map is bounded by the enrolments.
    for (const [id, one] of this.#operations) if (one.registrationId === registrationId) this.#operations.delete(id);
    const operationId = `4.${randomUUID().replaceAll('-', '')}.${randomUUID()}`;
    this.#operations.set(operationId, { registrationId, pollsLeft: this.#setup.polls ?? 0 });
    return { operationId, status: 'assigning' };
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
    const state = this.#conclude(registrationId);
    return { operationId, status: state.status, registrationState: state };
  }

  #conclude(registrationId: string): RegistrationState {
    const enrollment = this.#enrollments.get(registrationId);
    const now = new Date(this.#setup.clock.now()).toISOString();
    const common = { registrationId, createdDateTimeUtc: now, lastUpdatedDateTimeUtc: now, etag: randomUUID() };
    if (enrollment?.fails) return { ...common, status: 'failed', ...enrollment.fails };
    const deviceId = enrollment?.deviceId ?? registrationId;
    if (!this.#setup.identities.find({ deviceId })) {
      const key = this.keyFor(registrationId);
      this.#setup.identities.create({ deviceId }, { primaryKey: key, secondaryKey: key });
    }
    return {
      ...common,
      assignedHub: this.#setup.assignedHub(),
      deviceId,
      status: 'assigned',
      substatus: 'initialAssignment',
    };
  }
}
