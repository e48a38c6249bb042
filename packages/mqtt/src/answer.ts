import type { IPublishPacket } from 'mqtt';
import { type Exchange, queryOf, statusIn } from './exchange.ts';

/** What `request` gives. */
export interface MqttAnswer<T = unknown> {
  /** From the topic or, over MQTT 5, the user property `status`; 200 where the answer carries none. */
  readonly status: number;
  /** Parsed JSON of twin and DPS (`undefined` for an empty body); the bytes of any other pair. */
  readonly payload: T;
  /** Of the topic's query (`$version`, `retry-after`) and the MQTT 5 user properties. */
  readonly properties: Readonly<Record<string, string>>;
}

/** An answer as it came. */
export interface RawAnswer {
  readonly topic: string;
  readonly payload: Buffer;
  readonly properties: IPublishPacket['properties'];
}

/** @throws SyntaxError when a body that must be JSON is not */
export function readAnswer<T>(raw: RawAnswer, exchange: Exchange): MqttAnswer<T> {
  const properties = { ...queryOf(raw.topic), ...userProperties(raw.properties) };
  const payload: unknown = exchange.service === 'other' ? raw.payload : parse(raw.payload);
  return { status: statusOf(raw, exchange), payload: payload as T, properties };
}

function statusOf({ topic, properties }: RawAnswer, exchange: Exchange): number {
  const said = userProperties(properties).status;
  const inTopic = statusIn(topic);
  if (exchange.service !== 'other') return inTopic ?? 200;
  return (/^[1-5]\d\d$/.test(said ?? '') ? Number(said) : inTopic) ?? 200;
}

function parse(payload: Buffer): unknown {
  const text = payload.toString('utf8').trim();
  return text === '' ? undefined : JSON.parse(text);
}

function userProperties(properties: RawAnswer['properties']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(properties?.userProperties ?? {})) {
    const one = Array.isArray(value) ? value[0] : value;
    if (typeof one === 'string') flat[name] = one;
  }
  return flat;
}
