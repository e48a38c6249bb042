import type { Clock } from '../clock.ts';
import type { Stopped } from '../error.ts';
import type { AnyDeviceCloudError } from '../errors.ts';

/**
 * How a lost connection is made again (MQTT and AMQP, one shape). Times are in ms. Waits are full
 * jitter, uniform(0, min(max, base · 2ⁿ)), a wait that the cloud asked for is their floor.
 */
export interface ReconnectOptions {
  /** First backoff ceiling; doubles each time. @default 1000, as in IoT Hub's SDK for C */
  readonly baseDelayMs?: number | undefined;
  /** Highest backoff ceiling. @default 60000: a device is back within a minute of its network */
  readonly maxDelayMs?: number | undefined;
  /** First backoff ceiling after throttling. @default 10000, where IoT Hub's SDK for Node begins */
  readonly throttledBaseDelayMs?: number | undefined;
  /**
   * A connection closed sooner than this after it was accepted counts as a failure, and does not reset
   * the backoff; from the second in a row on the wait is 5 s at least.
   * @default 30000: a server that accepts and then closes must not be asked without end
   */
  readonly stableAfterMs?: number | undefined;
  /**
   * How long one attempt may take until it is accepted.
   * @default 30000; over MQTT mqtt.js' own `connectTimeout`, which is the same
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * After a fault that repeating will not mend: probe slowly, or stop until `resume()`.
   * @default 'slow': a fleet whose credentials were mended in the cloud comes back by itself
   */
  readonly onPermanentFault?: 'slow' | 'stop' | undefined;
  /** Mean of the slow probes, uniform(0.5, 1.5) ×. @default 900000: no load, and no more than half an hour late */
  readonly slowDelayMs?: number | undefined;
  /**
   * A newer connection took over: wait before coming back, or stop until `resume()`.
   * @default 'wait': two owners that come back at once take it from one another without end
   */
  readonly onTakeOver?: 'wait' | 'stop' | undefined;
  /** Least wait after a take-over, at most half as long again; doubles up to 1,800,000. @default 60000 */
  readonly takeOverDelayMs?: number | undefined;
  /**
   * A quota is used up and its reset is known (403002: the next UTC midnight): wait for it, probe slowly as
   * after a permanent fault (the quota may be raised, or the clock wrong), or stop until `resume()`.
   * @default 'wait': nothing helps before
   */
  readonly onQuota?: 'wait' | 'slow' | 'stop' | undefined;
  /**
   * Fleet size and connections per second of the hub: spreads the first reconnect over 1.05 · size / rate
   * seconds, the time that the hub needs to take all in. @default none
   */
  readonly fleet?: { readonly size: number; readonly connectionsPerSecond: number } | undefined;
  /** Failures in a row, then it stops until `resume()`. @default Infinity: nobody else brings a device back */
  readonly maxAttempts?: number | undefined;
}

/** What to do about a lost connection: make it again after `delayMs`, or stop until `resume()`. */
export type ReconnectDecision =
  | {
      readonly action: 'reconnect';
      /** `probe` and `take-over` are slow on purpose: the adapter tells `give-up` with `nextProbeAt` once. */
      readonly kind: 'backoff' | 'probe' | 'take-over' | 'at-reset';
      /** How long to wait, in ms. */
      readonly delayMs: number;
      /** Ask `credentials` before connecting. */
      readonly renewCredentials: boolean;
      /** Failures in a row, from 1. */
      readonly attempt: number;
    }
  | { readonly action: 'stop'; readonly stopped: Stopped; readonly attempt: number };

/** Decides when a connection is made again. Holds no timer: the adapter waits. */
export interface ReconnectGovernor {
  /** The connection was accepted (CONNACK 0, OPEN without a close). */
  accepted(): void;
  /**
   * An attempt failed, or the connection ended.
   *
   * @param how.passing - what it was closed for is being taken out of the way: the next attempt may well
   *   succeed, whatever the error says of itself
   */
  failed(error: AnyDeviceCloudError, how?: { readonly passing?: boolean | undefined }): ReconnectDecision;
  /** The user says: go on as if nothing had happened. */
  resume(): void;
}

/** What an adapter gives its governor. */
export interface ReconnectSetup {
  /** For messages, for instance `attachMqtt`. */
  readonly owner?: string | undefined;
  /** Time, for tests. @default the system's */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1), for tests. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/**
 * Fresh credentials, asked for before a reconnect and before the one repeat after a 401. It has 10 s,
 * then `signal` aborts; `undefined` says that there are no others. `error` is why they are asked for,
 * `attempt` counts its failures in a row.
 */
export type Credentials<T> = (context: {
  readonly error: AnyDeviceCloudError;
  readonly attempt: number;
  readonly signal: AbortSignal;
}) => T | undefined | Promise<T | undefined>;
