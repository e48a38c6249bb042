import type { Clock } from './clock.ts';
import { CloudFault } from './fault.ts';
import { perSecond, type ThrottleClass, type Tier } from './throttle-limits.ts';

export interface ThrottleOptions {
  /** Which column of the documented limits. Default S1. */
  readonly tier?: Tier | undefined;
  /** Units of the hub. Default 1. */
  readonly units?: number | undefined;
  /** Multiplies every limit: 0.1 for a tenth, to see throttling with few calls. Default 1. */
  readonly scale?: number | undefined;
  /** Limits of single operations, per second; they come before tier, units and scale. */
  readonly perSecond?: Partial<Record<ThrottleClass, number>> | undefined;
  /** How many seconds' worth may come at once. Default 60 for limits by the minute, else 1. */
  readonly burstS?: number | undefined;
  /** Tell throttled callers how long to wait. Default false: a hub's data plane does not. */
  readonly retryAfter?: boolean | undefined;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets, one per class of operations, for the whole hub. */
export class Throttles {
  readonly #clock: Clock;
  readonly #options: ThrottleOptions | undefined;
  readonly #buckets = new Map<ThrottleClass, Bucket>();

  /** @param options - `false` throttles nothing */
  constructor(clock: Clock, options: ThrottleOptions | false = {}) {
    this.#clock = clock;
    this.#options = options === false ? undefined : options;
  }

  /** Take `count` from the bucket of an operation. @throws CloudFault throttled */
  take(operation: ThrottleClass, count = 1): void {
    if (!this.#options) return;
    const rate = this.rate(operation);
    const capacity = Math.max(1, rate * (this.#options.burstS ?? (perMinute.has(operation) ? 60 : 1)));
    const now = this.#clock.now();
    const bucket = this.#buckets.get(operation) ?? { tokens: capacity, at: now };
    bucket.tokens = Math.min(capacity, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * rate);
    bucket.at = now;
    this.#buckets.set(operation, bucket);
    if (bucket.tokens >= count) {
      bucket.tokens -= count;
      return;
    }
    const waitS = Math.max(1, Math.ceil((Math.min(count, capacity) - bucket.tokens) / rate));
    // The provisioning service says how long to wait; a hub's data plane does not by itself.
    const told = this.#options.retryAfter || operation === 'dps-register';
    throw new CloudFault('throttled', told ? { retryAfterS: waitS } : {});
  }

  /** Nothing is throttled at all. */
  get off(): boolean {
    return this.#options === undefined;
  }

  /** Operations per second an operation is held to; Infinity when throttling is off. */
  rate(operation: ThrottleClass): number {
    if (!this.#options) return Number.POSITIVE_INFINITY;
    const own = this.#options.perSecond?.[operation];
    if (own !== undefined) return own;
    const { tier = 'S1', units = 1, scale = 1 } = this.#options;
    return perSecond(operation, tier, units) * scale;
  }
}

const perMinute: ReadonlySet<ThrottleClass> = new Set([
  'registry',
  'c2d-send',
  'c2d-receive',
  'upload',
  'query',
  'jobs',
  'dps-register',
]);
