import { type Executed, strongerExecuted } from '../categories.ts';
import type { Ending, Stopped } from '../error.ts';
import type { AnyDeviceCloudError } from '../errors.ts';

/** What has happened to one operation so far. */
export class Ledger {
  failures = 0;
  /** Attempts that sent something: those are what events count. */
  attempts = 0;
  /** Requests sent, those of inner layers too. */
  sent = 0;
  /** Failures that were throttling. */
  throttles = 0;
  last: AnyDeviceCloudError | undefined;
  readonly waitsMs: number[] = [];
  #executed: Executed = 'no';
  #ownTrace = false;

  /**
   * @param requests - how many were sent in this attempt
   * @param deletes - the operation deletes
   */
  note(error: AnyDeviceCloudError, requests: number, deletes: boolean): void {
    this.#ownTrace = this.#executed !== 'no' && mayBeOwnTrace(error, deletes);
    this.#executed = strongerExecuted(this.#executed, error.executed);
    this.failures++;
    if (requests > 0) this.attempts++;
    if (error.category === 'throttled') this.throttles++;
    this.sent += requests;
    this.last = error;
  }

  /** The last failure may only show that an earlier attempt did run. */
  get ownTrace(): boolean {
    return this.#ownTrace;
  }

  ending(stopped: Stopped): Ending {
    return {
      executed: this.#executed,
      attempts: this.sent,
      waitsMs: this.waitsMs,
      stopped,
      ...(this.#ownTrace && { ownEarlierAttempt: 'possible' as const }),
    };
  }
}

/** Exists already, changed already, gone already: what one's own earlier attempt would leave behind. */
function mayBeOwnTrace({ code, httpStatus, category }: AnyDeviceCloudError, deletes: boolean): boolean {
  if (code !== undefined) return code === 409001 || code === 412001 || (deletes && code === 404001);
  if (category === 'not-found') return deletes && (httpStatus === 404 || httpStatus === 410);
  return (category === 'conflict' && httpStatus === 409) || (category === 'precondition' && httpStatus === 412);
}
