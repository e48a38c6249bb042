import type { AnyDeviceCloudError, Clock } from '@faultmap/core';

/** Filters that the connection closes at: not to be subscribed to for a while, however often a program asks. */
export class RefusedFilters {
  readonly #clock: Clock;
  readonly #forMs: number;
  readonly #refused = new Map<string, { readonly error: AnyDeviceCloudError; readonly until: number }>();

  constructor(clock: Clock, forMs: number) {
    this.#clock = clock;
    this.#forMs = forMs;
  }

  add(filter: string, error: AnyDeviceCloudError): void {
    this.#refused.set(filter, { error, until: this.#clock.now() + this.#forMs });
  }

  /** Why this one is not subscribed to; `undefined`: it is. */
  of(filter: string): AnyDeviceCloudError | undefined {
    const refused = this.#refused.get(filter);
    if (refused && refused.until <= this.#clock.now()) this.#refused.delete(filter);
    else return refused?.error;
    return undefined;
  }
}
