import type { Clock } from '../clock.ts';
import type { Stopped } from '../error.ts';
import type { AnyDeviceCloudError } from '../errors.ts';

/** How a lost connection is made again (MQTT and AMQP, one shape). */
export interface ReconnectOptions {
  /** @default 1000 */
  readonly baseDelayMs?: number | undefined;
  /** @default 60000 */
  readonly maxDelayMs?: number | undefined;
  /** @default 10000 */
  readonly throttledBaseDelayMs?: number | undefined;
  /** A connection closed sooner than this after it was accepted counts as a failure. @default 30000 */
  readonly stableAfterMs?: number | undefined;
  /** @default 30000 */
  readonly connectTimeoutMs?: number | undefined;
  /** After a fault that repeating will not mend: probe slowly, or stop until `resume()`. @default 'slow' */
  readonly onPermanentFault?: 'slow' | 'stop' | undefined;
  /** Mean of the slow probes, uniform(0.5, 1.5) ×. @default 900000 */
  readonly slowDelayMs?: number | undefined;
  /** A newer connection took over: wait before coming back, or stop until `resume()`. @default 'wait' */
  readonly onTakeOver?: 'wait' | 'stop' | undefined;
  /** Doubles up to 1,800,000. @default 60000 */
  readonly takeOverDelayMs?: number | undefined;
  /**
   * A quota is used up and its reset is known (403002: the next UTC midnight): wait for it, probe slowly as
   * after a permanent fault (the quota may be raised, or the clock wrong), or stop until `resume()`.
   * @default 'wait'
   */
  readonly onQuota?: 'wait' | 'slow' | 'stop' | undefined;
  /** Fleet size and connections per second of the hub: spreads the first reconnect over 1.05·size/rate. */
  readonly fleet?: { readonly size: number; readonly connectionsPerSecond: number } | undefined;
  /** @default Infinity */
  readonly maxAttempts?: number | undefined;
}

export type ReconnectDecision =
  | {
      readonly action: 'reconnect';
      /** `probe` and `take-over` are slow on purpose: the adapter tells `give-up` with `nextProbeAt` once. */
      readonly kind: 'backoff' | 'probe' | 'take-over' | 'at-reset';
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

export interface ReconnectSetup {
  /** For messages, for instance `attachMqtt`. */
  readonly owner?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

/** Fresh credentials, asked for before a reconnect and before the one repeat after a 401. */
export type Credentials<T> = (context: {
  readonly error: AnyDeviceCloudError;
  readonly attempt: number;
  readonly signal: AbortSignal;
}) => T | undefined | Promise<T | undefined>;
