import type {
  IAuthPacket,
  IConnectPacket,
  IPublishPacket,
  ISubscribePacket,
  IUnsubscribePacket,
  Packet,
} from 'mqtt-packet';
import { previewForm, REASON } from '../forms/mqtt.ts';
import type { OnAdmitted } from './admit.ts';
import { disconnect, type Outcome } from './answers.ts';
import { serve } from './faulty.ts';
import { type PublishJob, perform } from './operations.ts';
import type { Peer } from './peer.ts';
import { performPreview, previewOperation } from './preview.ts';
import { checkReauthentication, text } from './preview-auth.ts';
import { scriptedPublish, scriptedSuback } from './scripted.ts';
import type { Session } from './session.ts';
import { parseFilter, parsePublication, type Subject } from './topics.ts';

/** Subscriptions of one client, at most (iot-hub-mqtt-5). */
const MOST_SUBSCRIPTIONS = 50;

/** A peer that is in. */
export type Admitted = Peer & { subject: Subject; session: Session; connect: IConnectPacket };

export function onPublish(peer: Admitted, given: IPublishPacket): void {
  if (given.qos === 2) {
    peer.refuse(REASON.qosNotSupported, 'QoS 2');
    return;
  }
  const packet = peer.version === 5 ? peer.topicAliases.resolve(given) : given;
  if (typeof packet === 'number') {
    peer.refuse(packet, 'topic alias');
    return;
  }
  publishTo(peer, packet);
}

function publishTo(peer: Admitted, packet: IPublishPacket): void {
  const { subject } = peer;
  const preview = peer.version === 5 && subject.kind === 'device' ? previewOperation(packet.topic) : undefined;
  const job: PublishJob = {
    packet,
    publication: preview ? { kind: 'unknown' } : parsePublication(packet.topic, subject),
    subject,
    cloud: peer.hub.context.cloud,
    protocolVersion: peer.version,
    problemInformation: peer.connect.properties?.requestProblemInformation !== false,
    answersWanted: peer.wants(subject.kind === 'device' ? 'twin-answers' : 'registration-answers'),
  };
  const { publication } = job;
  const given = preview && text(packet.properties?.userProperties, 'message-id');
  const messageId = publication.kind === 'd2c' ? publication.properties.get('$.mid') : given || undefined;
  serve(peer, {
    request: { operation: preview ?? publication.kind, path: packet.topic, messageId },
    run: () => (preview && subject.kind === 'device' ? performPreview(job, preview, subject.identity) : perform(job)),
    scripted: (fault) => scriptedPublish(fault, job, preview),
  });
}

export function onSubscribe(peer: Admitted, packet: ISubscribePacket): void {
  serve(peer, {
    request: { operation: 'subscribe', path: packet.subscriptions[0]?.topic },
    run: () => subscribe(peer, packet),
    scripted: ({ form }) => {
      const reason = scriptedSuback(form, peer.version);
      if (reason === undefined) return undefined;
      const granted = packet.subscriptions.map(() => reason);
      return { packets: [suback(packet, granted)], close: false, outcome: 'refused', status: reason };
    },
    afterwards: () => peer.resume(),
  });
}

function subscribe(peer: Admitted, packet: ISubscribePacket): Outcome {
  const { subject, version } = peer;
  const isUnknown = ({ topic }: ISubscribePacket['subscriptions'][number]) => !parseFilter(topic, subject, version);
  // Over 3.1.1 the cloud does not refuse such a filter in a SUBACK, it ends the connection
  // (iot-mqtt-connect-to-iot-hub; azure-iot-middleware-freertos#65, #89).
  if (version !== 5 && packet.subscriptions.some(isUnknown)) {
    return { packets: [], close: true, outcome: 'address-not-found' };
  }
  const granted = packet.subscriptions.map(({ topic, qos }) => grant(peer, topic, qos));
  const outcome = granted.every((one) => one < 0x80) ? 'ok' : 'refused';
  return { packets: [suback(packet, granted)], close: false, outcome };
}

