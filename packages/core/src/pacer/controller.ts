import type { Parameters } from './parameters.ts';

/** Who is there when an operation is throttled. */
export interface Crowd {
  /** Operations that wait. */
  readonly backlog: number;
  /** Operations on their way, the throttled one included. */
  readonly inFlight: number;
  /** The longest first wait that one of them would choose by itself. */
  readonly backoffMs: number;
}

/**
 * Who decides the pace of one key: take tokens, report outcomes. This one lives in the process;
 * one that shares its state between processes has the same face (it leases a few tokens ahead and
 * answers `take` with the time until its next lease).
 */
export interface PaceController {
  /** Nobody throttles. */
  readonly off: boolean;
  /** Operations per second; meaningless while off. */
  readonly rate: number;
  /**
   * Take a token.
   *
   * @param backlog - operations that wait, this one included
   * @returns 0: go; else ms until it is worth asking again
   */
  take(now: number, backlog: number): number;
  /** An operation sent at `sentAt` succeeded. */
  succeeded(sentAt: number, now: number, backlog: number): void;
  /** An operation sent at `sentAt` was throttled. */
  throttled(sentAt: number, now: number, crowd: Crowd): void;
  /** Ask whether it is off by now. @returns true when it has just gone off */
  settle(now: number, backlog: number): boolean;
}

/** A token, but for rounding: a wait of a billionth of a millisecond would not move the clock. */
const WHOLE = 1 - 1e-6;

/**
 * Rate by stochastic approximation towards a small tolerated loss: a success raises it a little,
 * a 429 lowers it much more, in a proportion that balances where the loss is `loss`.
 */
export class LocalController implements PaceController {
  off = true;
  rate = 0;
  readonly #p: Parameters;
  readonly #random: () => number;

  /** Successes of the running span and of the one before. */
  #spanAt = -Infinity;
  #count = 0;
  #before = 0;

  #tokens = 0;
  #filledAt = 0;
  #switchedAt = 0;
  #throttledAt = 0;
  #roundTripMs = 0;
  /** The rate when the running round trip began, and when the one before did. */
  #rateInRound = 0;
  #rateBefore = 0;
  #roundAt = 0;
  #passed = 0;
  #refused = 0;

  constructor(parameters: Parameters, random: () => number) {
    this.#p = parameters;
    this.#random = random;
  }

  /** When a span of successes was last begun: tells how long nothing was used. */
  get usedAt(): number {
    return this.#spanAt;
  }

