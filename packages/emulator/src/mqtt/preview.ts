import type { IPublishPacket, UserProperties } from 'mqtt-packet';
import { CODE_OF } from '../forms/behaviour.ts';
import { REASON } from '../forms/mqtt.ts';
import type { D2cInput } from '../state/events.ts';
import { CloudFault } from '../state/fault.ts';
import type { Identity } from '../state/identity.ts';
import { ack, disconnect, type Outcome, previewProperties, publish, refusedPublish } from './answers.ts';
import { asBuffer, type PublishJob, parseJson, payloadOf } from './operations.ts';
import { text } from './preview-auth.ts';

/*
 * The topics of the cloud's MQTT 5 preview (iot-hub-mqtt-5 and its reference, @3063533f): exact
 * names, properties instead of topic segments, and requests matched by Correlation Data.
 */

/** What a client wants by publishing to a preview topic; the names are those of the log and of faults. */
export type PreviewOperation = 'd2c' | 'twin-get' | 'twin-patch' | 'method-answer';

const TOPICS: ReadonlyMap<string, PreviewOperation> = new Map([
  ['$iothub/telemetry', 'd2c'],
  ['$iothub/twin/get', 'twin-get'],
  ['$iothub/twin/patch/reported', 'twin-patch'],
  ['$iothub/responses', 'method-answer'],
]);

export function previewOperation(topic: string): PreviewOperation | undefined {
  return TOPICS.get(topic);
}

/** Run a PUBLISH to a preview topic. Never throws: faults become outcomes. */
export function performPreview(job: PublishJob, operation: PreviewOperation, identity: Identity): Outcome {
  try {
    return run(job, operation, identity);
  } catch (thrown) {
    if (!(thrown instanceof CloudFault)) process.emitWarning(`The emulator failed: ${String(thrown)}`);
    const fault = thrown instanceof CloudFault ? thrown : new CloudFault('server-error');
    return refusePreview(job, operation, {
      code: CODE_OF[fault.fault],
      outcome: fault.fault,
      text: fault.details.text,
    });
  }
}

/** Write a fault: in the answer of a request, else in the PUBACK or a DISCONNECT. */
export function refusePreview(
  job: PublishJob,
  operation: PreviewOperation,
  refused: { code: number; outcome: string; text?: string | undefined },
): Outcome {
  // QoS 1 is no way to ask: its acknowledgement says so.
  const isRequest = job.packet.qos === 0 && (operation === 'twin-get' || operation === 'twin-patch');
  const { correlationData } = job.packet.properties ?? {};
  if (!isRequest || !correlationData)
    return refusedPublish(job.packet, { ...refused, now: job.cloud.clock.now() }, job);
  const userProperties = previewProperties(refused.code, refused.text);
  return { packets: [respond(correlationData, '', userProperties)], close: false, outcome: refused.outcome };
}

function run(job: PublishJob, operation: PreviewOperation, identity: Identity): Outcome {
  const { packet, cloud } = job;
  if (operation === 'd2c') {
    cloud.sendEvent(identity, telemetryOf(packet), 'mqtt');
    return { packets: ack(packet), close: false, outcome: 'ok' };
  }
  const { correlationData } = packet.properties ?? {};
  if (packet.qos !== 0) throw new CloudFault('argument-invalid', { text: 'Requests and responses have QoS 0' });
  if (!correlationData || correlationData.length > 16) {
    const reason = correlationData
      ? '`Correlation Data` is longer than 16 bytes'
      : '`Correlation Data` property is missing';
    const properties = { userProperties: { status: '0100', reason } };
    return {
      packets: [disconnect(REASON.implementationSpecific, properties)],
      close: true,
      outcome: 'argument-invalid',
    };
  }
  if (operation === 'twin-get') return ok(respond(correlationData, JSON.stringify(cloud.readDeviceTwin(identity))));
  if (operation === 'twin-patch') {
    checkVersion(job, identity);
    const version = cloud.reportProperties(identity, parseJson(packet.payload));
    return ok(respond(correlationData, '', { version: String(version) }));
  }
  const { userProperties } = packet.properties ?? {};
  const status = Number(text(userProperties, 'response-code')) || 0;
  const requestId = idOf(correlationData);
  // A `status` says that the device could not be reached through this connection (06A0).
  if (text(userProperties, 'status') !== '') cloud.methods.refuse(identity, requestId);
  else cloud.methods.answer(identity, requestId, { status, payload: payloadOf(packet.payload) });
  return { packets: [], close: false, outcome: 'ok', status };
}

/** The id of a call, whose bytes are the Correlation Data. */
function idOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** `if-version` of a patch. @throws CloudFault precondition-failed */
function checkVersion({ packet, cloud }: PublishJob, identity: Identity): void {
  const wanted = text(packet.properties?.userProperties, 'if-version');
  if (wanted !== '' && Number(wanted) !== cloud.twins.get(identity).reportedVersion) {
    throw new CloudFault('precondition-failed');
  }
}

function ok(packet: IPublishPacket): Outcome {
  return { packets: [packet], close: false, outcome: 'ok' };
}

function respond(correlationData: Buffer, payload: string, userProperties?: UserProperties): IPublishPacket {
  return publish('$iothub/responses', payload, { correlationData, ...(userProperties ? { userProperties } : {}) });
}

const SYSTEM: Readonly<Record<string, 'messageId' | 'correlationId' | 'userId' | 'contentEncoding'>> = {
  'message-id': 'messageId',
  'correlation-id': 'correlationId',
  'user-id': 'userId',
  'content-encoding': 'contentEncoding',
};

/** @throws CloudFault argument-invalid for a property that is neither known nor marked by `@` */
function telemetryOf(packet: IPublishPacket): D2cInput {
  const system: Record<string, string> = {};
  const properties: Record<string, string> = {};
  for (const name of Object.keys(packet.properties?.userProperties ?? {})) {
    const value = text(packet.properties?.userProperties, name);
    const known = Object.hasOwn(SYSTEM, name) ? SYSTEM[name] : undefined;
    if (known) system[known] = value;
    else if (name.startsWith('@')) properties[name.slice(1)] = value;
    else if (name === 'creation-time') properties['iothub-creation-time-utc'] = value;
    else throw new CloudFault('argument-invalid', { text: `Unknown property \`${name}\`` });
  }
  const contentType = packet.properties?.contentType;
  return { ...system, ...(contentType ? { contentType } : {}), properties, body: asBuffer(packet.payload) };
}
