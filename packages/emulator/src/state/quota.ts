import type { Clock } from './clock.ts';
import { CloudFault } from './fault.ts';

/** Messages are metered in blocks of 4 KB (devguide-quotas-throttling). */
const BLOCK = 4 * 1024;
const DAY_MS = 86_400_000;

/** The daily message quota of the hub; begins anew at UTC midnight. */
export class DailyQuota {
  /** Messages a day; `Infinity` for none. */
  limit: number;
  readonly #clock: Clock;
  #day = -1;
  #used = 0;

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.limit = limit;
  }

  /** @throws CloudFault quota-exceeded, without spending anything */
  spend(bytes: number): void {
    const blocks = Math.max(1, Math.ceil(bytes / BLOCK));
    if (this.used + blocks > this.limit) throw new CloudFault('quota-exceeded');
    this.#used += blocks;
  }

  get used(): number {
    const today = Math.floor(this.#clock.now() / DAY_MS);
    if (today !== this.#day) {
      this.#day = today;
      this.#used = 0;
    }
    return this.#used;
  }
}
