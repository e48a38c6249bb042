import type { IConnackPacket, IPublishPacket, Packet } from 'mqtt-packet';
import type { FaultForm, MqttFault, ScriptedFault } from '../faults/types.ts';
import { connackFor, previewForm } from '../forms/mqtt.ts';
import { ack, answerTopic, disconnect, type Outcome, previewProperties, publish, refusedConnack } from './answers.ts';
import { type PublishJob, refuse } from './operations.ts';
import { type PreviewOperation, refusePreview } from './preview.ts';

/** A scripted fault of a PUBLISH, written out; nothing when its form is of another kind. */
export function scriptedPublish(
  fault: ScriptedFault,
  job: PublishJob,
  preview: PreviewOperation | undefined,
): Outcome | undefined {
  const { form, retryAfterS } = fault;
  if (!form) return undefined;
  if ('code' in form) {
    const refused = { code: form.code, outcome: String(form.code), text: form.message };
    if (preview) return refusePreview(job, preview, refused);
    return refuse(job, { ...refused, now: job.cloud.clock.now(), retryAfterS });
  }
  if ('reasonCode' in form) return reasonFor(form, job.packet, job.protocolVersion);
  const status = 'answerStatus' in form ? form.answerStatus : 'status' in form ? form.status : undefined;
  return status === undefined ? undefined : scriptedAnswer(status, (form as { body?: unknown }).body, job, retryAfterS);
}

/** A status in the answer's topic, with a body as given. */
function scriptedAnswer(status: number, body: unknown, job: PublishJob, retryAfterS: number | undefined): Outcome {
  const extra = retryAfterS === undefined ? '' : `&retry-after=${retryAfterS}`;
  const topic = answerTopic(job.publication, status, extra);
  const outcome = `status ${status}`;
  if (topic === undefined) return { packets: [], close: true, outcome };
  const payload = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  return { packets: [...ack(job.packet), publish(topic, payload)], close: false, outcome, status };
}

/** A reason code in a PUBACK, else in a DISCONNECT; 3.1.1 has neither and just closes. */
function reasonFor(form: MqttFault, packet: IPublishPacket, protocolVersion: number): Outcome {
  const outcome = `reason 0x${form.reasonCode.toString(16)}`;
  if (protocolVersion !== 5) return { packets: [], close: true, outcome };
  const inPuback = packet.qos === 1 && (form.packet ?? 'puback') === 'puback' && packet.messageId !== undefined;
  if (!inPuback) {
    return { packets: [scriptedDisconnect(form)], close: true, outcome, status: form.reasonCode };
  }
  const { serverReference: _none, ...properties } = propertiesOf(form);
  const puback: Packet = {
    cmd: 'puback',
    messageId: packet.messageId as number,
    reasonCode: form.reasonCode,
    properties,
  };
  return {
    packets: [puback],
    close: form.reasonCode >= 0x80 && form.packet === 'disconnect',
    outcome,
    status: form.reasonCode,
  };
}

export function scriptedDisconnect(form: MqttFault): Packet {
  return disconnect(form.reasonCode, propertiesOf(form));
}

/** A CONNACK for a scripted fault; `close` for a code that has none; nothing for other forms. */
export function scriptedConnack(form: FaultForm | undefined, protocolVersion: number): Packet | 'close' | undefined {
  if (!form) return undefined;
  if ('reasonCode' in form) {
    const codes = { returnCode: form.reasonCode, reasonCode: form.reasonCode };
    return refusedConnack(protocolVersion, codes, propertiesOf(form) as IConnackPacket['properties']);
  }
  const code = 'code' in form ? form.code : 'status' in form ? form.status * 1000 : undefined;
  if (code === undefined) return undefined;
  if (protocolVersion === 5) {
    const { reasonCode } = previewForm(code);
    const userProperties = previewProperties(code, 'code' in form ? form.message : undefined);
    return refusedConnack(5, { returnCode: 0, reasonCode }, { userProperties });
  }
  const returnCode = connackFor(code);
  return returnCode === undefined ? 'close' : refusedConnack(protocolVersion, { returnCode, reasonCode: 0 });
}

/** Reason a SUBSCRIBE or UNSUBSCRIBE is refused with: MQTT 3.1.1 knows one only, for the first. */
export function scriptedSuback(form: FaultForm | undefined, protocolVersion: number): number | undefined {
  if (!form) return undefined;
  if ('reasonCode' in form && form.packet !== 'disconnect') return protocolVersion === 5 ? form.reasonCode : 0x80;
  if (!('code' in form)) return undefined;
  return protocolVersion === 5 ? previewForm(form.code).reasonCode : 0x80;
}

function propertiesOf(form: MqttFault) {
  return {
    ...(form.reasonString === undefined ? {} : { reasonString: form.reasonString }),
    ...(form.userProperties === undefined ? {} : { userProperties: { ...form.userProperties } }),
    ...(form.serverReference === undefined ? {} : { serverReference: form.serverReference }),
  };
}
