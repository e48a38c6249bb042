/** Time as this package sees it; give another one in tests. */
export interface Clock {
  /** Milliseconds since the epoch, never going back. */
  now(): number;
  /** Run once after `ms`; returns what cancels it. `ms` is at most 2^31 − 1. */
  after(ms: number, run: () => void): () => void;
}

/** Node's timers overflow above this and then fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Read once: it never changes, and its getter costs a quarter of a look at the clock. */
const { timeOrigin } = performance;

/** The clock of this process. */
export const systemClock: Clock = {
  // The wall clock can be set back; performance.now() cannot.
  now: () => timeOrigin + performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Wait `ms`; an abort ends it at once and rejects with `signal.reason`. Longer than a timer can
 * hold is waited in pieces.
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    if (ms <= 0) return resolve();
    const until = clock.now() + ms;
    let cancel: () => void = () => {};
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const wait = () => {
      const left = until - clock.now();
      if (left > 0) cancel = clock.after(Math.min(left, MAX_TIMER_MS), wait);
      else {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    cancel = clock.after(Math.min(ms, MAX_TIMER_MS), wait);
  });
}
