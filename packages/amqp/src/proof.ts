import type { AnyDeviceCloudError, Clock } from '@faultmap/core';

/** A refusal may follow an OPEN at once: so long it must hold to count as back, unless a session begins. */
const GOOD_AFTER_MS = 1_000;

/** Finds out when a connection is good again after a fault. */
export class Proof {
  readonly #clock: Clock;
  readonly #onGood: (fault: AnyDeviceCloudError) => void;
  #fault: AnyDeviceCloudError | undefined;
  #cancel: () => void = () => {};

  /** @param onGood - called once after a fault */
  constructor(clock: Clock, onGood: (fault: AnyDeviceCloudError) => void) {
    this.#clock = clock;
    this.#onGood = onGood;
  }

  /** The connection is lost. */
  lost(fault: AnyDeviceCloudError): void {
    this.stop();
    this.#fault = fault;
  }

  /** The peer sent its OPEN. */
  opened(): void {
    this.stop();
    if (this.#fault) this.#cancel = this.#clock.after(GOOD_AFTER_MS, () => this.good());
  }

  /** It holds: time has passed, or a session began. */
  good(): void {
    this.stop();
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault) this.#onGood(fault);
  }

  stop(): void {
    this.#cancel();
    this.#cancel = () => {};
  }
}
