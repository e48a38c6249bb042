/** Classes of operations that share a limit. */
export type ThrottleClass =
  | 'registry'
  | 'connect'
  | 'd2c'
  | 'c2d-send'
  | 'c2d-receive'
  | 'upload'
  | 'query'
  | 'method'
  | 'twin-read'
  | 'twin-update'
  | 'jobs'
  | 'dps-register';

export type Tier = 'F1' | 'S1' | 'S2' | 'S3';

/** A limit per second, as a function of the hub's units. */
type Limit = (units: number) => number;

const minute =
  (each: number): Limit =>
  (units) =>
    (each * units) / 60;
const second =
  (each: number): Limit =>
  (units) =>
    each * units;
const atLeast =
  (floor: number, each: number): Limit =>
  (units) =>
    Math.max(floor, each * units);
const fixed =
  (each: number): Limit =>
  () =>
    each;

/**
 * The documented limits (iot-hub-devguide-quotas-throttling@e0310978, iot-dps-limits), in the
 * order S1, S2, S3. Methods are limited by bytes there: 160 KB/s in meters of 4 KB are 40/s.
 */
const LIMITS: Record<ThrottleClass, readonly [Limit, Limit, Limit]> = {
  registry: [minute(100), minute(100), minute(5_000)],
  connect: [atLeast(100, 12), second(120), second(6_000)],
  d2c: [atLeast(100, 12), second(120), second(6_000)],
  'c2d-send': [minute(100), minute(100), minute(5_000)],
  'c2d-receive': [minute(1_000), minute(1_000), minute(50_000)],
  upload: [minute(100), minute(100), minute(5_000)],
  query: [minute(20), minute(20), minute(1_000)],
  method: [second(40), second(120), second(6_000)],
  'twin-read': [fixed(100), atLeast(100, 10), second(500)],
  'twin-update': [fixed(50), atLeast(50, 5), second(250)],
  jobs: [minute(100), minute(100), minute(5_000)],
  'dps-register': [() => 1_000 / 60, () => 1_000 / 60, () => 1_000 / 60],
};

const COLUMN: Record<Tier, 0 | 1 | 2> = { F1: 0, S1: 0, S2: 1, S3: 2 };

/** The documented limit of an operation, per second. */
export function perSecond(operation: ThrottleClass, tier: Tier, units: number): number {
  return LIMITS[operation][COLUMN[tier]](units);
}
