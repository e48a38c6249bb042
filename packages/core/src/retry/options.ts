import type { Clock } from '../clock.ts';
import type { AnyDeviceCloudError } from '../errors.ts';
import type { FaultEvents } from '../events.ts';
import type { Pacer } from '../pacer/types.ts';

/**
 * How operations are repeated. Every field is optional; `undefined` means not given. Times are in
 * ms. The defaults are those of `retry` and HTTP; the MQTT and AMQP adapters say where theirs differ.
 */
export interface RetryOptions {
  /**
   * Attempts in all, the first included; 1 or more, `Infinity` for no limit but the deadline.
   * @default 4: what passes by itself has passed by then, and each one more is load for a cloud in need
   */
  readonly maxAttempts?: number | undefined;
  /**
   * From the call to the last moment a repeat may start or run, waits included. `Infinity`: none.
   * @default 60000: twice the 30 s that a direct method of IoT Hub may take, so that it fits a second time
   */
  readonly deadlineMs?: number | undefined;
  /**
   * First backoff ceiling; doubles each time. @default 250, or 50 where a pacer guards the target
   * (its circuit protects a cloud that is down, so a single fault need not wait long)
   */
  readonly baseDelayMs?: number | undefined;
  /** Highest backoff ceiling. @default 10000, as in the SDKs of IoT Hub for C#, Java and Node */
  readonly maxDelayMs?: number | undefined;
  /**
   * First backoff ceiling after a throttling answer without a hint; doubles each time.
   * @default 2000: a limit that was passed takes longer to be free again than a fault to pass
   */
  readonly throttledBaseDelayMs?: number | undefined;
  /** Highest backoff ceiling after throttling. @default 30000: IoT Hub counts by the second or the minute */
  readonly throttledMaxDelayMs?: number | undefined;
  /**
   * A longer wait asked for by the cloud ends the operation (`stopped: 'hint-too-long'`); none is
   * shortened. `Infinity`: any wait is obeyed. @default 60000, as long as the deadline
   */
  readonly maxRetryAfterMs?: number | undefined;
  /** May the operation run twice without harm? @default false: nothing is run twice on a guess */
  readonly idempotent?: boolean | undefined;
  /** Ends waits at once, with `signal.reason`, and is handed on to each attempt. @default none */
  readonly signal?: AbortSignal | undefined;
  /** Shared pace per target; `false`: none. @default the process' own where there is a `pacerKey`, else none */
  readonly pacer?: Pacer | false | undefined;
  /**
   * Last word on a repeat: `true` repeats, `false` stops, `undefined` leaves it to the policy. The
   * limits hold whatever it says: attempts, deadline, a body that is used up, `retry: false`. It
   * answers at once; a promise ends the operation with a TypeError. @default the policy
   */
  readonly shouldRetry?: ((error: AnyDeviceCloudError, context: RetryContext) => boolean | undefined) | undefined;
  /** Time, for tests. @default the system's */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1), for tests. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** What `shouldRetry` is told besides the error. */
export interface RetryContext {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  /** What the policy decided. */
  readonly wouldRetry: boolean;
  /** Since the call, in ms. */
  readonly elapsedMs: number;
}

/** What an adapter adds for one operation. */
export interface OperationOptions {
  /** Name, for messages and events, which mask secrets in it. @default none */
  readonly operation?: string | undefined;
  /** Where `fault`, `retry`, `give-up` and `recovered` are told. @default the diagnostics channels only */
  readonly events?: FaultEvents | undefined;
  /** Key of the pacer: target and operation class, since clouds throttle those apart. @default none: not paced */
  readonly pacerKey?: string | undefined;
  /** `retry: false` was given: faults are typed and told, nothing is repeated (`stopped: 'disabled'`). @default false */
  readonly disabled?: boolean | undefined;
  /** The deadline also ends the first attempt. @default false: attaching must not shorten what worked */
  readonly hardDeadline?: boolean | undefined;
  /** The operation deletes: a 404 after an attempt of unknown outcome may be its own doing. @default false */
  readonly deletes?: boolean | undefined;
  /**
   * Raw failure → typed error; `undefined`: not a fault of a cloud, passes through as it is.
   * @default core's `classify`; an AbortError and mistakes of the program pass
   */
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

/** What an operation is told of the attempt it makes, and tells of it. */
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

/** What is run: once for each attempt. It gives the result, or throws or rejects with what went wrong. */
export type Operation<T> = (attempt: Attempt) => Promise<T> | T;
