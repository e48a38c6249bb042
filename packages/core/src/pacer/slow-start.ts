import type { Parameters } from './parameters.ts';

/** Few at once, one more per success: how a bulk job begins, and how a target that was down is met again. */
export class SlowStart {
  readonly #p: Parameters;
  #limit: number;
  /** When those on their way were sent, ascending. */
  readonly #sent: number[] = [];

  constructor(parameters: Parameters, concurrency: number) {
    this.#p = parameters;
    this.#limit = concurrency;
  }

  get over(): boolean {
    return this.#limit >= this.#p.startedConcurrency;
  }

  /** Ms until one more may go; 0: now. */
  wait(now: number): number {
    while (this.#sent.length > 0 && now - (this.#sent[0] as number) >= this.#p.slotMs) this.#sent.shift();
    if (this.#sent.length < this.#limit) return 0;
    return (this.#sent[0] as number) + this.#p.slotMs - now;
  }

  sent(now: number): void {
    this.#sent.push(now);
  }

  ended(sentAt: number, success: boolean): void {
    const at = this.#sent.indexOf(sentAt);
    if (at >= 0) this.#sent.splice(at, 1);
    if (success) this.#limit++;
  }
}
