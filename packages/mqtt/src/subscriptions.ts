import { KNOWN_FILTERS } from './exchange.ts';

/**
 * Where answers come: subscribed to once for each filter, and before the first request, since an
 * answer nobody is subscribed to is not sent at all. A session that is not resumed loses them.
 */
export class Subscriptions {
  readonly #subscribe: (filter: string) => Promise<void>;
  readonly #wanted = new Set<string>(KNOWN_FILTERS);
  readonly #made = new Map<string, Promise<void>>();

  constructor(subscribe: (filter: string) => Promise<void>) {
    this.#subscribe = subscribe;
  }

  ensure(filter: string): Promise<void> {
    const made = this.#made.get(filter);
    if (made) return made;
    const making = this.#subscribe(filter);
    this.#wanted.add(filter);
    this.#made.set(filter, making);
    making.catch(() => {
      if (this.#made.get(filter) === making) this.#made.delete(filter);
    });
    return making;
  }

  /** The broker granted this one, whoever asked: the program, or mqtt.js after a reconnect. */
  granted(filter: string): void {
    if (this.#wanted.has(filter)) this.#made.set(filter, Promise.resolve());
  }

  lost(filter: string): void {
    this.#made.delete(filter);
  }

  newSession(): void {
    this.#made.clear();
  }
}
