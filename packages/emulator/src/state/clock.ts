/** Time as the emulator sees it; give another one in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Run once after `ms`; returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Node's timers overflow above this and then fire at once: longer is waited in pieces. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The clock of this process. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    let left = Math.max(0, ms);
    const wait = () => {
      const now = Math.min(left, MAX_TIMER_MS);
      left -= now;
      return setTimeout(() => {
        if (left > 0) timer = wait();
        else run();
      }, now);
    };
    let timer = wait();
    return () => clearTimeout(timer);
  },
};

/** Beyond a hundred years there are no dates to write soon. */
export const MAX_SKEW_MS = 100 * 366 * 86_400_000;

/**
 * A clock that can be set wrong, as the cloud's is when a device's own clock is off: tokens look
 * expired, `Date` headers differ. Ends all its timers at once when the emulator stops.
 */
export class CloudClock implements Clock {
  #skewMs = 0;
  readonly #base: Clock;
  readonly #running = new Set<() => void>();

  constructor(base: Clock = systemClock) {
    this.#base = base;
  }

  /** How far the cloud is ahead of the base clock, in ms. */
  get skewMs(): number {
    return this.#skewMs;
  }

  /** @throws TypeError for what is no number or above a hundred years */
  set skewMs(ms: number) {
    if (typeof ms !== 'number' || !(Math.abs(ms) <= MAX_SKEW_MS)) {
      throw new TypeError(`clock: skewMs: expected a number of ms, of a hundred years at most, received ${String(ms)}`);
    }
    this.#skewMs = ms;
  }

  now(): number {
    return this.#base.now() + this.#skewMs;
  }

  after(ms: number, run: () => void): () => void {
    const cancelBase = this.#base.after(ms, () => {
      this.#running.delete(cancel);
      run();
    });
    const cancel = () => {
      this.#running.delete(cancel);
      cancelBase();
    };
    this.#running.add(cancel);
    return cancel;
  }

  stop(): void {
    for (const cancel of [...this.#running]) cancel();
  }
}
