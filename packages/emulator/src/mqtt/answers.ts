import type { IConnackPacket, IPublishPacket, Packet, UserProperties } from 'mqtt-packet';
import { previewForm, REASON, topicFault } from '../forms/mqtt.ts';
import type { Publication } from './topics.ts';

/** What an operation answers, and how it ends. */
export interface Outcome {
  readonly packets: readonly Packet[];
  /** The connection is closed after them. */
  readonly close: boolean;
  /** Word for the log. */
  readonly outcome: string;
  readonly status?: number | undefined;
}

/** A fault to be written, by behaviour or by script. */
export interface Refused {
  readonly code: number;
  readonly outcome: string;
  readonly now: number;
  readonly text?: string | undefined;
  readonly retryAfterS?: number | undefined;
}

/** Topic the answer of a request goes to; nothing for what is no request. */
export function answerTopic(publication: Publication, status: number, extra = ''): string | undefined {
  switch (publication.kind) {
    case 'twin-get':
    case 'twin-patch':
      return `$iothub/twin/res/${status}/?$rid=${publication.rid}${extra}`;
    case 'dps-register':
    case 'dps-status':
      return `$dps/registrations/res/${status}/?$rid=${publication.rid}${extra}`;
    default:
      return undefined;
  }
}

export function publish(
  topic: string,
  payload: string | Buffer,
  properties?: IPublishPacket['properties'],
): IPublishPacket {
  return {
    cmd: 'publish',
    topic,
    payload,
    qos: 0,
    dup: false,
    retain: false,
    ...(properties === undefined ? {} : { properties }),
  };
}

/** Acknowledge a PUBLISH, where it asked for that. */
export function ack(packet: IPublishPacket): Packet[] {
  return packet.qos === 1 && packet.messageId !== undefined ? [{ cmd: 'puback', messageId: packet.messageId }] : [];
}

/** Refuse a request in its answer's topic. */
export function refusedRequest(
  publication: Publication,
  packet: IPublishPacket,
  refused: Refused,
): Outcome | undefined {
  const { status, payload } = topicFault(refused.code, refused.now, { message: refused.text });
  const extra = refused.retryAfterS === undefined ? '' : `&retry-after=${refused.retryAfterS}`;
  const topic = answerTopic(publication, status, extra);
  if (topic === undefined) return undefined;
  return { packets: [...ack(packet), publish(topic, payload)], close: false, outcome: refused.outcome, status };
}

/** Properties a reason travels with in the MQTT 5 preview. */
export function previewProperties(code: number, text?: string): UserProperties {
  const { status, reason } = previewForm(code);
  return { status, reason: text ?? reason, 'trace-id': Date.now().toString(16).padStart(16, '0') };
}

export interface PreviewSetup {
  readonly protocolVersion: number;
  /** The client asked for no reasons: acknowledgements carry no properties (MQTT 5, 3.1.2.11.7). */
  readonly problemInformation: boolean;
}

/**
 * Refuse anything else: 3.1.1 has no packet for it, so the connection is closed without a word;
 * MQTT 5 says it in the PUBACK, or in a DISCONNECT where there is none.
 */
export function refusedPublish(packet: IPublishPacket, refused: Refused, setup: PreviewSetup): Outcome {
  const { outcome } = refused;
  if (setup.protocolVersion !== 5) return { packets: [], close: true, outcome };
  const unacknowledged = packet.qos === 0 || packet.messageId === undefined;
  if (unacknowledged && refused.code === NO_SUCH_TOPIC) return refusedTopic(refused);
  const { reasonCode } = previewForm(refused.code);
  const userProperties = previewProperties(refused.code, refused.text);
  if (unacknowledged) {
    return { packets: [disconnect(reasonCode, { userProperties })], close: true, outcome, status: reasonCode };
  }
  const properties = setup.problemInformation ? { properties: { userProperties } } : {};
  const puback: Packet = { cmd: 'puback', messageId: packet.messageId as number, reasonCode, ...properties };
  return { packets: [puback], close: false, outcome, status: reasonCode };
}

/** The cloud's number for an address it does not have. */
const NO_SUCH_TOPIC = 404006;

/** As the preview's page shows it (iot-hub-mqtt-5@3063533f, "Error while using QoS 0, part 1"). */
function refusedTopic({ outcome, text = '' }: Refused): Outcome {
  const packets = [disconnect(REASON.topicNameInvalid, { userProperties: { reason: text } })];
  return { packets, close: true, outcome, status: REASON.topicNameInvalid };
}

export function disconnect(
  reasonCode: number,
  properties: { reasonString?: string; userProperties?: UserProperties; serverReference?: string } = {},
): Packet {
  return { cmd: 'disconnect', reasonCode, properties };
}

/** CONNACK of a refusal, for the version spoken. */
export function refusedConnack(
  protocolVersion: number,
  codes: { returnCode: number; reasonCode: number },
  properties?: IConnackPacket['properties'],
): Packet {
  if (protocolVersion !== 5) return { cmd: 'connack', returnCode: codes.returnCode, sessionPresent: false };
  return {
    cmd: 'connack',
    reasonCode: codes.reasonCode,
    sessionPresent: false,
    ...(properties === undefined ? {} : { properties }),
  };
}
