import { check, type Fields, fail, isObject } from './check.ts';
import {
  DEVICE,
  ENROLLMENT,
  MODULE,
  OPTIONS,
  POLICY_KEYS,
  PORTS,
  QUEUE,
  THROTTLE,
  THROTTLE_CLASSES,
  TLS,
} from './option-fields.ts';
import type { Clock } from './state/clock.ts';
import type { EnrollmentSpec } from './state/enrollments.ts';
import type { IdentitySettings } from './state/identities.ts';
import type { JsonObject } from './state/json.ts';
import type { QueueLimits } from './state/queues.ts';
import type { ThrottleOptions } from './state/throttles.ts';
import type { TlsOptions } from './tls.ts';

export interface Ports {
  readonly http: number;
  readonly https: number;
  readonly mqtt: number;
  readonly mqtts: number;
  readonly amqp: number;
  readonly amqps: number;
}

export interface WireOptions {
  /** HTTP error bodies: `auto` as the cloud does per operation. */
  readonly bodyShape: 'auto' | 'old' | 'new';
}

export interface ModuleSpec extends IdentitySettings {
  readonly moduleId: string;
}

/** A device to begin with. Keys that are not given are made. */
export interface DeviceSpec extends IdentitySettings {
  readonly deviceId: string;
  readonly modules?: readonly (string | ModuleSpec)[] | undefined;
  readonly tags?: JsonObject | undefined;
  readonly desired?: JsonObject | undefined;
}

export interface EmulatorOptions {
  /** Address to bind. Default `127.0.0.1`; several emulators can use other loopback addresses. */
  readonly host?: string | undefined;
  /** Ports; those not given, or 0, are free ones. */
  readonly ports?: Partial<Ports> | undefined;
  /** Name the cloud goes by in connection strings and registrations. Default: `host`. */
  readonly hostName?: string | undefined;
  /** Devices to begin with, by id or in full. Default: `device1`. */
  readonly devices?: readonly (string | DeviceSpec)[] | undefined;
  /** Keys of shared access policies by name (`iothubowner`, `service`, `device`, …). Default: made. */
  readonly policies?: Readonly<Record<string, string>> | undefined;
  /** Enrolments of the provisioning service. Default: none. */
  readonly enrollments?: readonly (string | EnrollmentSpec)[] | undefined;
  /** Key of an enrolment group, base64: any registration whose key is derived from it is enrolled. */
  readonly enrollmentGroupKey?: string | undefined;
  /** Status polls answered `assigning` before a registration is done. Default 0. */
  readonly registrationPolls?: number | undefined;
  /** How long registering clients are asked to wait between polls, in s. Default 3, as the cloud says. */
  readonly registrationRetryAfterS?: number | undefined;
  /** TLS endpoints beside the plain ones, with a certificate made at start. Default false. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Which listeners to start. Default: all three. */
  readonly transports?: readonly ('http' | 'mqtt' | 'amqp')[] | undefined;
  /** `none` lets everybody in as whom they say. Default `sas`. */
  readonly auth?: 'sas' | 'none' | undefined;
  /** Throttling as documented for a tier, scaled, or none. Default: S1, one unit. */
  readonly throttle?: ThrottleOptions | false | undefined;
  /** Messages a day before 403002. Default 400,000 (S1, one unit). */
  readonly dailyMessages?: number | undefined;
  /** Cloud-to-device queues: depth, lock, deliveries, life. Default: the documented limits. */
  readonly queue?: Partial<QueueLimits> | undefined;
  /**
   * Routes between the modules of a device, as a deployment of IoT Edge writes them:
   * `FROM /messages/modules/a/outputs/x INTO BrokeredEndpoint("/modules/b/inputs/y")`. Default: none.
   */
  readonly routes?: readonly string[] | undefined;
  /** HTTP error bodies. Default `auto`: old or new as the cloud does for the operation. */
  readonly bodyShape?: WireOptions['bodyShape'] | undefined;
  /**
   * Serve `/$emulator` on the HTTP ports: endpoints, keys, faults and the log while running.
   * Default: on a loopback address only, since it hands out keys.
   */
  readonly control?: boolean | undefined;
  /** Time. Default: the clock of this process. */
  readonly clock?: Clock | undefined;
}

