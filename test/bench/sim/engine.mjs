// Discrete events on a virtual clock: seeded, so that every figure can be made again.

/** A small fast generator (sfc32), uniform in [0, 1). */
export function seeded(seed) {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = seed >>> 0;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

/** Events in order of time, then of their making. */
class Heap {
  items = [];

  push(event) {
    const { items } = this;
    let i = items.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(event, items[parent])) break;
      items[i] = items[parent];
      i = parent;
    }
    items[i] = event;
  }

  pop() {
    const { items } = this;
    const first = items[0];
    const last = items.pop();
    if (items.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1], items[child])) child++;
      if (!before(items[child], last)) break;
      items[i] = items[child];
      i = child;
    }
    items[i] = last;
    return first;
  }
}

const before = (a, b) => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Engine {
  #heap = new Heap();
  #order = 0;
  #now = 0;
  events = 0;

  /** The clock that is given to what is simulated. */
  clock = {
    now: () => this.#now,
    after: (ms, run) => {
      // What is simulated runs promises: let them settle before time goes on.
      const event = this.#push(ms, run, true);
      return () => {
        event.run = undefined;
      };
    },
  };

  get now() {
    return this.#now;
  }

  /** Run `run` after `ms`; `settles`: it resolves promises. */
  after(ms, run, settles = false) {
    this.#push(ms, run, settles);
  }

  #push(ms, run, settles) {
    const event = { at: this.#now + Math.max(0, ms), order: this.#order++, run, settles };
    this.#heap.push(event);
    return event;
  }

  /** Until nothing is left, or `untilMs`. */
  async run(untilMs = Infinity) {
    await tick();
    while (this.#heap.items.length > 0) {
      const event = this.#heap.pop();
      if (event.run === undefined) continue;
      if (event.at > untilMs) break;
      this.#now = event.at;
      this.events++;
      event.run();
      if (event.settles) await tick();
    }
    return this.#now;
  }
}

const tick = () => new Promise((resolve) => setImmediate(resolve));
