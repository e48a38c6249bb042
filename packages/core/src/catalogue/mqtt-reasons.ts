import type { EvidenceFields } from '../evidence.ts';
import type { Judgement, MqttReasonRow, MqttStatusRow } from './types.ts';

/*
 * Return codes of MQTT 3.1.1 and reason codes of MQTT 5. `executed` is that of the packet the code
 * usually comes in; `judgeMqttReason` corrects it by packet: a refused CONNECT, SUBSCRIBE or PUBLISH
 * was not executed, whatever was in flight at a DISCONNECT is in doubt.
 */

const protocol = { category: 'protocol', advice: 'never', executed: 'no' } as const;
const badRequest = { category: 'bad-request', advice: 'never', executed: 'no' } as const;
const credentials = { category: 'unauthorized', advice: 'renew-credentials', executed: 'no' } as const;
const forbidden = { category: 'unauthorized', advice: 'never', executed: 'no' } as const;
const server = { category: 'server', advice: 'backoff', executed: 'no' } as const;
const throttled = { category: 'throttled', advice: 'throttled', executed: 'no' } as const;
/** Follow the server reference. */
const moved = { category: 'not-found', advice: 'never', executed: 'no' } as const;

/** CONNACK of MQTT 3.1 and 3.1.1 [MQTT-3.1.1 3.2.2.3]. */
export const connack311Rows = [
  { value: 1, reason: 'Unacceptable protocol version', ...protocol },
  { value: 2, reason: 'Identifier rejected', ...badRequest },
  // IoT Hub answers so to a disabled device as well as in trouble of its own.
  { value: 3, reason: 'Server unavailable', ...server, candidates: [403012, 429001, 503001] },
  { value: 4, reason: 'Bad user name or password', ...credentials, candidates: [401002] },
  { value: 5, reason: 'Not authorized', ...credentials, candidates: [401002, 404001] },
] as const satisfies readonly MqttReasonRow[];

/** SUBACK of MQTT 3.1.1: one code for every refusal [MQTT-3.1.1 3.9.3]. */
export const suback311Rows = [
  // Rights, an unknown topic, too many subscriptions: it does not say which.
  { value: 0x80, reason: 'Failure', category: 'unknown', advice: 'never', executed: 'no' },
] as const satisfies readonly MqttReasonRow[];

