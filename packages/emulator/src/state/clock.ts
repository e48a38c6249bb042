/** Time as the emulator sees it; give another one in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Run once after `ms`; returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Node's timers overflow above this and then fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The clock of this process. A waiting emulator alone keeps no process alive: its sockets do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, ms), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/**
 * A clock that can be set wrong, as the cloud's is when a device's own clock is off: tokens look
 * expired, `Date` headers differ. Ends all its timers at once when the emulator stops.
 */
export class CloudClock implements Clock {
  /** How far the cloud is ahead of the base clock, in ms. */
  skewMs = 0;
  readonly #base: Clock;
  readonly #running = new Set<() => void>();

  constructor(base: Clock = systemClock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.skewMs;
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
