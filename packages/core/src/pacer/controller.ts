import type { Parameters } from './parameters.ts';

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
  /** An operation sent at `sentAt` was throttled; `backoffMs`: where to begin when nothing is known. */
  throttled(sentAt: number, now: number, backlog: number, backoffMs: number): void;
  /** Ask whether it is off by now. @returns true when it has just gone off */
  settle(now: number, backlog: number): boolean;
}

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
    this.#answered(sentAt, now);
    // A rate that nobody waits for says nothing about the limit.
    if (backlog > 0) this.rate *= Math.exp((this.#p.gain * this.#loss(backlog)) / this.#perRoundTrip());
  }

  throttled(sentAt: number, now: number, backlog: number, backoffMs: number): void {
    if (this.off) {
      this.#switchOn(now, backoffMs);
      return;
    }
    // Sent before the pace was set: it knows nothing new.
    if (sentAt < this.#switchedAt) return;
    this.#answered(sentAt, now);
    this.#fill(now);
    this.#throttledAt = now;
    const factor = Math.exp((-this.#p.gain * (1 - this.#loss(backlog))) / this.#perRoundTrip());
    this.rate = Math.max(this.#p.leastRate, this.rate * factor);
    this.#tokens = Math.min(this.#tokens, this.#depth(now));
  }

  take(now: number, backlog: number): number {
    this.#grow(now, backlog);
    this.#fill(now);
    if (this.#tokens >= 1) {
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

  /** Begin with what succeeded in the last span, or since the start when that is shorter. */
  #switchOn(now: number, backoffMs: number): void {
    const { spanMs } = this.#p;
    const inSpan = Math.max(1, now - this.#spanAt);
    const before = inSpan < spanMs ? this.#before * (1 - inSpan / spanMs) : 0;
    const overMs = this.#before > 0 ? Math.max(spanMs, inSpan) : inSpan;
    const seen = ((this.#count + before) * 1_000) / overMs;
    this.rate = Math.max(this.#p.leastRate, seen > 0 ? seen : 1_000 / Math.max(1, backoffMs));
    this.off = false;
    // Part of a token: processes that begin together do not send together.
    this.#tokens = this.#random();
    this.#filledAt = now;
    this.#grownAt = now;
    this.#switchedAt = now;
    this.#throttledAt = now;
    this.#roundTripMs = 0;
  }

  #answered(sentAt: number, now: number): void {
    const took = now - sentAt;
    this.#roundTripMs = this.#roundTripMs === 0 ? took : this.#roundTripMs + (took - this.#roundTripMs) / 8;
  }

  /** Responses in one round trip. */
  #perRoundTrip(): number {
    return Math.max(1, (this.rate * this.#roundTripMs) / 1_000);
  }

  /** Who has more to do for its rate may lose more: so shares become fair without talking. */
  #loss(backlog: number): number {
    const { tiltMs, tiltLeast, tiltMost, loss } = this.#p;
    const drainMs = (backlog / this.rate) * 1_000;
    return loss * Math.min(tiltMost, Math.max(tiltLeast, drainMs / tiltMs));
  }

  #grownAt = 0;

  /** When no 429 was seen for a while it grows faster and faster, so that lifted limits are found. */
  #grow(now: number, backlog: number): void {
    const since = now - this.#grownAt;
    this.#grownAt = now;
    const quietMs = now - this.#throttledAt;
    if (backlog === 0 || quietMs < Math.max(this.#p.quietMs, 2_000 / this.rate)) return;
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
