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

const NAMES: Record<keyof EmulatorOptions, true> = {
  host: true,
  ports: true,
  hostName: true,
  devices: true,
  policies: true,
  enrollments: true,
  enrollmentGroupKey: true,
  registrationPolls: true,
  registrationRetryAfterS: true,
  tls: true,
  transports: true,
  auth: true,
  throttle: true,
  dailyMessages: true,
  queue: true,
  routes: true,
  bodyShape: true,
  control: true,
  clock: true,
};

const ALL = ['http', 'mqtt', 'amqp'] as const;

/** Fill in defaults and check. @throws TypeError that names option, expected and received */
export function resolveEmulatorOptions(given: EmulatorOptions): ResolvedOptions {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(NAMES, name)) fail(name, `one of ${Object.keys(NAMES).join(', ')}`, name);
  }
  const transports = given.transports ?? ALL;
  for (const one of transports) if (!ALL.includes(one)) fail('transports', ALL.join(', '), one);
  const bodyShape = given.bodyShape ?? 'auto';
  if (!['auto', 'old', 'new'].includes(bodyShape)) fail('bodyShape', "'auto', 'old' or 'new'", bodyShape);
  const auth = given.auth ?? 'sas';
  if (!['sas', 'none'].includes(auth)) fail('auth', "'sas' or 'none'", auth);
  const host = given.host ?? '127.0.0.1';
  return {
    host,
    hostName: given.hostName ?? host,
    ports: resolvePorts(given.ports),
    devices: (given.devices ?? ['device1']).map((one) => (typeof one === 'string' ? { deviceId: one } : one)),
    tls: given.tls === true ? {} : given.tls || undefined,
    transports,
    auth,
    bodyShape,
    control: given.control ?? /^(127\.|localhost$|::1$)/.test(host),
    cloud: {
      clock: given.clock,
      throttle: given.throttle,
      dailyMessages: count(given.dailyMessages, 'dailyMessages'),
      queue: given.queue,
      enrollments: (given.enrollments ?? []).map((one) => (typeof one === 'string' ? { registrationId: one } : one)),
      enrollmentGroupKey: given.enrollmentGroupKey,
      registrationPolls: count(given.registrationPolls, 'registrationPolls'),
      registrationRetryAfterS: count(given.registrationRetryAfterS, 'registrationRetryAfterS'),
      routes: given.routes,
    },
  };
}

function resolvePorts(given: Partial<Ports> | undefined): Ports {
  const ports: Record<string, number> = { http: 0, https: 0, mqtt: 0, mqtts: 0, amqp: 0, amqps: 0 };
  for (const [name, port] of Object.entries(given ?? {})) {
    if (!Object.hasOwn(ports, name)) fail('ports', Object.keys(ports).join(', '), name);
    if (port === undefined) continue;
    if (!Number.isInteger(port) || port < 0 || port > 65_535) fail(`ports.${name}`, 'a port', port);
    ports[name] = port;
  }
  return ports as unknown as Ports;
}

function count(value: number | undefined, name: string): number | undefined {
  if (value !== undefined && (typeof value !== 'number' || !(value >= 0))) fail(name, 'a number from 0', value);
  return value;
}

function fail(name: string, expected: string, received: unknown): never {
  throw new TypeError(`startEmulator: ${name}: expected ${expected}, received ${String(received)}`);
}
