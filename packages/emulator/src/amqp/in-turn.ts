/**
 * Runs different things in different ticks, equal ones together. rhea writes neighbouring
 * deliveries that are settled in one tick as one range, and gives the second the outcome of the
 * first: a client would be told that a refused message was accepted.
 */
export class InTurn {
  /** What runs in this tick; undefined between ticks. */
  #now: { readonly kind: unknown } | undefined;
  #later: { readonly kind: unknown; readonly run: () => void }[] = [];

  add(kind: unknown, run: () => void): void {
    if (this.#now === undefined) this.#begin(kind);
    else if (this.#now.kind !== kind || this.#later.length > 0) {
      this.#later.push({ kind, run });
      return;
    }
    run();
  }

  #begin(kind: unknown): void {
    this.#now = { kind };
    setImmediate(() => {
      this.#now = undefined;
      const waiting = this.#later;
      this.#later = [];
      for (const { kind: next, run } of waiting) this.add(next, run);
    });
  }
}