/** Reason codes of MQTT 5 from 0x80 up [MQTT 5.0, 2.4]. */
export const mqtt5Rows = [
  { value: 0x80, reason: 'Unspecified error', category: 'unknown', advice: 'never', executed: 'no' },
  { value: 0x81, reason: 'Malformed Packet', ...protocol },
  { value: 0x82, reason: 'Protocol Error', ...protocol },
  // IoT Hub's preview says the cause in the user property `status`.
  { value: 0x83, reason: 'Implementation specific error', category: 'unknown', advice: 'never', executed: 'no' },
  { value: 0x84, reason: 'Unsupported Protocol Version', ...protocol },
  { value: 0x85, reason: 'Client Identifier not valid', ...badRequest },
  { value: 0x86, reason: 'Bad User Name or Password', ...credentials },
  { value: 0x87, reason: 'Not authorized', ...credentials },
  { value: 0x88, reason: 'Server unavailable', ...server },
  { value: 0x89, reason: 'Server busy', ...server, advice: 'throttled' },
  { value: 0x8a, reason: 'Banned', ...forbidden },
  { value: 0x8b, reason: 'Server shutting down', ...server },
  { value: 0x8c, reason: 'Bad authentication method', ...forbidden },
  { value: 0x8d, reason: 'Keep Alive timeout', category: 'timeout', advice: 'backoff', executed: 'unknown' },
  // Two owners of one client id would evict each other for ever.
  {
    value: 0x8e,
    reason: 'Session taken over',
    category: 'conflict',
    advice: 'never',
    executed: 'unknown',
    candidates: [400027],
  },
  { value: 0x8f, reason: 'Topic Filter invalid', ...badRequest },
  { value: 0x90, reason: 'Topic Name invalid', ...badRequest },
  // The two ends' session states differ: a clean start mends it.
  { value: 0x91, reason: 'Packet Identifier in use', ...protocol },
  { value: 0x92, reason: 'Packet Identifier not found', ...protocol, executed: 'unknown' },
  { value: 0x93, reason: 'Receive Maximum exceeded', category: 'throttled', advice: 'backoff', executed: 'unknown' },
  { value: 0x94, reason: 'Topic Alias invalid', ...protocol },
  { value: 0x95, reason: 'Packet too large', ...badRequest, candidates: [413001] },
  { value: 0x96, reason: 'Message rate too high', ...throttled },
  // A rate, or the quota of a day: the code alone cannot tell.
  {
    value: 0x97,
    reason: 'Quota exceeded',
    category: 'quota',
    advice: 'never',
    executed: 'no',
    candidates: [403002, 429001],
  },
  { value: 0x98, reason: 'Administrative action', ...server },
  { value: 0x99, reason: 'Payload format invalid', ...badRequest },
  { value: 0x9a, reason: 'Retain not supported', ...badRequest },
  { value: 0x9b, reason: 'QoS not supported', ...badRequest },
  { value: 0x9c, reason: 'Use another server', ...moved },
  { value: 0x9d, reason: 'Server moved', ...moved },
  { value: 0x9e, reason: 'Shared Subscriptions not supported', ...badRequest },
  { value: 0x9f, reason: 'Connection rate exceeded', ...throttled },
  { value: 0xa0, reason: 'Maximum connect time', category: 'server', advice: 'now', executed: 'unknown' },
  { value: 0xa1, reason: 'Subscription Identifiers not supported', ...badRequest },
  { value: 0xa2, reason: 'Wildcard Subscriptions not supported', ...badRequest },
] as const satisfies readonly MqttReasonRow[];

/**
 * IoT Hub's MQTT 5 preview: the user property `status`. The two lowest bits of the high byte tell
 * whose fault it is (01 the client's, 10 the server's), the next marks what may be repeated.
 */
export const mqttStatusRows = [
  { status: '0001', reason: 'NotModified', category: 'precondition', advice: 'never', executed: 'no' },
  { status: '0100', reason: 'BadRequest', ...badRequest },
  { status: '0101', reason: 'NotAuthorized', ...credentials },
  { status: '0102', reason: 'NotAllowed', ...badRequest },
  { status: '0103', reason: 'Conflict', category: 'conflict', advice: 'never', executed: 'unknown' },
  { status: '0104', reason: 'PreconditionFailed', category: 'precondition', advice: 'never', executed: 'no' },
  { status: '0501', reason: 'Throttled', ...throttled, candidates: [429001] },
  // Its bits say "repeat", though it clears only at the next UTC day.
  {
    status: '0502',
    reason: 'QuotaExceeded',
    category: 'quota',
    advice: 'at-reset',
    executed: 'no',
    candidates: [403002],
  },
  {
    status: '0503',
    reason: 'ResourceExhausted',
    category: 'quota',
    advice: 'never',
    executed: 'no',
    candidates: [403004],
  },
  // Its bits say "repeat"; the classic 404001 is final.
  { status: '0504', reason: 'NotFound', ...moved, candidates: [404001] },
  { status: '0601', reason: 'ServerError', ...server, executed: 'unknown' },
  { status: '0602', reason: 'Timeout', category: 'timeout', advice: 'backoff', executed: 'unknown' },
  { status: '0603', reason: 'ServerBusy', ...server, advice: 'throttled', executed: 'unknown' },
  {
    status: '06A0',
    reason: 'TargetUnavailable',
    category: 'offline',
    advice: 'never',
    executed: 'no',
    candidates: [404103],
  },
  {
    status: '06A1',
    reason: 'TargetTimeout',
    category: 'timeout',
    advice: 'backoff',
    executed: 'unknown',
    candidates: [504101],
  },
  { status: '06A2', reason: 'TargetFailed', ...server, executed: 'unknown' },
] as const satisfies readonly MqttStatusRow[];

