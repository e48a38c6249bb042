import type { Clock } from '../clock.ts';
import type { AnyDeviceCloudError } from '../errors.ts';

/** How one target and operation class is doing. */
export type PacerState =
  | { readonly mode: 'off' }
  | {
      readonly mode: 'pacing';
      /** Operations per second that this process sends. */
      readonly perSecond: number;
      /** Operations that wait. */
      readonly backlog: number;
    }
  | {
      readonly mode: 'open';
      readonly backlog: number;
      /** When the next operation is let through to see whether the target is back. */
      readonly nextProbeAt: Date;
    };

/** A key whose mode changed. */
export interface PacerChange {
  /** Target and operation class, as the adapter or `pacerKey` names them. */
  readonly key: string;
  readonly state: PacerState;
}

/** Called at once; an exception of it becomes a process warning. */
export type PacerListener = (change: PacerChange) => void;

/** Options of `createPacer`. Every field may be left out. */
export interface PacerOptions {
  /**
   * Operations that may wait, per key; one more is given up (`stopped: 'paced-out'`). `Infinity`: no limit.
   * @default 100000: memory has an end, and a shorter queue would end operations that have time
   */
  readonly maxQueued?: number | undefined;
  /**
   * Begin with few operations at once instead of all, one more per success: for bulk jobs. The
   * number to begin with; `true` is 4. @default false: attaching must not make a healthy program wait
   */
  readonly slowStart?: boolean | number | undefined;
  /** Time, for tests. @default the system's */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1), for tests. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/**
 * One pace for all operations of a process on one target and operation class, its key. Off, and
 * without any effect, until the target throttles or is down.
 */
export interface Pacer {
  /** How a key is doing now. */
  state(key: string): PacerState;
  /** The keys in use; those off and unused for 60 s are dropped. */
  keys(): string[];
  /** Told when a key turns on or off, opens or closes: so that an application can shed load. */
  on(name: 'change', listener: PacerListener): void;
  /** Stop listening. */
  off(name: 'change', listener: PacerListener): void;
  /** For `runOperation` and adapters: where operations of a key pass. */
  gate(key: string): Gate;
}

/**
 * What an operation's end tells the pacer about the target.
 *
 * - `success`, `throttled`: move the rate
 * - `outage`: the target is down (no connection, 500 or 503); five in a row open the circuit
 * - `answered`: it is not down, whatever it said
 * - `void`: nothing (cancelled, never sent)
 */
export type PaceOutcome = 'success' | 'throttled' | 'outage' | 'answered' | 'void';

/** What is known of an operation that failed. */
export interface Failed {
  readonly error: AnyDeviceCloudError;
  /** Identifies the operation: one that fails alone says nothing about its target. */
  readonly who: object;
  /** The longest wait it would choose by itself, in ms: where to begin when nothing is known of the rate. */
  readonly backoffMs: number;
}

/** One that wants to go. */
export interface Entry {
  /** A repeat goes before new work. */
  readonly repeat: boolean;
  /** Ends the wait, with its reason. */
  readonly signal: AbortSignal | undefined;
  /** Until when its turn must come, in ms. On the clock of the pacer; may be Infinity. */
  readonly deadlineAt: number;
}

/** Where the operations of one key pass. */
export interface Gate {
  /** Nothing to wait for: go without asking, but raise `inFlight`. */
  readonly free: boolean;
  /** Operations on their way; lowered by `report`. */
  inFlight: number;
  /**
   * Wait for one's turn.
   *
   * @returns the time of sending, for `report`; or why it was not let through. `inFlight` is raised
   * @throws `signal.reason`, as a rejection, when aborted
   */
  enter(entry: Entry): Promise<number | PacedOut>;
  /** How an operation that was sent at `sentAt` ended; `failed` for all but successes. */
  report(sentAt: number, outcome: PaceOutcome, failed?: Failed): void;
  /** About how long a new entry would wait, in ms. */
  projectedMs(repeat: boolean): number;
}

/** Why an operation was not let through. */
export interface PacedOut {
  /** `paced-out`: too many wait already; `deadline`: its turn did not come in time. */
  readonly stopped: 'paced-out' | 'deadline';
  /** The fault that made everybody wait. */
  readonly because: AnyDeviceCloudError | undefined;
}
