import type { Clock } from '../clock.ts';
import type { AnyDeviceCloudError } from '../errors.ts';
import type { FaultEvents } from '../events.ts';
import type { Pacer } from '../pacer/types.ts';

/** How operations are repeated. Every field is optional; `undefined` means not given. */
export interface RetryOptions {
  /** Attempts in all, the first included. @default 4 */
  readonly maxAttempts?: number | undefined;
  /** From the call to the last moment a repeat may start or run. @default 60000 */
  readonly deadlineMs?: number | undefined;
  /**
   * First backoff ceiling; doubles each time. @default 250, or 50 where a pacer guards the target
   * (its circuit protects a cloud that is down, so a single fault need not wait long)
   */
  readonly baseDelayMs?: number | undefined;
  /** @default 10000 */
  readonly maxDelayMs?: number | undefined;
  /** First backoff ceiling after a throttling answer without a hint. @default 2000 */
  readonly throttledBaseDelayMs?: number | undefined;
  /** @default 30000 */
  readonly throttledMaxDelayMs?: number | undefined;
  /** A longer wait asked for by the cloud ends the operation (`stopped: 'hint-too-long'`). @default 60000 */
  readonly maxRetryAfterMs?: number | undefined;
  /** May the operation run twice without harm? @default false */
  readonly idempotent?: boolean | undefined;
  /** Ends waits at once, with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Shared pace per target; `false`: none. */
  readonly pacer?: Pacer | false | undefined;
  /** Last word on a repeat: `true` repeats, `false` stops, `undefined` leaves it to the policy. */
  readonly shouldRetry?: ((error: AnyDeviceCloudError, context: RetryContext) => boolean | undefined) | undefined;
  /** Time, for tests. @default the system's */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1), for tests. @default Math.random */
  readonly random?: (() => number) | undefined;
}

export interface RetryContext {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  /** What the policy decided. */
  readonly wouldRetry: boolean;
  readonly elapsedMs: number;
}

/** What an adapter adds for one operation. */
export interface OperationOptions {
  /** Name, for messages and events. */
  readonly operation?: string | undefined;
  /** Where `fault`, `retry`, `give-up` and `recovered` are told. */
  readonly events?: FaultEvents | undefined;
  /** Key of the pacer: host and operation class. */
  readonly pacerKey?: string | undefined;
  /** `retry: false` was given: faults are typed and told, nothing is repeated (`stopped: 'disabled'`). @default false */
  readonly disabled?: boolean | undefined;
  /** The deadline also ends the first attempt. @default false: attaching must not shorten what worked */
  readonly hardDeadline?: boolean | undefined;
  /** The operation deletes: a 404 after an attempt of unknown outcome may be its own doing. @default false */
  readonly deletes?: boolean | undefined;
  /** Raw failure → typed error; `undefined`: not a fault of a cloud, passes through as it is. */
  readonly classify?: ((raw: unknown) => AnyDeviceCloudError | undefined) | undefined;
  /**
   * The first attempt was made already, outside, and failed with this; `startedAt` is the clock's
   * time of the call. Such a first attempt is not paced and its success is not counted: leave it
   * out where the pace matters, `runOperation` adds next to nothing to a success.
   */
  readonly firstFailure?: { readonly raw: unknown; readonly startedAt: number } | undefined;
  /** `false`: what was sent is used up, so it is never repeated (`stopped: 'body'`). @default true */
  readonly replayable?: boolean | undefined;
  /** Asked once, after `renew-credentials`: `true` when there are new ones, and then one repeat follows at once. */
  readonly renew?:
    | ((context: {
        readonly error: AnyDeviceCloudError;
        readonly attempt: number;
        readonly signal: AbortSignal | undefined;
      }) => Promise<boolean>)
    | undefined;
  /**
   * Runs before each repeat, after its wait: release a stream, rewind a body. What it throws ends
   * the operation and is passed through.
   */
  readonly beforeRepeat?: ((error: AnyDeviceCloudError, attempt: number) => Promise<void> | void) | undefined;
}

export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** Aborted by the caller, and for repeats (with `hardDeadline` always) at the deadline. */
  readonly signal: AbortSignal | undefined;
  /** Say that nothing is sent yet (offline, no credit): until `sent()` it does not count in `attempts` of the error. */
  unsent(): void;
  /** Take `unsent` back. */
  sent(): void;
}

/** What is run: once for each attempt. */
export type Operation<T> = (attempt: Attempt) => Promise<T> | T;
