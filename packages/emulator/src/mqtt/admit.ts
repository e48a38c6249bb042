import type { IConnectPacket, IPublishPacket, Packet } from 'mqtt-packet';
import type { ScriptedFault } from '../faults/types.ts';
import { CODE_OF } from '../forms/behaviour.ts';
import { connackFor, previewForm, REASON } from '../forms/mqtt.ts';
import { CloudFault } from '../state/fault.ts';
import { keyOf } from '../state/identity.ts';
import { disconnect, type Outcome, previewProperties, refusedConnack } from './answers.ts';
import { checkConnect } from './connect.ts';
import { Delivery } from './delivery.ts';
import { actWithoutRunning, serve } from './faulty.ts';
import type { Peer } from './peer.ts';
import { scriptedConnack } from './scripted.ts';
import { MOST_TOPIC_ALIASES } from './topic-aliases.ts';
import type { Subject } from './topics.ts';

/** Keep-alive the cloud answers to MQTT 5 clients that ask for more, in s (iot-hub-mqtt-5). */
const LONGEST_KEEPALIVE_S = 1_140;
/** A session lives until its client ends it, whatever shorter time it asked for (iot-hub-mqtt-5). */
const NEVER_EXPIRES = 0xffff_ffff;

/** Told when a client is in: until when its credentials hold. */
export type OnAdmitted = (expiresAt: number) => void;

/** Answer a CONNECT, with the scripted fault that hits it, if any. */
export function admit(peer: Peer, packet: IConnectPacket, onAdmitted: OnAdmitted): void {
  const fault = peer.hub.context.faults.next({ ...peer.who(), operation: 'connect' });
  if (!fault) {
    admitWell(peer, packet, 0, onAdmitted);
    return;
  }
  const go = () => {
    if (!peer.ended) admitFaulty(peer, packet, fault, onAdmitted);
  };
  if (fault.delayMs > 0) peer.clock.after(fault.delayMs, go);
  else go();
}

function admitWell(peer: Peer, packet: IConnectPacket, skewMs: number, onAdmitted: OnAdmitted): void {
  const outcome = open(peer, packet, skewMs, onAdmitted);
  peer.record({ operation: 'connect', outcome: outcome.outcome, status: outcome.status });
  peer.finish(outcome);
  if (!outcome.close) peer.resume();
}

function admitFaulty(peer: Peer, packet: IConnectPacket, { form }: ScriptedFault, onAdmitted: OnAdmitted): void {
  if (form && 'unclean' in form) {
    peer.record({ operation: 'connect', outcome: form.unclean, scripted: true });
    if (actWithoutRunning(peer, form.unclean)) return;
    const outcome = open(peer, packet, 0, onAdmitted);
    if (form.unclean !== 'lost-ack') peer.wire.sendUnclean(outcome.packets, form);
    if (outcome.close) peer.wire.close();
    else peer.resume();
    return;
  }
  const scripted = scriptedConnack(form, peer.version);
  if (scripted === undefined) {
    admitWell(peer, packet, form && 'clockSkewMs' in form ? form.clockSkewMs : 0, onAdmitted);
    return;
  }
  const status = scripted === 'close' ? undefined : codeOf(scripted);
  const outcome = form && 'code' in form ? String(form.code) : 'refused';
  peer.record({ operation: 'connect', outcome, status, scripted: true });
  if (scripted !== 'close') peer.wire.send([scripted]);
  peer.wire.close();
}

