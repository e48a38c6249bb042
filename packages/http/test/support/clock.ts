import type { Clock } from '@faultmap/core';

/** Time that goes on only when told to. A class, since axios clones plain objects in a config. */
export class ManualClock implements Clock {
  #now = 1_700_000_000_000;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** When the next timer is due, in ms from now. */
  get nextMs(): number | undefined {
    const due = [...this.#timers].map(({ at }) => at);
    return due.length === 0 ? undefined : Math.min(...due) - this.#now;
  }

  get pending(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }
}

/** Let promises and loopback go on until something holds. Bounded. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) {
    if (holds()) return;
    await new Promise((next) => setTimeout(next, 1));
  }
  throw new Error('it never came to hold');
}
