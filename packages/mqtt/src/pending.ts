import type { Clock } from '@faultmap/core';

export type Callback = (error?: unknown, ...rest: unknown[]) => unknown;

/** One publish, subscribe or unsubscribe that somebody waits for. */
export interface Pending {
  /** For messages and events. */
  readonly operation: string;
  readonly kind: 'publish' | 'subscribe' | 'unsubscribe';
  readonly qos: number;
  readonly topics: readonly string[];
  /** What mqtt.js was given as callback. */
  readonly callback: Callback;
  /** The program's own callback. */
  readonly answer: Callback;
  /** Gives it to mqtt.js. */
  readonly submit: () => unknown;
  readonly since: number;
  /** Ids of its packets, as far as they are known. */
  readonly messageIds: number[];
  /** A request of ours waits for it, and tells how it ended. */
  readonly forRequest: boolean;
  /** How often a packet of it was written to a socket, of this connection or an earlier one. */
  attempts: number;
  /** When the last one was written to the present connection. */
  writtenAt?: number | undefined;
}

export interface PendingLimits {
  readonly operationTimeoutMs: number;
  readonly offlineTimeoutMs: number;
  readonly clock: Clock;
  readonly expired: (one: Pending, why: 'unanswered' | 'offline') => void;
}

/** What is waited for, under one timer: the oldest is always the next to expire. */
export class PendingList {
  readonly #limits: PendingLimits;
  /** In order of their calls. */
  readonly #all = new Set<Pending>();
  /** In order of their writing to the present connection. */
  readonly #written = new Set<Pending>();
  #connected: boolean;
  #offlineSince: number;
  /** When something last moved on the present connection. */
  #movedAt: number;
  #cancel: (() => void) | undefined;
  #dueAt = Infinity;

  constructor(limits: PendingLimits, connected: boolean) {
    this.#limits = limits;
    this.#connected = connected;
    this.#movedAt = limits.clock.now();
    this.#offlineSince = this.#movedAt;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Pending> {
    return this.#all.values();
  }

  has(one: Pending): boolean {
    return this.#all.has(one);
  }

  add(one: Pending): void {
    this.#all.add(one);
    this.#arm();
  }

  wrote(one: Pending): void {
    one.attempts++;
    one.writtenAt = this.#limits.clock.now();
    this.#movedAt = one.writtenAt;
    if (!this.#all.has(one)) return;
    this.#written.delete(one);
    this.#written.add(one);
    this.#arm();
  }

  done(one: Pending): void {
    this.#all.delete(one);
    this.#written.delete(one);
    this.#movedAt = this.#limits.clock.now();
    if (this.#all.size === 0) this.#disarm();
  }

  connected(): void {
    this.#connected = true;
    this.#movedAt = this.#limits.clock.now();
    this.#rearm();
  }

  /** What was written waits again: mqtt.js sends QoS 1 and 2 once more on the next connection. */
  disconnected(): void {
    this.#connected = false;
    this.#offlineSince = this.#limits.clock.now();
    for (const one of this.#written) one.writtenAt = undefined;
    this.#written.clear();
    this.#rearm();
  }

  clear(): void {
    this.#all.clear();
    this.#written.clear();
    this.#disarm();
  }

  #rearm(): void {
    this.#disarm();
    this.#arm();
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#dueAt = Infinity;
  }

  /** A running timer is left alone: when it fires, what is due is looked up anew. */
  #arm(): void {
    const due = this.#next();
    if (due === Infinity || due >= this.#dueAt) return;
    this.#cancel?.();
    this.#dueAt = due;
    const ms = Math.min(Math.max(0, due - this.#limits.clock.now()), 2 ** 31 - 1);
    this.#cancel = this.#limits.clock.after(Math.ceil(ms), () => this.#fire());
  }

  #next(): number {
    const [oldest] = this.#all;
    if (!oldest) return Infinity;
    const { operationTimeoutMs, offlineTimeoutMs } = this.#limits;
    if (!this.#connected) return Math.max(oldest.since, this.#offlineSince) + offlineTimeoutMs;
    const [first] = this.#written;
    // Nothing is on its way, and yet something waits: it is stuck once nothing moved for as long.
    return (first?.writtenAt ?? Math.max(this.#movedAt, oldest.since)) + operationTimeoutMs;
  }

  #fire(): void {
    this.#cancel = undefined;
    this.#dueAt = Infinity;
    const now = this.#limits.clock.now();
    // Bounded: an expired one leaves the list, whatever `expired` does.
    for (let left = this.#all.size; left > 0 && this.#next() <= now; left--) {
      const one = this.#connected ? (first(this.#written) ?? first(this.#all)) : first(this.#all);
      if (!one) break;
      this.#all.delete(one);
      this.#written.delete(one);
      this.#limits.expired(one, this.#connected ? 'unanswered' : 'offline');
    }
    this.#arm();
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const one of set) return one;
  return undefined;
}