/**
 * Over MQTT 3.1.1 the hub has no packet for a fault: it closes the connection. What a close
 * without a word may stand for: take-over, quota, throttling, expired token, oversize, idle.
 */
export const silentCloseCandidates = [400027, 401003, 403002, 404104, 413001, 429001] as const;

type Packet = NonNullable<EvidenceFields['packet']>;

/** What a packet's refusal says about what it answers. */
const executedBy: Partial<Record<Packet, Judgement['executed']>> = {
  connack: 'no',
  suback: 'no',
  unsuback: 'no',
  puback: 'no',
  pubrec: 'no',
  auth: 'no',
  disconnect: 'unknown',
  // The message was released already: it may have been delivered.
  pubcomp: 'unknown',
};

const index = (rows: readonly MqttReasonRow[]) => new Map(rows.map((row) => [row.value, row]));
let tables:
  | { connack: Map<number, MqttReasonRow>; suback: Map<number, MqttReasonRow>; v5: Map<number, MqttReasonRow> }
  | undefined;

/**
 * What a return or reason code says. Codes 1–5 in a CONNACK are those of 3.1.1 whatever the client
 * asked for (brokers without MQTT 5 answer so); codes from 0x80 up are those of MQTT 5.
 */
export function judgeMqttReason(value: number, packet?: Packet, protocolVersion?: number): Judgement | undefined {
  tables ??= { connack: index(connack311Rows), suback: index(suback311Rows), v5: index(mqtt5Rows) };
  const old = (protocolVersion ?? 4) < 5;
  const row =
    value < 0x80
      ? packet === undefined || packet === 'connack'
        ? tables.connack.get(value)
        : undefined
      : old && packet === 'suback'
        ? (tables.suback.get(value) ?? tables.v5.get(value))
        : tables.v5.get(value);
  const executed = packet && executedBy[packet];
  return row && executed ? { ...row, executed } : row;
}

/** What a reason says that is given by its name in any letter case, or as `0x87`. */
export function judgeMqttName(name: string): Judgement | undefined {
  const hex = /^0x([0-9a-f]{2})$/i.exec(name)?.[1];
  if (hex !== undefined) return judgeMqttReason(Number.parseInt(hex, 16));
  const key = name.toLowerCase();
  return [...mqtt5Rows, ...connack311Rows].find((row) => row.reason.toLowerCase() === key);
}

/**
 * The reason whose name a text begins with, as clients and brokers spell it: `Not authorised.`,
 * `BadUserNameOrPassword)`, `broker unavailable`.
 */
export function judgeMqttNameAt(text: string): Judgement | undefined {
  const words = lettersOf(text.slice(0, 80))
    .replace('authoris', 'authoriz')
    .replace(/^broker/, 'server')
    .replace('namepass', 'nameorpass');
  return [...mqtt5Rows, ...connack311Rows].find((row) => words.startsWith(lettersOf(row.reason)));
}

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '');
}

let byStatus: ReadonlyMap<string, MqttStatusRow> | undefined;

/** What the user property `status` says: a known one, else by its bits; `undefined` for success and no hex. */
export function judgeMqttStatus(status: string): Judgement | undefined {
  if (!/^[0-9a-f]{1,4}$/i.test(status)) return undefined;
  const four = status.toUpperCase().padStart(4, '0');
  byStatus ??= new Map<string, MqttStatusRow>(mqttStatusRows.map((row) => [row.status, row]));
  const known = byStatus.get(four);
  if (known) return known;
  const high = Number.parseInt(four.slice(0, 2), 16);
  const side = high & 0b011;
  if (side === 0b01) return { reason: four, ...((high & 0b100) === 0 ? badRequest : throttled) };
  if (side === 0b10) return { reason: four, ...server, executed: 'unknown' };
  return undefined;
}
