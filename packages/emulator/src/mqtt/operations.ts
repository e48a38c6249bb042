import type { IPublishPacket } from 'mqtt-packet';
import { CODE_OF } from '../forms/behaviour.ts';
import type { Cloud } from '../state/cloud.ts';
import type { D2cInput } from '../state/events.ts';
import { CloudFault } from '../state/fault.ts';
import type { Identity } from '../state/identity.ts';
import type { Json } from '../state/json.ts';
import {
  ack,
  answerTopic,
  type Outcome,
  type PreviewSetup,
  publish,
  type Refused,
  refusedPublish,
  refusedRequest,
} from './answers.ts';
import type { Publication, Subject } from './topics.ts';

/** One PUBLISH, and all that is needed to serve it. */
export interface PublishJob extends PreviewSetup {
  readonly packet: IPublishPacket;
  readonly publication: Publication;
  readonly subject: Subject;
  readonly cloud: Cloud;
  /** The client subscribed to the answers' topic: without it they go nowhere. */
  readonly answersWanted: boolean;
}

/** Run a PUBLISH against the state. Never throws: faults become outcomes. */
export function perform(job: PublishJob): Outcome {
  try {
    return run(job);
  } catch (thrown) {
    if (!(thrown instanceof CloudFault)) process.emitWarning(`The emulator failed: ${String(thrown)}`);
    const fault = thrown instanceof CloudFault ? thrown : new CloudFault('server-error');
    return refuse(job, {
      code: CODE_OF[fault.fault],
      outcome: fault.fault,
      now: job.cloud.clock.now(),
      text: fault.details.text,
      retryAfterS: fault.details.retryAfterS,
    });
  }
}

/** Write a fault as an answer where the operation has one, else as the version can. */
export function refuse(job: PublishJob, refused: Refused): Outcome {
  const inAnswer = refusedRequest(job.publication, job.packet, refused);
  if (!inAnswer) return refusedPublish(job.packet, refused, job);
  return job.answersWanted ? inAnswer : { ...inAnswer, packets: ack(job.packet) };
}

function run(job: PublishJob): Outcome {
  const { publication, cloud, subject, packet } = job;
  if (subject.kind === 'registration') return runRegistration(job, subject.registrationId);
  const { identity } = subject;
  switch (publication.kind) {
    case 'd2c':
      cloud.sendEvent(identity, eventOf(packet, publication.properties), 'mqtt');
      return { packets: ack(packet), close: false, outcome: 'ok' };
    case 'twin-get':
      return answer(job, 200, JSON.stringify(cloud.readDeviceTwin(identity)));
    case 'twin-patch': {
      const version = cloud.reportProperties(identity, parseJson(packet.payload));
      return answer(job, 204, '', `&$version=${version}`);
    }
    case 'method-answer':
      return answerMethod(job, identity, publication);
    default:
      throw new CloudFault('address-not-found', { text: `Unsupported topic: \`${packet.topic.slice(0, 200)}\`` });
  }
}

function runRegistration(job: PublishJob, registrationId: string): Outcome {
  const { publication, cloud } = job;
  const retryAfter = `&retry-after=${cloud.enrollments.retryAfterS}`;
  if (publication.kind === 'dps-register') {
    return answer(job, 202, JSON.stringify(cloud.register(registrationId)), retryAfter);
  }
  if (publication.kind !== 'dps-status') throw new CloudFault('address-not-found');
  const state = cloud.registrationStatus(registrationId, publication.operationId);
  const assigning = state.status === 'assigning';
  return answer(job, assigning ? 202 : 200, JSON.stringify(state), assigning ? retryAfter : '');
}

function answer(job: PublishJob, status: number, payload: string, extra = ''): Outcome {
  const topic = answerTopic(job.publication, status, extra);
  const packets = topic !== undefined && job.answersWanted ? [publish(topic, payload)] : [];
  return { packets: [...ack(job.packet), ...packets], close: false, outcome: 'ok', status };
}

function answerMethod(
  job: PublishJob,
  identity: Identity,
  publication: Publication & { kind: 'method-answer' },
): Outcome {
  const { packet, cloud } = job;
  cloud.methods.answer(identity, publication.rid, { status: publication.status, payload: payloadOf(packet.payload) });
  return { packets: ack(packet), close: false, outcome: 'ok', status: publication.status };
}

/** A device's payload as the caller gets it: JSON, else nothing. */
export function payloadOf(payload: string | Buffer): Json {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return null;
  }
}

/** @throws CloudFault argument-invalid */
export function parseJson(payload: string | Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    throw new CloudFault('argument-invalid', { text: 'The payload cannot be parsed as JSON' });
  }
}

/** System properties of a property bag by the letters the cloud uses (iot-mqtt-connect-to-iot-hub). */
const SYSTEM: Readonly<
  Record<string, 'messageId' | 'correlationId' | 'userId' | 'contentType' | 'contentEncoding' | 'output'>
> = {
  '$.mid': 'messageId',
  '$.cid': 'correlationId',
  '$.uid': 'userId',
  '$.ct': 'contentType',
  '$.ce': 'contentEncoding',
  '$.on': 'output',
};

function eventOf(packet: IPublishPacket, bag: ReadonlyMap<string, string>): D2cInput {
  const event: Mutable<D2cInput> = { body: asBuffer(packet.payload) };
  const properties: Record<string, string> = {};
  for (const [name, value] of bag) {
    const known = name.startsWith('$.') && Object.hasOwn(SYSTEM, name) ? SYSTEM[name] : undefined;
    if (known) event[known] = value;
    else if (!name.startsWith('$.')) properties[name] = value;
  }
  if (packet.retain) properties['x-opt-retain'] = 'true'; // the cloud keeps no retained messages
  event.properties = properties;
  return event;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function asBuffer(payload: string | Buffer): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}
