import type { Clock, RetryOptions } from '@faultmap/core';
import {
  type Credentials,
  type OptionRule,
  type ReconnectOptions,
  resolveOptions,
  rules,
} from '@faultmap/core/adapter';

/** A token for the `$cbs` node. */
export interface CbsToken {
  /** What it is for (the audience), for instance `my-hub.azure-devices.net/devices/pump-1`. */
  readonly name: string;
  readonly token: string;
  /** @default servicebus.windows.net:sastoken */
  readonly type?: string | undefined;
}

/** What `credentials` of the AMQP adapter returns. All but `cbs` is written into `connection.options`. */
export interface AmqpCredentials {
  readonly username?: string | undefined;
  /** For SASL PLAIN. */
  readonly password?: string | undefined;
  /** For SASL XOAUTH2. */
  readonly token?: string | undefined;
  /**
   * Put at the `$cbs` node when the connection is open again, before the links are attached; and
   * before the one repeat of a send or request that was refused as unauthorized.
   */
  readonly cbs?: CbsToken | undefined;
}

export interface AmqpOptions {
  /** How `send` and `request` are repeated; `false`: not at all. */
  readonly retry?: RetryOptions | false | undefined;
  /**
   * How a lost connection is made again. `false` leaves it to the library. Not given: governed, unless
   * the library's own reconnect is switched off.
   */
  readonly reconnect?: ReconnectOptions | false | undefined;
  /** Fresh credentials, asked for before every reconnect, and before the one repeat after a 401. */
  readonly credentials?: Credentials<AmqpCredentials> | undefined;
  /**
   * Errors that nobody listens to become faults and do not end the process. Exceptions thrown by the
   * application's own listeners still do.
   * @default false, because attaching changes nothing
   */
  readonly keepAlive?: boolean | undefined;
  /** How long a send waits for an open link with credit. @default 10000 */
  readonly creditTimeoutMs?: number | undefined;
  /** How long a send waits for its outcome, a request for its answer. @default 30000 */
  readonly attemptTimeoutMs?: number | undefined;
  /**
   * How long the peer may be silent; after twice that time the connection is taken for lost. The peer is told
   * and sends heartbeats. Holds where the options of `connect` have no `idle_time_out`, from the next OPEN on.
   * `Infinity`: not set, so that rhea notices nothing.
   * @default 60000, MQTT's usual keepalive: without, it may take the system a quarter of an hour
   */
  readonly idleTimeoutMs?: number | undefined;
  /** Time, for tests. @default the system's */
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1), for tests. @default Math.random */
  readonly random?: (() => number) | undefined;
}

export interface SendOptions {
  readonly retry?: RetryOptions | false | undefined;
  /** May the message arrive twice without harm? Then an unknown outcome is repeated as well. @default false */
  readonly idempotent?: boolean | undefined;
  /** Ends waits with `signal.reason`. A message that was written may still arrive. */
  readonly signal?: AbortSignal | undefined;
  readonly creditTimeoutMs?: number | undefined;
  readonly attemptTimeoutMs?: number | undefined;
  /** Name for messages and events. @default `send <address>` */
  readonly operation?: string | undefined;
}

export interface RequestOptions extends SendOptions {
  /** Options of the two links, as rhea takes them; laid over `target` and `source` of the address. */
  readonly links?: { readonly sender?: object | undefined; readonly receiver?: object | undefined } | undefined;
  /** `reply_to` of the request. @default `cbs` for `$cbs`; for other `$` nodes the answer link's own address */
  readonly replyTo?: string | undefined;
}

export interface ResolvedOptions {
  readonly keepAlive: boolean;
  readonly creditTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly retry: RetryOptions | false | undefined;
  readonly reconnect: ReconnectOptions | false | undefined;
  readonly credentials: Credentials<AmqpCredentials> | undefined;
  readonly clock: Clock | undefined;
  readonly random: (() => number) | undefined;
}

/** What AMQP does differently from core's table: a lost link or connection needs a moment to be back. */
export const AMQP_RETRY_DEFAULTS = {
  baseDelayMs: 500,
  throttledBaseDelayMs: 4_000,
} as const satisfies RetryOptions;

const DEFAULTS: ResolvedOptions = {
  keepAlive: false,
  creditTimeoutMs: 10_000,
  attemptTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  retry: undefined,
  reconnect: undefined,
  credentials: undefined,
  clock: undefined,
  random: undefined,
};

const objectOrFalse: OptionRule = {
  expected: 'an object, or false',
  ok: (v) => v === false || rules.object.ok(v),
};

/** Doubled it must fit a timer. */
const MAX_IDLE_MS = 1_000_000_000;

const idleTimeout: OptionRule = {
  expected: `a whole number of milliseconds from 1 to ${MAX_IDLE_MS}, or Infinity for none`,
  ok: (v) => v === Infinity || (Number.isInteger(v) && (v as number) >= 1 && (v as number) <= MAX_IDLE_MS),
};

const RULES: Readonly<Record<keyof ResolvedOptions, OptionRule>> = {
  keepAlive: rules.boolean,
  creditTimeoutMs: rules.ms,
  attemptTimeoutMs: rules.ms,
  idleTimeoutMs: idleTimeout,
  retry: objectOrFalse,
  reconnect: objectOrFalse,
  credentials: rules.function,
  clock: rules.object,
  random: rules.function,
};

const cbsToken: OptionRule = {
  expected: 'an object { name, token, type? } of strings',
  ok: (v) => {
    if (!rules.object.ok(v)) return false;
    const { name, token, type } = v as Record<string, unknown>;
    return [name, token, type ?? ''].every((one) => typeof one === 'string');
  },
};

/** What `credentials` may give. */
export const CREDENTIALS_FIELDS: Readonly<Record<keyof AmqpCredentials, OptionRule>> = {
  username: rules.string,
  password: rules.string,
  token: rules.string,
  cbs: cbsToken,
};

/** Check what was given and fill in the defaults; `retry` and `reconnect` are checked by core. */
export function resolveAmqpOptions(given: AmqpOptions | undefined): ResolvedOptions {
  return resolveOptions<ResolvedOptions>('attachAmqp', given, DEFAULTS, RULES);
}

interface CallOptions {
  readonly retry: RetryOptions | false | undefined;
  readonly idempotent: boolean | undefined;
  readonly signal: AbortSignal | undefined;
  readonly creditTimeoutMs: number | undefined;
  readonly attemptTimeoutMs: number | undefined;
  readonly operation: string | undefined;
  readonly links: RequestOptions['links'];
  readonly replyTo: string | undefined;
}

const CALL_DEFAULTS: CallOptions = {
  retry: undefined,
  idempotent: undefined,
  signal: undefined,
  creditTimeoutMs: undefined,
  attemptTimeoutMs: undefined,
  operation: undefined,
  links: undefined,
  replyTo: undefined,
};

const CALL_RULES: Readonly<Record<keyof CallOptions, OptionRule>> = {
  retry: objectOrFalse,
  idempotent: rules.boolean,
  signal: rules.object,
  creditTimeoutMs: rules.ms,
  attemptTimeoutMs: rules.ms,
  operation: rules.string,
  links: rules.object,
  replyTo: rules.string,
};

/** Check the options of one `send` or `request`. */
export function resolveCallOptions(owner: string, given: RequestOptions | undefined): CallOptions {
  return resolveOptions<CallOptions>(owner, given, CALL_DEFAULTS, CALL_RULES);
}
