import type { Entry, PacedOut } from './types.ts';

/** One that waits. */
export interface Waiter {
  readonly entry: Entry;
  /** Let through at this time, or not at all. */
  readonly settle: (turn: number | PacedOut) => void;
  before: Waiter | undefined;
  after: Waiter | undefined;
  list: Line | undefined;
}

/** First in, first out; leaving from the middle costs nothing. */
export class Line {
  length = 0;
  #first: Waiter | undefined;
  #last: Waiter | undefined;

  push(waiter: Waiter): void {
    waiter.list = this;
    waiter.before = this.#last;
    waiter.after = undefined;
    if (this.#last) this.#last.after = waiter;
    else this.#first = waiter;
    this.#last = waiter;
    this.length++;
  }

  shift(): Waiter | undefined {
    const first = this.#first;
    if (first) this.remove(first);
    return first;
  }

  remove(waiter: Waiter): void {
    if (waiter.list !== this) return;
    if (waiter.before) waiter.before.after = waiter.after;
    else this.#first = waiter.after;
    if (waiter.after) waiter.after.before = waiter.before;
    else this.#last = waiter.before;
    waiter.list = undefined;
    this.length--;
  }
}

/** Everybody who waits for one key: repeats before new work. */
export class Queue {
  readonly #repeats = new Line();
  readonly #fresh = new Line();

  get length(): number {
    return this.#repeats.length + this.#fresh.length;
  }

  /** How many are before one that comes now. */
  ahead(repeat: boolean): number {
    return repeat ? this.#repeats.length : this.length;
  }

  push(waiter: Waiter): void {
    (waiter.entry.repeat ? this.#repeats : this.#fresh).push(waiter);
  }

  next(): Waiter | undefined {
    return this.#repeats.shift() ?? this.#fresh.shift();
  }

  /** Whom to send to a target that is down: who has most attempts left. */
  nextProbe(): Waiter | undefined {
    return this.#fresh.shift() ?? this.#repeats.shift();
  }
}
