import { ActivityLog } from '../log.ts';
import { type Clock, CloudClock } from './clock.ts';
import { type ConnectionSpec, Connections, type DeviceConnection } from './connections.ts';
import { type EnrollmentSpec, Enrollments, type RegistrationAnswer } from './enrollments.ts';
import { type D2cEvent, type D2cInput, DeviceEvents } from './events.ts';
import { CloudFault } from './fault.ts';
import { Feedback } from './feedback.ts';
import { Identities } from './identities.ts';
import { type Identity, keyOf } from './identity.ts';
import { Jobs } from './jobs.ts';
import type { JsonObject } from './json.ts';
import { type MethodAnswer, type MethodInput, Methods } from './methods.ts';
import { type C2dInput, type C2dMessage, INPUT_LIMITS, type QueueLimits, Queues } from './queues.ts';
import { DailyQuota } from './quota.ts';
import { inputsFor, parseRoute, type Route } from './routes.ts';
import { type ThrottleOptions, Throttles } from './throttles.ts';
import { type TwinChange, type TwinRecord, Twins } from './twins.ts';
import { Uploads } from './uploads.ts';

export interface CloudSetup {
  readonly clock?: Clock | undefined;
  readonly throttle?: ThrottleOptions | false | undefined;
  readonly dailyMessages?: number | undefined;
  readonly queue?: Partial<QueueLimits> | undefined;
  readonly enrollments?: readonly EnrollmentSpec[] | undefined;
  readonly enrollmentGroupKey?: string | undefined;
  readonly registrationPolls?: number | undefined;
  readonly registrationRetryAfterS?: number | undefined;
  readonly hostName?: string | undefined;
  readonly routes?: readonly string[] | undefined;
}

/** Device-to-cloud messages may hold this much (devguide-quotas-throttling). */
export const D2C_MAX_BYTES = 256 * 1024;

/** Messages a day of one S1 unit. */
const DAILY_MESSAGES = 400_000;

/**
 * The one state behind all transports. Its methods are the operations of the cloud: they meter,
 * throttle, run and count; the stores beneath are open to listeners and tests.
 */
export class Cloud {
  readonly clock: CloudClock;
  readonly log: ActivityLog;
  readonly identities: Identities;
  readonly twins: Twins;
  readonly feedback: Feedback;
  readonly queues: Queues;
  /** Messages to the inputs of modules. */
  readonly inputs: Queues;
  readonly connections: Connections;
  readonly methods: Methods;
  readonly uploads: Uploads;
  readonly quota: DailyQuota;
  readonly throttles: Throttles;
  readonly events = new DeviceEvents();
  readonly enrollments: Enrollments;
  readonly jobs: Jobs;
  readonly #routes: readonly Route[];
  /** Name the cloud goes by: `HostName` of connection strings, `assignedHub` of registrations. */
  hostName: string;

  constructor(setup: CloudSetup = {}) {
    this.clock = new CloudClock(setup.clock);
    this.hostName = setup.hostName ?? 'localhost';
    this.log = new ActivityLog(this.clock);
    this.identities = new Identities(this.clock);
    this.twins = new Twins(this.clock, this.identities);
    this.feedback = new Feedback(this.clock);
    this.queues = new Queues({
      clock: this.clock,
      identities: this.identities,
      feedback: this.feedback,
      ...(setup.queue === undefined ? {} : { limits: setup.queue }),
    });
    this.inputs = new Queues({
      clock: this.clock,
      identities: this.identities,
      feedback: this.feedback,
      limits: { ...INPUT_LIMITS, ...(setup.queue?.lockMs === undefined ? {} : { lockMs: setup.queue.lockMs }) },
    });
    this.#routes = (setup.routes ?? []).map(parseRoute);
    this.connections = new Connections(this.clock, this.identities);
    this.methods = new Methods(this.clock, this.identities, this.connections);
    this.methods.delivered.on(({ identity, methodName }) => {
      this.log.executed('method', `${keyOf(identity)}/${methodName}`);
    });
    this.jobs = new Jobs(this.clock);
    this.uploads = new Uploads(this.clock, this.identities);
    this.quota = new DailyQuota(this.clock, setup.dailyMessages ?? DAILY_MESSAGES);
    this.throttles = new Throttles(this.clock, setup.throttle);
    this.enrollments = new Enrollments({
      clock: this.clock,
      identities: this.identities,
      assignedHub: () => this.hostName,
      enrollments: setup.enrollments ?? [],
      groupKey: setup.enrollmentGroupKey,
      polls: setup.registrationPolls,
      retryAfterS: setup.registrationRetryAfterS,
    });
  }

