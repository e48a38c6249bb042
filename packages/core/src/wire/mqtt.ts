import { type Evidence, type EvidenceFields, evidence } from '../evidence.ts';
import { attempt, get, getNumber, getString } from '../shape.ts';
import { payloadFields } from './http.ts';
import { readPayload } from './payload.ts';
import { parseRetryAfter, retryAfterInProse } from './retry-after.ts';
import { trackingIdOf } from './tracking-id.ts';

type Packet = NonNullable<EvidenceFields['packet']>;
const PACKETS: ReadonlySet<string> = new Set<Packet>([
  'connack',
  'disconnect',
  'puback',
  'pubrec',
  'pubcomp',
  'suback',
  'unsuback',
  'auth',
]);
const SCOPES: Record<Packet, EvidenceFields['scope'] & string> = {
  connack: 'connection',
  disconnect: 'connection',
  auth: 'connection',
  puback: 'publish',
  pubrec: 'publish',
  pubcomp: 'publish',
  suback: 'subscription',
  unsuback: 'subscription',
};

/**
 * Read an MQTT packet that refuses something, structurally: `{ cmd, returnCode | reasonCode |
 * granted, properties }`. A code of 3.1.1 means another thing than the same one of MQTT 5, so the
 * protocol level counts: 3, 4 (3.1.1) or 5.
 *
 * @returns `undefined` for a packet that refuses nothing; never throws
 */
export function readMqttPacket(
  packet: unknown,
  { protocolVersion }: { readonly protocolVersion?: number | undefined } = {},
): Evidence | undefined {
  return attempt(() => {
    const cmd = getString(packet, 'cmd') as Packet | undefined;
    if (cmd === undefined || !PACKETS.has(cmd)) return undefined;
    const reasonCode = reasonOf(packet, cmd);
    if (reasonCode === undefined || !refuses(cmd, reasonCode)) return undefined;
    const properties = get(packet, 'properties');
    const text = getString(properties, 'reasonString');
    const users = userProperties(properties);
    return evidence({
      transport: 'mqtt',
      scope: SCOPES[cmd],
      packet: cmd,
      reasonCode,
      protocolVersion: protocolVersion ?? (reasonCode >= 0x80 && cmd !== 'suback' ? 5 : undefined),
      statusProperty: users('status'),
      serverReference: getString(properties, 'serverReference'),
      trackingId: trackingIdOf(users('trace-id')),
      text: text ?? users('reason'),
      retryAfterMs: text === undefined ? undefined : retryAfterInProse(text),
    });
  });
}

function reasonOf(packet: unknown, cmd: Packet): number | undefined {
  if (cmd !== 'suback' && cmd !== 'unsuback') return getNumber(packet, 'reasonCode') ?? getNumber(packet, 'returnCode');
  const granted = get(packet, 'granted') ?? get(packet, 'reasonCodes');
  if (!Array.isArray(granted)) return getNumber(granted, 'qos') ?? getNumber(packet, 'reasonCode');
  const codes = granted.slice(0, 1000).map((one: unknown) => (typeof one === 'number' ? one : getNumber(one, 'qos')));
  return codes.find((code) => code !== undefined && code >= 0x80);
}

/** A CONNACK refuses with 1 and above (3.1.1) or 128 and above (5); 0x10 and the like are news, not refusals. */
function refuses(cmd: Packet, code: number): boolean {
  return cmd === 'connack' ? code > 0 : code >= 0x80;
}

/** User properties come as one string or several per name. */
function userProperties(properties: unknown): (name: string) => string | undefined {
  const users = get(properties, 'userProperties');
  return (name) => {
    const value = get(users, name);
    const one: unknown = Array.isArray(value) ? value[0] : value;
    return typeof one === 'string' && one !== '' ? one : undefined;
  };
}

/** `$iothub/twin/res/{status}/?$rid=…`, `$dps/registrations/res/{status}/?$rid=…&retry-after=…`. */
const ANSWER = /^\$(iothub\/twin|dps\/registrations)\/res\/(\d{3})\/(?:\?(.{0,2000}))?$/s;

/**
 * Read an answer that came on a topic of IoT Hub or DPS, or MQTT 5's `$iothub/responses` with its
 * `status` property.
 *
 * @returns `undefined` for a success or any other topic; never throws
 */
export function readMqttAnswer(answer: {
  readonly topic: string;
  /** Bytes, text or a parsed object. */
  readonly payload?: unknown;
  /** Of the packet, as mqtt-packet gives them. */
  readonly properties?: unknown;
  /** Ms since the epoch, for dates in a hint. @default Date.now() */
  readonly now?: number;
}): Evidence | undefined {
  return attempt(() => {
    const { topic, payload: body, properties } = answer;
    const match = ANSWER.exec(topic);
    const users = userProperties(properties);
    if (!match) return topic.startsWith('$iothub/responses') ? readResponse(topic, users) : undefined;
    const status = Number(match[2]);
    const payload = readPayload(body);
    if (status < 300 && payload.failed === undefined) return undefined;
    return evidence({
      transport: 'mqtt',
      scope: 'request',
      address: topic,
      ...payloadFields(payload),
      service: match[1] === 'dps/registrations' ? 'dps' : 'iot-hub',
      answerStatus: status,
      retryAfterMs:
        topicRetryAfter(match[3], answer.now) ??
        (payload.text === undefined ? undefined : retryAfterInProse(payload.text)),
    });
  });
}

/** MQTT 5 preview: absent `status` is a success; so is 00xx. */
function readResponse(topic: string, users: (name: string) => string | undefined): Evidence | undefined {
  const status = users('status')?.toUpperCase().padStart(4, '0');
  if (status === undefined || !/^[0-9A-F]{4}$/.test(status) || status.startsWith('00')) return undefined;
  return evidence({
    transport: 'mqtt',
    scope: 'request',
    address: topic,
    protocolVersion: 5,
    statusProperty: status,
    trackingId: trackingIdOf(users('trace-id')),
    text: users('reason'),
  });
}

/** Both spellings are in use, so the key is matched in any letter case, at any place. */
function topicRetryAfter(query: string | undefined, now: number | undefined): number | undefined {
  for (const pair of query?.split('&') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).toLowerCase() === 'retry-after')
      return parseRetryAfter(pair.slice(at + 1), now ?? Date.now());
  }
  return undefined;
}