  succeeded(sentAt: number, now: number, backlog: number): void {
    if (this.off) {
      if (sentAt - this.#spanAt >= this.#p.spanMs) this.#turnSpan(sentAt);
      this.#count++;
      return;
    }
    if (sentAt < this.#switchedAt) return;
    this.#answered(sentAt, now, true);
    // A rate that nobody waits for says nothing about the limit.
    if (backlog > 0) this.rate *= Math.exp((this.#p.gain * this.#loss(backlog)) / this.#perRound(this.#p.leastUp));
  }

  throttled(sentAt: number, now: number, crowd: Crowd): void {
    if (this.off) {
      this.#switchOn(sentAt, now, crowd);
      return;
    }
    // Sent before the pace was set: it knows nothing new.
    if (sentAt < this.#switchedAt) return;
    this.#answered(sentAt, now, false);
    this.#fill(now);
    this.#throttledAt = now;
    const factor = Math.exp((-this.#p.gain * (1 - this.#loss(crowd.backlog))) / this.#perRound(1));
    this.rate = Math.max(this.#p.leastRate, this.rate * factor);
    this.#tokens = Math.min(this.#tokens, this.#depth(now));
  }

  take(now: number, backlog: number): number {
    this.#grow(now, backlog);
    this.#fill(now);
    if (this.#tokens >= WHOLE) {
      this.#tokens--;
      return 0;
    }
    return ((1 - this.#tokens) / this.rate) * 1_000;
  }

  settle(now: number, backlog: number): boolean {
    if (this.off || backlog > 0 || now - this.#throttledAt < this.#p.offAfterMs) return false;
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.off = true;
    this.#spanAt = now;
    this.#count = 0;
    this.#before = 0;
    return true;
  }

  #turnSpan(at: number): void {
    this.#before = at - this.#spanAt < 2 * this.#p.spanMs ? this.#count : 0;
    this.#count = 0;
    this.#spanAt = at;
  }

  #switchOn(sentAt: number, now: number, crowd: Crowd): void {
    this.rate = Math.max(this.#p.leastRate, this.#firstRate(sentAt, now, crowd));
    this.off = false;
    // Part of a token: processes that begin together do not send together.
    this.#tokens = this.#random();
    this.#filledAt = now;
    this.#grownAt = now;
    this.#switchedAt = now;
    this.#throttledAt = now;
    this.#roundTripMs = 0;
    this.#rateInRound = this.rate;
    this.#rateBefore = this.rate;
    this.#roundAt = now;
    this.#passed = 0;
    this.#refused = 0;
  }

  /**
   * Begin with what succeeded in the last span, or since the start when that is shorter. Few
   * successes in a short time say little: then not quicker than those who are here would come
   * back by their own backoff. A lone operation at a slow target must not use up its attempts.
   */
  #firstRate(sentAt: number, now: number, { backlog, inFlight, backoffMs }: Crowd): number {
    const { spanMs, fewSuccesses } = this.#p;
    const inSpan = now - this.#spanAt;
    const before = inSpan < spanMs ? this.#before * (1 - inSpan / spanMs) : 0;
    const count = inSpan < 2 * spanMs ? this.#count + before : 0;
    const overMs = count === 0 ? now - sentAt : this.#before > 0 ? Math.max(spanMs, inSpan) : inSpan;
    const seen = this.#estimate(count, overMs);
    if (count >= fewSuccesses || (count > 0 && overMs >= spanMs)) return seen;
    return Math.min(seen, ((backlog + Math.max(1, inFlight)) * 1_000) / Math.max(1, backoffMs));
  }

  #answered(sentAt: number, now: number, success: boolean): void {
    const took = now - sentAt;
    this.#roundTripMs = this.#roundTripMs === 0 ? took : this.#roundTripMs + (took - this.#roundTripMs) / 8;
    if (success) this.#passed++;
    else this.#refused++;
    const roundMs = now - this.#roundAt;
    if (roundMs < this.#roundTripMs) return;
    // More refused than passed: what passed says more of the limit than any number of small steps.
    if (this.#refused > this.#passed && this.#refused >= this.#p.flood)
      this.rate = this.#estimate(this.#passed, roundMs);
    this.#roundAt = now;
    this.#rateBefore = this.#rateInRound;
    this.#rateInRound = this.rate;
    this.#passed = 0;
    this.#refused = 0;
  }

  /** A rate from a count, on the upper side of what it may be. */
  #estimate(count: number, overMs: number): number {
    const { prior, doubt, leastRate } = this.#p;
    return Math.max(leastRate, ((count + prior + doubt * Math.sqrt(count)) * 1_000) / Math.max(1, overMs));
  }

  /**
   * Responses in one round trip. Those that come now were sent at the rate of a round trip ago:
   * after a drop each must not weigh more for the rate being low already.
   */
  #perRound(least: number): number {
    const rate = Math.max(this.rate, this.#rateInRound, this.#rateBefore);
    return Math.max(least, (rate * this.#roundTripMs) / 1_000);
  }

  /** Who has more to do for its rate may lose more: so shares become fair without talking. */
  #loss(backlog: number): number {
    const { loss, tiltMs, tiltSlope, tiltLeast, tiltMost } = this.#p;
    const drainMs = Math.max(1, (backlog / this.rate) * 1_000);
    return loss * Math.min(tiltMost, Math.max(tiltLeast, 1 + tiltSlope * Math.log(drainMs / tiltMs)));
  }

  #grownAt = 0;

  /** When no 429 was seen for a while it grows faster and faster, so that lifted limits are found. */
  #grow(now: number, backlog: number): void {
    const since = now - this.#grownAt;
    this.#grownAt = now;
    const quietMs = now - this.#throttledAt;
    if (backlog === 0 || quietMs < Math.max(this.#p.quietMs, (1_000 * this.#p.quietSends) / this.rate)) return;
    const perSecond = Math.min(this.#p.growthMost, (this.#p.growth * quietMs) / 1_000);
    this.rate *= Math.exp((perSecond * Math.min(since, quietMs)) / 1_000);
  }

  #depth(now: number): number {
    const { burstMs, burstGrowth, burstMostMs } = this.#p;
    const ms = Math.min(burstMostMs, burstMs + (now - this.#throttledAt) / burstGrowth);
    return 1 + (this.rate * ms) / 1_000;
  }

  #fill(now: number): void {
    const gained = (this.rate * (now - this.#filledAt)) / 1_000;
    this.#tokens = Math.min(this.#depth(now), this.#tokens + Math.max(0, gained));
    this.#filledAt = now;
  }
}
