import {
  type Evidence,
  type EvidenceFields,
  evidence,
  readMqttAnswer,
  readMqttPacket,
  readSystemError,
  redact,
} from '@faultmap/core/adapter';

/** What the raw form alone does not tell. */
export interface MqttContext {
  /** MQTT protocol level of the connection: 3, 4 (3.1.1) or 5. The same code means another thing in each. */
  readonly protocolVersion?: number | undefined;
}

/**
 * Read what mqtt.js gives: an error of its own, a node error, a packet, or an answer that came on
 * a topic (`{ topic, payload, properties }`). Structural: no class of the library is asked for.
 *
 * @returns `undefined` for anything else, and for what refuses nothing; never throws
 */
export function readMqtt(input: unknown, context: MqttContext = {}): Evidence | undefined {
  try {
    if (typeof input !== 'object' || input === null) return undefined;
    return readPacket(input, context) ?? readError(input, context);
  } catch {
    return undefined; // a getter or proxy that throws
  }
}

function readPacket(input: object, context: MqttContext): Evidence | undefined {
  if ('topic' in input && typeof input.topic === 'string' && 'payload' in input) {
    const properties = 'properties' in input ? input.properties : undefined;
    return readMqttAnswer({ topic: input.topic, payload: input.payload, properties });
  }
  const seen = readMqttPacket(input, context);
  return seen && evidence({ ...seen, cause: refusal(input) });
}

/** The part of a packet worth keeping: a CONNACK can carry authentication data. */
function refusal(packet: object): object {
  const { cmd, reasonCode, returnCode, granted, messageId, properties } = packet as Record<string, unknown>;
  const { reasonString, userProperties, serverReference } = (properties ?? {}) as Record<string, unknown>;
  const kept = { cmd, reasonCode, returnCode, granted, messageId, reasonString, userProperties, serverReference };
  return JSON.parse(JSON.stringify(kept), (_, value) => (typeof value === 'string' ? redact(value) : value));
}

/* What mqtt.js says without a code. `Not supported` and the like are its parser's. */
/** Of an operation that mqtt.js calls off: why the connection went is not in it. */
const FLUSHED: ReadonlySet<string> = new Set(['Connection closed', 'client disconnecting', 'No connection to broker']);
const CONNACK = /^Connection refused: /;
const PUBLISH = /^Publish error: /;
const UPGRADE = /^Unexpected server response: (\d{3})$/;
const UNENCODABLE =
  /^(Username is required to use password|Invalid (username|password|clientId|protocol|keepalive|Will)|clientId must be supplied)/i;
const GARBAGE =
  /^(Invalid (header flag|variable byte integer|suback|subscribe|unsuback|publish|puback|pubrec|pubrel|pubcomp|connack|disconnect|auth|connect flag|protocolId|packet)|Cannot parse|Not supported$|Packet must|Malformed|Wrong (sub|unsub)|Unknown property|Empty (subscribe|unsubscribe)|Protocol error|unrecognized packet|exceeding packets size|topicAliasMaximum from broker)/i;

function readError(error: object, context: MqttContext): Evidence | undefined {
  const message = 'message' in error && typeof error.message === 'string' ? error.message : undefined;
  if (message === undefined) return undefined;
  const packet = 'packet' in error && typeof error.packet === 'object' ? readMqtt(error.packet, context) : undefined;
  if (packet) return evidence({ ...packet, cause: error });
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return readCode(error, message, code, context);
  const said = readMessage(message);
  if (said) return evidence({ transport: 'mqtt', text: message, cause: error, ...said });
  const system = readSystemError(error);
  if (system) return evidence({ ...system, transport: 'mqtt', scope: 'connection' });
  // What node throws at options, for instance ERR_SOCKET_BAD_PORT: the socket was not even made.
  const refused = typeof code === 'string' && code.startsWith('ERR_');
  return refused ? evidence({ ...socketless, systemCode: code, text: message, cause: error }) : undefined;
}

/** `ErrorWithReasonCode`: what the server said, or what mqtt.js itself holds against the server. */
function readCode(cause: object, text: string, code: number, context: MqttContext): Evidence | undefined {
  const cmd = CONNACK.test(text) ? 'connack' : PUBLISH.test(text) ? 'puback' : undefined;
  if (cmd === undefined)
    return evidence({ transport: 'mqtt', scope: 'connection', violation: true, local: true, text, cause });
  const seen = readMqttPacket({ cmd, reasonCode: code }, context);
  return seen && evidence({ ...seen, text, cause });
}

function readMessage(message: string): EvidenceFields | undefined {
  if (message === 'connack timeout') return { scope: 'connection', timedOut: 'connect', executed: 'no' };
  if (message === 'Keepalive timeout') return { scope: 'connection', timedOut: 'keepalive' };
  if (message === "Couldn't connect to server") return silentClose;
  if (FLUSHED.has(message)) return {};
  const upgrade = UPGRADE.exec(message);
  if (upgrade) return { scope: 'connection', httpStatus: Number(upgrade[1]), executed: 'no' };
  if (UNENCODABLE.test(message)) return { scope: 'connection', ...unencodable };
  return GARBAGE.test(message) ? { scope: 'connection', violation: true } : undefined;
}

const socketless: EvidenceFields = { transport: 'mqtt', scope: 'connection', executed: 'no' };

/**
 * The connection went without a word, as IoT Hub's does for every fault over MQTT 3.1.1. What mqtt.js
 * says of it ("Connection closed") is no text of the cloud.
 */
export const silentClose: EvidenceFields = {
  transport: 'mqtt',
  scope: 'connection',
  silentClose: true,
  text: undefined,
};

/** The CONNECT never left: it cannot be written as it is. */
export const unencodable: EvidenceFields = { local: true, violation: true, executed: 'no' };