/** Check, take over, and make the CONNACK. */
function open(peer: Peer, packet: IConnectPacket, skewMs: number, onAdmitted: OnAdmitted): Outcome {
  const { context, sessions } = peer.hub;
  const checked = checkConnect(packet, { context, thumbprints: peer.thumbprints, skewMs });
  if (!checked.ok) {
    const connack = refusedConnack(peer.version, checked);
    return { packets: [connack], close: true, outcome: 'unauthorized', status: codeOf(connack) };
  }
  const { subject } = checked;
  const key = subject.kind === 'device' ? keyOf(subject.identity) : `registration ${subject.registrationId}`;
  try {
    if (subject.kind === 'device') takeOver(peer, subject);
  } catch (thrown) {
    return refusedByCloud(peer, thrown);
  }
  const { session, present } = sessions.open(key, packet.clean !== false);
  peer.subject = subject;
  peer.session = session;
  if (subject.kind === 'device') {
    peer.delivery = new Delivery({
      cloud: context.cloud,
      identity: subject.identity,
      session,
      receiveMaximum: packet.properties?.receiveMaximum,
      send: (publication) => deliver(peer, publication),
    });
    peer.hub.live.set(key, peer);
  }
  onAdmitted(checked.expiresAt);
  return { packets: [connackOf(peer.version, packet, present)], close: false, outcome: 'ok', status: 0 };
}

/** @throws CloudFault throttled, device-disabled */
function takeOver(peer: Peer, subject: Subject & { kind: 'device' }): void {
  peer.connection = peer.hub.context.cloud.connect({
    identity: subject.identity,
    transport: 'mqtt',
    close: (cause) => peer.closedByCloud(cause),
  });
}

function refusedByCloud(peer: Peer, thrown: unknown): Outcome {
  const fault = thrown instanceof CloudFault ? thrown.fault : 'server-error';
  const code = CODE_OF[fault];
  // 0x9F: the rate of new connections is exceeded (iot-hub-mqtt-5).
  const reasonCode = fault === 'throttled' ? 0x9f : REASON.notAuthorized;
  const codes = { returnCode: connackFor(code) ?? 3, reasonCode };
  const connack = refusedConnack(peer.version, codes, { userProperties: previewProperties(code) });
  return { packets: [connack], close: true, outcome: fault, status: codeOf(connack) };
}

function connackOf(version: number, packet: IConnectPacket, sessionPresent: boolean): Packet {
  if (version !== 5) return { cmd: 'connack', returnCode: 0, sessionPresent };
  const keepAlive = packet.keepalive ?? 0;
  const { sessionExpiryInterval = 0, authenticationMethod } = packet.properties ?? {};
  return {
    cmd: 'connack',
    reasonCode: 0,
    sessionPresent,
    properties: {
      ...(sessionExpiryInterval > 0 && sessionExpiryInterval < NEVER_EXPIRES
        ? { sessionExpiryInterval: NEVER_EXPIRES }
        : {}),
      receiveMaximum: 16,
      maximumQoS: 1,
      retainAvailable: false,
      maximumPacketSize: 262_144,
      topicAliasMaximum: MOST_TOPIC_ALIASES,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
      ...(keepAlive === 0 || keepAlive > LONGEST_KEEPALIVE_S ? { serverKeepAlive: LONGEST_KEEPALIVE_S } : {}),
      // The method comes back with every success [MQTT-4.12.0-5].
      ...(authenticationMethod === undefined ? {} : { authenticationMethod }),
    },
  };
}

/** Something the cloud sends by itself; faults of operation `c2d-deliver` strike here. */
function deliver(peer: Peer, publication: IPublishPacket): void {
  serve(peer, {
    request: { operation: 'c2d-deliver', path: publication.topic },
    run: () => ({ packets: [publication], close: false, outcome: 'ok' }),
    // Nothing acknowledges it to the client: a fault that says what it is ends the connection.
    scripted: ({ form }) => {
      const reasonCode = form && 'reasonCode' in form ? form.reasonCode : undefined;
      const code = form && 'code' in form ? form.code : undefined;
      if (reasonCode === undefined && code === undefined) return undefined;
      const status = reasonCode ?? previewForm(code ?? 0).reasonCode;
      const packets = peer.version === 5 ? [disconnect(status)] : [];
      return { packets, close: true, outcome: String(code ?? status), status };
    },
    quiet: true,
  });
}

function codeOf(packet: Packet): number | undefined {
  return packet.cmd === 'connack' ? (packet.returnCode ?? packet.reasonCode) : undefined;
}
