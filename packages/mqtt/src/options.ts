import type { Clock, RetryOptions } from '@faultmap/core';
import {
  type Credentials,
  type OptionRule,
  type ReconnectOptions,
  type ResolvedRetryOptions,
  resolveOptions,
  resolveReconnectOptions,
  resolveRetryOptions,
  rules,
} from '@faultmap/core/adapter';

/** What a `credentials` function gives: merged into the client's options before the next CONNECT. */
export interface MqttCredentials {
  readonly username?: string | undefined;
  readonly password?: string | Buffer | undefined;
  readonly clientId?: string | undefined;
}

/** Options of `attachMqtt`. Every field may be left out; `undefined` is not given. */
export interface MqttOptions {
  /** How `request` is repeated; `false`: not at all. @default 4 attempts, 500 ms to 10 s, 60 s in all (DPS 120 s) */
  readonly retry?: RetryOptions | false | undefined;
  /**
   * How a lost connection is made again; `false` leaves it to mqtt.js.
   * @default the shared policy of core; `false` for a client made with `reconnectPeriod: 0`, which says the same
   */
  readonly reconnect?: ReconnectOptions | false | undefined;
  /** Asked before a reconnect that needs fresh ones. One call at a time, 10 s. */
  readonly credentials?: Credentials<MqttCredentials> | undefined;
  /**
   * Limit of publish, subscribe and unsubscribe: connected time since the packet was written, counted
   * anew when mqtt.js sends it again. A QoS 1 or 2 message is withdrawn first, so that rejected means:
   * not sent any more. `Infinity`: none.
   * @default 60000, above any answer of a broker that is alive
   */
  readonly operationTimeoutMs?: number | undefined;
  /**
   * How long publish, subscribe and unsubscribe may wait without a connection. `Infinity` keeps
   * mqtt.js' store and forward. @default Infinity
   */
  readonly offlineTimeoutMs?: number | undefined;
  /**
   * A QoS 1 or 2 publish, or a subscription, is taken back, and rejected, when this many connections in a row
   * closed just after it was written, with nothing else unacknowledged. From the first such close on, a new
   * connection must answer a PINGREQ (or hold for 5 s) before anything is sent again. A subscription that was
   * taken back is refused to the program too, for `reconnect.slowDelayMs` or until `resume()`. `Infinity`:
   * never, as mqtt.js has it.
   * @default 3: one may be chance, and each costs a connection
   */
  readonly withdrawAfterCloses?: number | undefined;
  /** Limit of one attempt of `request`, from writing it to its answer. @default 10000 */
  readonly attemptTimeoutMs?: number | undefined;
  /** Time, for tests. The reconnect itself runs on mqtt.js' timers. @default the system's */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1), for tests. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** What the parts of an attachment work with. */
export interface ResolvedMqttOptions {
  readonly retry: ResolvedRetryOptions;
  readonly reconnect: ReconnectOptions | false | undefined;
  readonly credentials: Credentials<MqttCredentials> | undefined;
  readonly operationTimeoutMs: number;
  readonly offlineTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly withdrawAfterCloses: number;
  readonly clock: Clock | undefined;
  readonly random: (() => number) | undefined;
}

const DEFAULTS: ResolvedMqttOptions = {
  retry: {},
  reconnect: undefined,
  credentials: undefined,
  operationTimeoutMs: 60_000,
  offlineTimeoutMs: Infinity,
  attemptTimeoutMs: 10_000,
  withdrawAfterCloses: 3,
  clock: undefined,
  random: undefined,
};

/** What `credentials` may give. */
export const CREDENTIALS_FIELDS: Readonly<Record<keyof MqttCredentials, OptionRule>> = {
  username: rules.string,
  password: rules.either(rules.string, { expected: 'a Buffer', ok: (v) => v instanceof Uint8Array }),
  clientId: rules.string,
};

const falseOrObject = rules.either(rules.oneOf(false), rules.object);
const RULES: Readonly<Record<keyof ResolvedMqttOptions, OptionRule>> = {
  retry: falseOrObject,
  reconnect: falseOrObject,
  credentials: rules.function,
  operationTimeoutMs: rules.msOrNever,
  offlineTimeoutMs: rules.msOrNever,
  attemptTimeoutMs: rules.ms,
  withdrawAfterCloses: rules.count,
  clock: rules.object,
  random: rules.function,
};

/** A device answers a person or a rule, not a fleet of requests: fewer, longer waits than HTTP. */
const RETRY_DEFAULTS: RetryOptions = { baseDelayMs: 500, maxDelayMs: 10_000 };

/** @throws TypeError naming option, expected and received */
export function resolveMqttOptions(given: MqttOptions | undefined): ResolvedMqttOptions {
  const options = resolveOptions<ResolvedMqttOptions>('attachMqtt', given, DEFAULTS, RULES);
  const { clock, random, reconnect } = options;
  // Before anything is changed on the client.
  if (reconnect) resolveReconnectOptions('attachMqtt', reconnect);
  const retryDefaults = { ...RETRY_DEFAULTS, ...(clock && { clock }), ...(random && { random }) };
  return { ...options, retry: resolveRetryOptions('attachMqtt', given?.retry, retryDefaults) };
}