  /** @throws CloudFault throttled, device-not-found, device-disabled */
  connect(spec: ConnectionSpec): DeviceConnection {
    const record = this.identities.get(spec.identity);
    if (record.status === 'disabled') throw new CloudFault('device-disabled', { target: keyOf(spec.identity) });
    this.throttles.take('connect');
    return this.connections.open(spec);
  }

  /** @throws CloudFault throttled, quota-exceeded, message-too-large, device-not-found */
  sendEvent(identity: Identity, input: D2cInput, transport: D2cEvent['transport']): D2cEvent {
    const record = this.identities.get(identity);
    if (input.body.length > D2C_MAX_BYTES) throw new CloudFault('message-too-large', { target: keyOf(identity) });
    this.throttles.take('d2c');
    this.quota.spend(input.body.length);
    const now = this.clock.now();
    record.lastActivityAt = now;
    this.log.executed('d2c', input.messageId ?? keyOf(identity));
    const event = this.events.append(input, { identity, transport, now });
    if (this.#routes.length > 0) this.#route(event);
    return event;
  }

  #route(event: D2cEvent): void {
    const { deviceId } = event.identity;
    for (const { moduleId, input } of inputsFor(event, this.#routes)) {
      // A route may name a module that a device does not have.
      if (this.identities.find({ deviceId, moduleId })) this.sendToInput({ deviceId, moduleId }, input, event);
    }
  }

  /** A message to an input of a module. @throws CloudFault module-not-found, queue-full, message-too-large */
  sendToInput(identity: Identity, input: string, given: C2dInput): C2dMessage {
    const { messageId, correlationId, contentType, contentEncoding, properties, body } = given;
    const message = { messageId, correlationId, contentType, contentEncoding, properties, body, input };
    return this.inputs.send(keyOf(identity), message);
  }

  /** @throws CloudFault throttled, quota-exceeded, queue-full, message-too-large, device-not-found */
  sendToDevice(deviceId: string, input: C2dInput): C2dMessage {
    this.identities.get({ deviceId });
    this.throttles.take('c2d-send');
    this.quota.spend(input.body.length);
    const message = this.queues.send(deviceId, input);
    this.log.executed('c2d-send', message.messageId);
    return message;
  }

  /** @throws CloudFault as {@link Methods.invoke}, throttled, quota-exceeded */
  async invokeMethod(identity: Identity, input: MethodInput): Promise<MethodAnswer> {
    this.throttles.take('method');
    this.quota.spend(JSON.stringify(input.payload ?? null).length);
    return this.methods.invoke(identity, input);
  }

  /** @throws CloudFault throttled, not-found */
  readTwin(identity: Identity): TwinRecord {
    this.throttles.take('twin-read');
    return this.twins.get(identity);
  }

  /** What a device reads of its own twin. @throws CloudFault throttled, quota-exceeded */
  readDeviceTwin(identity: Identity): { desired: JsonObject; reported: JsonObject } {
    this.throttles.take('twin-read');
    this.quota.spend(0);
    return this.twins.forDevice(identity);
  }

  /** @throws CloudFault throttled, precondition-failed, argument-invalid, not-found */
  changeTwin(
    identity: Identity,
    change: TwinChange,
    how: { replace?: boolean; ifMatch?: string | undefined },
  ): TwinRecord {
    this.throttles.take('twin-update');
    const twin = this.twins.change(identity, change, how);
    this.log.executed('twin-patch', keyOf(identity));
    return twin;
  }

  /** A device reports properties; returns the new version. @throws CloudFault throttled, quota-exceeded, argument-invalid */
  reportProperties(identity: Identity, patch: unknown): number {
    this.throttles.take('twin-update');
    this.quota.spend(0);
    const version = this.twins.report(identity, patch);
    this.log.executed('twin-report', keyOf(identity));
    return version;
  }

  /** A device registers with the provisioning service. @throws CloudFault throttled, enrollment-not-found */
  register(registrationId: string): RegistrationAnswer {
    this.throttles.take('dps-register');
    const answer = this.enrollments.register(registrationId);
    this.log.executed('dps-register', registrationId);
    return answer;
  }

  /** How a registration stands. @throws CloudFault throttled, enrollment-not-found */
  registrationStatus(registrationId: string, operationId: string): RegistrationAnswer {
    if (!this.throttles.off) this.enrollments.pace(operationId);
    return this.enrollments.status(registrationId, operationId);
  }

  /** End every connection, wait and timer. */
  stop(): void {
    for (const connection of this.connections.all()) connection.end('stopped');
    this.methods.stop();
    this.clock.stop();
  }
}
