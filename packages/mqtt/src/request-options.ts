import type { RetryOptions } from '@faultmap/core';
import { type OptionRule, resolveOptions, rules } from '@faultmap/core/adapter';
import type { IPublishPacket } from 'mqtt';

/** Text and bytes are sent as they are, anything else as JSON. */
export type RequestPayload = string | Uint8Array | object | undefined;

/** Options of one request; `undefined` is not given. */
export interface MqttRequestOptions {
  /** Laid over those of `attachMqtt`, field by field; `false`: no repeats. */
  readonly retry?: RetryOptions | false | undefined;
  /** May it run twice without harm? @default true for twin GET and DPS */
  readonly idempotent?: boolean | undefined;
  /** Ends the request with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Where answers come, for a pair of topics other than twin and DPS: a topic, or a filter with wildcards.
   * Over MQTT 5 the request carries it with correlation data; over 3.1.1 it carries `?$rid=`, to be
   * repeated in the topic of the answer.
   */
  readonly responseTopic?: string | undefined;
  /** @default 0: a lost request is asked again, not kept */
  readonly qos?: 0 | 1 | 2 | undefined;
  /** Limit of one attempt in ms. @default that of `attachMqtt` */
  readonly attemptTimeoutMs?: number | undefined;
  /** Of the PUBLISH, MQTT 5 only. */
  readonly properties?: IPublishPacket['properties'] | undefined;
}

const RULES: Readonly<Record<keyof MqttRequestOptions, OptionRule>> = {
  retry: rules.either(rules.oneOf(false), rules.object),
  idempotent: rules.boolean,
  signal: rules.object,
  responseTopic: rules.string,
  qos: rules.oneOf(0, 1, 2),
  attemptTimeoutMs: rules.ms,
  properties: rules.object,
};

/** Checked, with defaults filled in. */
export interface ResolvedRequestOptions {
  readonly retry: RetryOptions | false | undefined;
  readonly signal: AbortSignal | undefined;
  readonly idempotent: boolean | undefined;
  readonly responseTopic: string | undefined;
  readonly qos: 0 | 1 | 2;
  readonly attemptTimeoutMs: number;
  readonly properties: IPublishPacket['properties'] | undefined;
}

/** @throws TypeError naming option, expected and received */
export function resolveRequestOptions(
  given: MqttRequestOptions | undefined,
  attemptTimeoutMs: number,
): ResolvedRequestOptions {
  const options = resolveOptions<MqttRequestOptions>('request', given, {}, RULES);
  return {
    retry: options.retry,
    signal: options.signal ?? (options.retry || undefined)?.signal,
    idempotent: options.idempotent,
    responseTopic: options.responseTopic,
    qos: options.qos ?? 0,
    attemptTimeoutMs: options.attemptTimeoutMs ?? attemptTimeoutMs,
    properties: options.properties,
  };
}

export function toBytes(payload: RequestPayload): Buffer {
  if (payload === undefined) return Buffer.alloc(0);
  if (typeof payload === 'string') return Buffer.from(payload, 'utf8');
  return payload instanceof Uint8Array ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload), 'utf8');
}