/** Granted QoS, or the reason not to: 0x80 is all 3.1.1 knows. */
function grant({ session, subject, version }: Admitted, filter: string, qos: number): number {
  const channel = parseFilter(filter, subject, version);
  if (!channel) {
    const wild = filter.startsWith('$iothub/') && /[+#]/.test(filter);
    return wild ? REASON.wildcardsNotSupported : REASON.topicFilterInvalid;
  }
  if (session.subscriptions.size >= MOST_SUBSCRIPTIONS && !session.subscriptions.has(filter)) {
    return version === 5 ? REASON.quotaExceeded : 0x80;
  }
  // The hub grants at most QoS 1.
  const granted = qos === 0 ? 0 : 1;
  session.subscriptions.set(filter, { channel, qos: granted });
  return granted;
}

export function onUnsubscribe(peer: Admitted, packet: IUnsubscribePacket): void {
  const unsuback = (granted: number[]): Packet => ({
    cmd: 'unsuback',
    messageId: packet.messageId as number,
    granted,
  });
  serve(peer, {
    request: { operation: 'unsubscribe', path: packet.unsubscriptions[0] },
    run: () => {
      // 0x11: no subscription existed (MQTT 5, 3.11.3).
      const granted = packet.unsubscriptions.map((filter) => (peer.session.subscriptions.delete(filter) ? 0 : 0x11));
      peer.listenToMethods();
      return { packets: [unsuback(granted)], close: false, outcome: 'ok' };
    },
    scripted: ({ form }) => {
      // 3.1.1 knows no reason in this packet.
      const reason = peer.version === 5 ? scriptedSuback(form, 5) : undefined;
      if (reason === undefined) return undefined;
      const packets = [unsuback(packet.unsubscriptions.map(() => reason))];
      return { packets, close: false, outcome: 'refused', status: reason };
    },
  });
}

export function onPing(peer: Admitted): void {
  const run = (): Outcome => ({ packets: [{ cmd: 'pingresp' }], close: false, outcome: 'ok' });
  serve(peer, { request: { operation: 'ping' }, run, quiet: true });
}

/** MQTT 5: fresh credentials on the open connection (iot-hub-mqtt-5, "Reauthentication"). */
export function onAuth(peer: Admitted, packet: IAuthPacket, onAdmitted: OnAdmitted): void {
  const { authenticationMethod } = peer.connect.properties ?? {};
  // Nobody may send one who named no method [MQTT-4.12.0-7]; the preview has no exchange to continue.
  if (authenticationMethod === undefined || packet.reasonCode !== REASON.reauthenticate) {
    peer.refuse(REASON.protocolError, 'AUTH');
    return;
  }
  serve(peer, {
    request: { operation: 'auth' },
    run: () => {
      const setup = { context: peer.hub.context, thumbprints: peer.thumbprints, skewMs: 0 };
      const checked = checkReauthentication(packet, peer.connect, peer.subject, setup);
      if (!checked.ok) return disconnected(REASON.notAuthorized, 'unauthorized');
      onAdmitted(checked.expiresAt);
      const success: Packet = { cmd: 'auth', reasonCode: 0, properties: { authenticationMethod } };
      return { packets: [success], close: false, outcome: 'ok', status: 0 };
    },
    scripted: ({ form }) => {
      if (form && 'reasonCode' in form) return disconnected(form.reasonCode, 'refused');
      return form && 'code' in form ? disconnected(previewForm(form.code).reasonCode, String(form.code)) : undefined;
    },
  });
}

function disconnected(reasonCode: number, outcome: string): Outcome {
  return { packets: [disconnect(reasonCode)], close: true, outcome, status: reasonCode };
}

function suback(packet: ISubscribePacket, granted: number[]): Packet {
  return { cmd: 'suback', messageId: packet.messageId as number, granted };
}
