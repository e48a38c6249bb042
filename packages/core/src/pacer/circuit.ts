import type { Parameters } from './parameters.ts';
import type { PaceOutcome } from './types.ts';

/** Closed until a target is down; then one probe at a time, and the first answer closes it. */
export class Circuit {
  open = false;
  nextProbeAt = 0;
  readonly #p: Parameters;
  readonly #random: () => number;
  #row = 0;
  /** Who failed first in the row, and whether somebody else did. */
  #who: unknown;
  #several = false;
  #probes = 0;
  #probeSentAt: number | undefined;

  constructor(parameters: Parameters, random: () => number) {
    this.#p = parameters;
    this.#random = random;
  }

  /**
   * An operation ended.
   *
   * @param who - identifies the operation: one that fails alone says nothing about the target
   * @returns true when it has just opened or closed
   */
  note(outcome: PaceOutcome, sentAt: number, now: number, who: unknown): boolean {
    const probe = this.open && sentAt === this.#probeSentAt;
    if (probe) this.#probeSentAt = undefined;
    if (outcome === 'void') return false;
    if (outcome !== 'outage') return this.#answered();
    if (this.open) {
      if (probe) this.#plan(now);
      return false;
    }
    if (this.#row++ === 0) {
      this.#who = who;
      this.#several = false;
    } else if (who !== this.#who) this.#several = true;
    if (this.#row < this.#p.failures || !this.#several) return false;
    this.open = true;
    this.#probes = 0;
    this.#probeSentAt = undefined;
    this.#plan(now);
    return true;
  }

  /** Something succeeded while it is closed. */
  calm(): void {
    this.#row = 0;
  }

  /** Ms until a probe may go; 0: now. One that does not come back does not hold up the next for ever. */
  wait(now: number): number {
    const at = this.#probeSentAt === undefined ? this.nextProbeAt : this.#probeSentAt + this.#p.probeMostMs;
    return Math.max(0, at - now);
  }

  probing(now: number): void {
    this.#probeSentAt = now;
  }

  #answered(): boolean {
    this.#row = 0;
    this.#who = undefined;
    const opened = this.open;
    this.open = false;
    return opened;
  }

  #plan(now: number): void {
    const { probeMs, probeMostMs } = this.#p;
    const most = Math.min(probeMostMs, probeMs * 2 ** this.#probes++);
    this.nextProbeAt = now + most * (0.5 + this.#random() / 2);
  }
}