export interface ResolvedOptions {
  readonly host: string;
  readonly hostName: string;
  readonly ports: Ports;
  readonly devices: readonly DeviceSpec[];
  readonly tls: TlsOptions | undefined;
  readonly transports: readonly ('http' | 'mqtt' | 'amqp')[];
  readonly auth: 'sas' | 'none';
  readonly bodyShape: WireOptions['bodyShape'];
  readonly control: boolean;
  readonly cloud: {
    readonly clock: Clock | undefined;
    readonly throttle: ThrottleOptions | false | undefined;
    readonly dailyMessages: number | undefined;
    readonly queue: Partial<QueueLimits> | undefined;
    readonly enrollments: readonly EnrollmentSpec[];
    readonly enrollmentGroupKey: string | undefined;
    readonly registrationPolls: number | undefined;
    readonly registrationRetryAfterS: number | undefined;
    readonly routes: readonly string[] | undefined;
  };
}

const ALL = ['http', 'mqtt', 'amqp'] as const;

/** Fill in defaults and check. @throws TypeError that names option, expected and received */
export function resolveEmulatorOptions(given: EmulatorOptions): ResolvedOptions {
  checkOptions(given);
  const asObject = <T>(one: string | T, name: string) => (typeof one === 'string' ? ({ [name]: one } as T) : one);
  const host = given.host ?? '127.0.0.1';
  return {
    host,
    hostName: given.hostName ?? host,
    ports: { http: 0, https: 0, mqtt: 0, mqtts: 0, amqp: 0, amqps: 0, ...withoutUndefined(given.ports) },
    devices: (given.devices ?? ['device1']).map((one) => asObject(one, 'deviceId')),
    tls: given.tls === true ? {} : given.tls || undefined,
    transports: given.transports ?? ALL,
    auth: given.auth ?? 'sas',
    bodyShape: given.bodyShape ?? 'auto',
    control: given.control ?? /^(127\.|localhost$|::1$)/.test(host),
    cloud: {
      clock: given.clock,
      throttle: given.throttle,
      dailyMessages: given.dailyMessages,
      queue: given.queue,
      enrollments: (given.enrollments ?? []).map((one) => asObject(one, 'registrationId')),
      enrollmentGroupKey: given.enrollmentGroupKey,
      registrationPolls: given.registrationPolls,
      registrationRetryAfterS: given.registrationRetryAfterS,
      routes: given.routes,
    },
  };
}

const withoutUndefined = <T extends object>(given: T | undefined): T =>
  Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as T;

const HERE = 'startEmulator: ';

function checkOptions(given: EmulatorOptions): void {
  if (!isObject(given)) fail('startEmulator', 'an object', given);
  check(HERE, given, OPTIONS);
  if (given.transports?.length === 0) fail(`${HERE}transports`, 'at least one', given.transports);
  const parts = [
    ['ports', PORTS],
    ['policies', POLICY_KEYS],
    ['queue', QUEUE],
    ['throttle', THROTTLE],
    ['tls', TLS],
  ] as const;
  for (const [name, fields] of parts) {
    const part = given[name];
    if (typeof part === 'object') check(`${HERE}${name}.`, part, fields);
  }
  if (given.throttle) check(`${HERE}throttle.perSecond.`, given.throttle.perSecond ?? {}, THROTTLE_CLASSES);
  checkEach(`${HERE}enrollments`, given.enrollments, 'registrationId', ENROLLMENT);
  checkEach(`${HERE}devices`, given.devices, 'deviceId', DEVICE);
  for (const [index, device] of (given.devices ?? []).entries()) {
    if (typeof device === 'object') checkEach(`${HERE}devices[${index}].modules`, device.modules, 'moduleId', MODULE);
  }
}

/** Each by its id or in full, and no id twice. */
function checkEach(path: string, entries: readonly (string | object)[] = [], id: string, fields: Fields): void {
  const seen = new Set<unknown>();
  for (const [index, entry] of entries.entries()) {
    const full: Record<string, unknown> = typeof entry === 'string' ? { [id]: entry } : { ...entry };
    if (full[id] === undefined) fail(`${path}[${index}]`, `an object with ${id}`, entry);
    check(`${path}[${index}].`, full, fields);
    if (seen.has(full[id])) fail(path, `each ${id} once`, full[id]);
    seen.add(full[id]);
  }
}
