import { systemClock } from '../clock.ts';
import type { AnyDeviceCloudError } from '../errors.ts';
import { afterHint, fullJitter, type Random } from '../retry/backoff.ts';
import { lossKind } from './kind.ts';
import { type ResolvedReconnectOptions, resolveReconnectOptions } from './options.ts';
import type { ReconnectDecision, ReconnectGovernor, ReconnectOptions, ReconnectSetup } from './types.ts';

/** A connection that is closed again and again soon after it was accepted: not faster than this. */
const UNSTABLE_LEAST_MS = 5_000;
const MAX_TAKE_OVER_DELAY_MS = 1_800_000;
/** Coming back at a quota's reset: spread, since everybody waits for the same moment. */
const RESET_SPREAD_MS = 60_000;
/** The window of a fleet is a little wider than size ÷ rate, so that the hub keeps up. */
const FLEET_SLACK = 1.05;
/** Part of the window over which those come again that were throttled in it. */
const FLEET_AGAIN = 0.03;

/**
 * Decides when a connection is made again. Holds no timer: the adapter waits. One for each connection,
 * since it counts the failures of that one.
 *
 * @param options - as the user gave them; `reconnect: false` is the adapter's to heed
 * @throws TypeError for options that are not what they should be
 */
export function createReconnectGovernor(
  options?: ReconnectOptions | undefined,
  setup: ReconnectSetup = {},
): ReconnectGovernor {
  return new Governor(resolveReconnectOptions(setup.owner ?? 'reconnect', options), setup);
}

class Governor implements ReconnectGovernor {
  readonly #options: ResolvedReconnectOptions;
  readonly #now: () => number;
  readonly #random: Random;
  /** Failures in a row. */
  #row = 0;
  /** Closes soon after being accepted, in a row. */
  #unstable = 0;
  #takeOvers = 0;
  #refusals = 0;
  #acceptedAt: number | undefined;
  /** Has had its slot in the window of its fleet since it was last stable. */
  #slotted = false;

  constructor(options: ResolvedReconnectOptions, setup: ReconnectSetup) {
    const clock = setup.clock ?? systemClock;
    this.#options = options;
    this.#now = () => clock.now();
    this.#random = setup.random ?? Math.random;
  }

  accepted(): void {
    this.#acceptedAt = this.#now();
  }

  resume(): void {
    this.#row = 0;
    this.#unstable = 0;
    this.#takeOvers = 0;
    this.#refusals = 0;
    this.#slotted = false;
    this.#acceptedAt = undefined;
  }

  failed(error: AnyDeviceCloudError, how: { readonly passing?: boolean | undefined } = {}): ReconnectDecision {
    this.#look();
    const attempt = ++this.#row;
    if (attempt > this.#options.maxAttempts) return { action: 'stop', stopped: 'attempts', attempt };
    const kind = lossKind(error);
    switch (kind === 'permanent' && how.passing ? 'backoff' : kind) {
      case 'take-over':
        return this.#takenOver(attempt);
      case 'permanent':
        return this.#permanent(error, attempt);
      case 'at-reset':
        return this.#overQuota(error, attempt);
      case 'throttled':
        return this.#again('backoff', this.#throttled(error), attempt);
      default:
        return this.#again('backoff', this.#spread(this.#backoff(error, this.#options.baseDelayMs)), attempt);
    }
  }

  #overQuota(error: AnyDeviceCloudError, attempt: number): ReconnectDecision {
    if (this.#options.onQuota === 'stop') return { action: 'stop', stopped: 'not-transient', attempt };
    if (this.#options.onQuota === 'slow') return this.#again('probe', this.#slowly(), attempt);
    return this.#again('at-reset', this.#untilReset(error), attempt);
  }

  /** What the connection that has just ended was worth. */
  #look(): void {
    if (this.#acceptedAt === undefined) return;
    const livedMs = this.#now() - this.#acceptedAt;
    this.#acceptedAt = undefined;
    this.#refusals = 0;
    if (livedMs < this.#options.stableAfterMs) {
      this.#unstable++;
      return;
    }
    this.#row = 0;
    this.#unstable = 0;
    this.#slotted = false;
    // A war of two owners has a period of the take-over delay itself: only a longer peace ends it.
    if (livedMs > 2 * this.#takeOverMs(this.#takeOvers)) this.#takeOvers = 0;
  }

  #again(kind: 'backoff' | 'probe' | 'take-over' | 'at-reset', delayMs: number, attempt: number): ReconnectDecision {
    return { action: 'reconnect', kind, delayMs: Math.round(delayMs), renewCredentials: true, attempt };
  }

  #backoff(error: AnyDeviceCloudError, baseMs: number): number {
    const { maxDelayMs } = this.#options;
    const hint = error.retryAfterMs;
    const own = fullJitter(baseMs, Math.max(maxDelayMs, baseMs), this.#row - 1, this.#random);
    const least = this.#unstable >= 2 ? UNSTABLE_LEAST_MS * (1 + this.#random() / 2) : 0;
    return Math.max(own, least, hint ? afterHint(hint, Infinity, this.#random) : 0);
  }

  /** Who came in its slot and was throttled needs no whole window again: in such a fleet few are. */
  #throttled(error: AnyDeviceCloudError): number {
    if (!this.#slotted) return this.#spread(this.#backoff(error, this.#options.throttledBaseDelayMs));
    return this.#backoff(error, Math.max(1_000, FLEET_AGAIN * this.#windowMs));
  }

  /** A fleet that is told its size comes back over the time the hub needs to take it in. */
  #spread(ownMs: number): number {
    const windowMs = this.#windowMs;
    if (windowMs === 0) return ownMs;
    this.#slotted = true;
    return Math.max(ownMs, this.#random() * windowMs);
  }

  /** 0: the size of the fleet is not known. */
  get #windowMs(): number {
    const { fleet } = this.#options;
    return fleet ? (FLEET_SLACK * 1_000 * fleet.size) / fleet.connectionsPerSecond : 0;
  }

  #takenOver(attempt: number): ReconnectDecision {
    if (this.#options.onTakeOver === 'stop') return { action: 'stop', stopped: 'not-transient', attempt };
    const delayMs = this.#takeOverMs(++this.#takeOvers);
    return this.#again('take-over', delayMs * (1 + this.#random() / 2), attempt);
  }

  /** The delay of the n-th take-over in a row. */
  #takeOverMs(n: number): number {
    return Math.min(MAX_TAKE_OVER_DELAY_MS, this.#options.takeOverDelayMs * 2 ** Math.max(0, n - 1));
  }

  #permanent(error: AnyDeviceCloudError, attempt: number): ReconnectDecision {
    const refused = error.advice === 'renew-credentials';
    // An expired token is no lasting fault yet: first see what fresh ones do.
    if (refused && ++this.#refusals === 1)
      return this.#again('backoff', this.#spread(this.#backoff(error, this.#options.baseDelayMs)), attempt);
    if (this.#options.onPermanentFault === 'stop') return { action: 'stop', stopped: 'not-transient', attempt };
    return this.#again('probe', this.#slowly(), attempt);
  }

  #slowly(): number {
    return this.#options.slowDelayMs * (0.5 + this.#random());
  }

  #untilReset(error: AnyDeviceCloudError): number {
    const wait = (error.resetAt?.getTime() ?? 0) - this.#now();
    return Math.max(0, wait) + this.#spread(this.#random() * RESET_SPREAD_MS);
  }
}
