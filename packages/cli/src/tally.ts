import type { Advice, AnyDeviceCloudError } from '@faultmap/core';

/** What was counted of one kind of fault. */
export interface TallyGroup {
  readonly code: number | null;
  readonly reason: string;
  readonly category: string;
  readonly advice: Advice;
  readonly transient: boolean;
  count: number;
  /** ISO time of the first and last entry that has one. */
  first: string | null;
  last: string | null;
  /** Tracking id of one of them, for support. */
  trackingId: string | null;
  /** File and line of the first. */
  readonly where: string;
}

/** A log may hold any number of names; more kinds than this are counted together. */
const MOST_GROUPS = 1_000;

/** Counts faults by code, else by reason, with first and last time. */
export class Tally {
  readonly #groups = new Map<string, TallyGroup>();
  faults = 0;

  add(error: AnyDeviceCloudError, time: Date | undefined, where: string): void {
    this.faults++;
    const group = this.#group(error, where);
    group.count++;
    group.trackingId ??= error.trackingId ?? null;
    const at = time?.toISOString();
    if (at === undefined) return;
    if (group.first === null || at < group.first) group.first = at;
    if (group.last === null || at > group.last) group.last = at;
  }

  /** Most frequent first. */
  groups(): readonly TallyGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count);
  }

  #group({ code, reason, category, advice, transient }: AnyDeviceCloudError, where: string): TallyGroup {
    const full = this.#groups.size >= MOST_GROUPS;
    const key = `${code ?? ''} ${reason} ${category}`;
    const there = this.#groups.get(key) ?? (full ? this.#groups.get(category) : undefined);
    if (there) return there;
    const times = { count: 0, first: null, last: null, trackingId: null };
    const made: TallyGroup = full
      ? { code: null, reason: '(other)', category, advice, transient, ...times, where }
      : { code: code ?? null, reason, category, advice, transient, ...times, where };
    this.#groups.set(full ? category : key, made);
    return made;
  }
}
