import { above0, either, type Fields, flag, from, listOf, name, object, oneOf, text, whole } from './check.ts';
import type { DeviceSpec, EmulatorOptions, Ports } from './options.ts';
import type { EnrollmentSpec } from './state/enrollments.ts';
import type { IdentitySettings } from './state/identities.ts';
import { isValidId } from './state/identity.ts';
import type { QueueLimits } from './state/queues.ts';
import type { ThrottleClass } from './state/throttle-limits.ts';
import type { ThrottleOptions } from './state/throttles.ts';

/** Every name of a type has its field. */
type Of<T> = Record<keyof T, Fields[string]>;

const id = {
  expected: 'an id of 1 to 128 of the characters the cloud allows',
  fits: (value: unknown) => typeof value === 'string' && isValidId(value),
};
/** An empty one is made. */
const key = {
  expected: 'a key in base64',
  fits: (value: unknown) => typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value),
};
const nullable = (field: Fields[string]) => ({
  expected: `${field.expected} or null`,
  fits: (value: unknown) => value === null || field.fits(value),
});
const clock = {
  expected: 'an object with now and after',
  fits: (value: unknown) =>
    ['now', 'after'].every((part) => typeof (value as Record<string, unknown> | null)?.[part] === 'function'),
};

export const OPTIONS = {
  host: name,
  ports: object,
  hostName: name,
  devices: listOf('ids and objects', either('', text, object)),
  policies: object,
  enrollments: listOf('ids and objects', either('', text, object)),
  enrollmentGroupKey: key,
  registrationPolls: from(0),
  registrationRetryAfterS: from(0),
  tls: either('true, false or an object', flag, object),
  transports: { ...listOf('', oneOf('http', 'mqtt', 'amqp')), expected: "a list of 'http', 'mqtt', 'amqp'" },
  auth: { ...oneOf('sas', 'none'), expected: "'sas' or 'none'" },
  throttle: either('false or an object', object, { expected: '', fits: (value) => value === false }),
  dailyMessages: from(0),
  queue: object,
  routes: listOf('texts', text),
  bodyShape: { ...oneOf('auto', 'old', 'new'), expected: "'auto', 'old' or 'new'" },
  control: flag,
  clock,
} satisfies Of<EmulatorOptions>;

const port = { ...whole(0, 65_535), expected: 'a port' };
export const PORTS = {
  http: port,
  https: port,
  mqtt: port,
  mqtts: port,
  amqp: port,
  amqps: port,
} satisfies Of<Ports>;

const SETTINGS = {
  primaryKey: key,
  secondaryKey: key,
  status: oneOf('enabled', 'disabled'),
  statusReason: nullable(text),
  authenticationType: oneOf('sas', 'selfSigned', 'certificateAuthority', 'none'),
  primaryThumbprint: text,
  secondaryThumbprint: text,
  iotEdge: flag,
  managedBy: text,
} satisfies Of<IdentitySettings>;

export const DEVICE = {
  deviceId: id,
  ...SETTINGS,
  modules: listOf('ids and objects', either('', text, object)),
  tags: object,
  desired: object,
} satisfies Of<DeviceSpec>;

export const MODULE = { moduleId: id, ...SETTINGS };

export const ENROLLMENT = {
  registrationId: name,
  symmetricKey: key,
  x509Thumbprint: text,
  deviceId: id,
  fails: object,
  disabled: flag,
} satisfies Of<EnrollmentSpec>;

export const POLICY_KEYS = {
  iothubowner: key,
  service: key,
  device: key,
  registryRead: key,
  registryReadWrite: key,
};

export const QUEUE = {
  maxDepth: from(0),
  lockMs: from(0),
  maxDeliveries: from(1),
  timeToLiveMs: from(0),
  maxBytes: from(0),
} satisfies Of<QueueLimits>;

export const THROTTLE = {
  tier: oneOf('F1', 'S1', 'S2', 'S3'),
  units: above0,
  scale: above0,
  perSecond: object,
  burstS: above0,
  retryAfter: flag,
} satisfies Of<ThrottleOptions>;

export const THROTTLE_CLASSES = {
  registry: above0,
  connect: above0,
  d2c: above0,
  'c2d-send': above0,
  'c2d-receive': above0,
  upload: above0,
  query: above0,
  method: above0,
  'twin-read': above0,
  'twin-update': above0,
  jobs: above0,
  'dps-register': above0,
} satisfies Record<ThrottleClass, Fields[string]>;

export const TLS = { hosts: listOf('names', name) };
