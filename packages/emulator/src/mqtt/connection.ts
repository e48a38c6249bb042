import type { Duplex } from 'node:stream';
import {
  type IAuthPacket,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
  parser,
} from 'mqtt-packet';
import type { FaultRequest, ScriptedFault } from '../faults/types.ts';
import { CODE_OF } from '../forms/behaviour.ts';
import { connackFor, REASON } from '../forms/mqtt.ts';
import type { ListenerContext } from '../listener.ts';
import { D2C_MAX_BYTES } from '../state/cloud.ts';
import type { CloseCause, DeviceConnection } from '../state/connections.ts';
import { CloudFault } from '../state/fault.ts';
import { keyOf } from '../state/identity.ts';
import { disconnect, type Outcome, previewProperties, refusedConnack } from './answers.ts';
import { checkConnect, checkPreview } from './connect.ts';
import { Delivery } from './delivery.ts';
import { type PublishJob, perform } from './operations.ts';
import { performPreview, previewOperation } from './preview.ts';
import { scriptedConnack, scriptedDisconnect, scriptedPublish, scriptedSuback } from './scripted.ts';
import type { Session, Sessions } from './session.ts';
import { type Channel, parseFilter, parsePublication, type Subject } from './topics.ts';
import { Wire } from './wire.ts';

/** CONNECT must follow within that, in ms (iot-hub-mqtt-5). */
const CONNECT_LIMIT_MS = 30_000;
/** Longest silence the cloud allows whatever the client asked for, in ms (iot-mqtt-connect-to-iot-hub). */
const LONGEST_SILENCE_MS = 1_767_000;
/** Keep-alive the cloud answers to MQTT 5 clients that ask for more, in s. */
const LONGEST_KEEPALIVE_S = 1_140;
/** More bytes than that without a whole packet end the connection. */
const LARGEST_PACKET = D2C_MAX_BYTES + 65_536 + 1_024;
const MOST_SUBSCRIPTIONS = 50;

/** What connections of one listener share. */
export interface Hub {
  readonly context: ListenerContext;
  readonly sessions: Sessions;
  /** Connections by device, for what the cloud sends. */
  readonly live: Map<string, MqttConnection>;
}

export interface MqttConnectionSetup {
  readonly hub: Hub;
  readonly stream: Duplex;
  readonly id: number;
  /** Of a client certificate, in hex. */
  readonly thumbprints: readonly string[];
}

/** One client: CONNECT, then its packets, until it ends. */
export class MqttConnection {
  readonly #hub: Hub;
  readonly #stream: Duplex;
  readonly #id: number;
  readonly #thumbprints: readonly string[];
  readonly #wire: Wire;
  readonly #parser = parser();
  #connect: IConnectPacket | undefined;
  #subject: Subject | undefined;
  #session: Session | undefined;
  #connection: DeviceConnection | undefined;
  #delivery: Delivery | undefined;
  #seenAt: number;
  #silenceMs = CONNECT_LIMIT_MS;
  #cancelSilence: () => void;
  #cancelExpiry: () => void = () => {};
  #ended = false;
  /** The client said DISCONNECT: its will is not to be sent. */
  #clean = false;

  constructor({ hub, stream, id, thumbprints }: MqttConnectionSetup) {
    this.#hub = hub;
    this.#stream = stream;
    this.#id = id;
    this.#thumbprints = thumbprints;
    const { clock } = hub.context.cloud;
    this.#wire = new Wire(stream, clock);
    this.#seenAt = clock.now();
    this.#cancelSilence = clock.after(this.#silenceMs, () => this.#checkSilence());
    this.#parser.on('packet', (packet) => this.#safely(packet));
    this.#parser.on('error', (error) => this.#malformed(error));
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('error', () => {}); // resets are the client's right; close follows
    stream.on('close', () => this.#end());
    stream.on('end', () => this.#stream.end());
  }

  /** What the cloud has for this device. */
  get delivery(): Delivery | undefined {
    return this.#delivery;
  }

  /** End at once; the listener stops. */
  destroy(): void {
    this.#stream.destroy();
  }

  #read(chunk: Buffer): void {
    this.#seenAt = this.#clock.now();
    if (this.#ended || this.#wire.muted) return;
    const left = this.#parser.parse(chunk);
    if (left > LARGEST_PACKET) this.#refuseConnection(REASON.packetTooLarge, 'packet too large');
  }

  /** A defect of ours ends this client's connection, not the process. */
  #safely(packet: Packet): void {
    if (this.#ended || this.#wire.muted) return;
    try {
      this.#receive(packet);
    } catch (thrown) {
      process.emitWarning(`The emulator failed: ${String(thrown)}`);
      this.#stream.destroy();
    }
  }

  #receive(packet: Packet): void {
    if (packet.cmd === 'connect') {
      // A second CONNECT is a violation [MQTT-3.1.0-2].
      if (this.#connect) this.#refuseConnection(REASON.protocolError, 'second CONNECT');
      else this.#onConnect(packet);
      return;
    }
    // The first packet must be a CONNECT [MQTT-3.1.0-1].
    if (!this.#subject || !this.#session) {
      this.#wire.close();
      return;
    }
    switch (packet.cmd) {
      case 'publish':
        this.#onPublish(packet);
        return;
      case 'puback':
        this.#delivery?.acknowledge(packet);
        return;
      case 'subscribe':
        this.#onSubscribe(packet);
        return;
      case 'unsubscribe':
        this.#onUnsubscribe(packet);
        return;
      case 'pingreq':
        this.#withFault(
          { operation: 'ping' },
          () => ({ packets: [{ cmd: 'pingresp' }], close: false, outcome: 'ok' }),
          {
            quiet: true,
          },
        );
        return;
      case 'disconnect':
        this.#clean = packet.reasonCode !== 0x04;
        this.#stream.end();
        return;
      case 'auth':
        this.#onAuth(packet);
        return;
      default:
        this.#refuseConnection(REASON.protocolError, packet.cmd);
    }
  }

  #onConnect(packet: IConnectPacket): void {
    this.#connect = packet;
    this.#wire.protocolVersion = packet.protocolVersion ?? 4;
    const [deviceId, moduleId] = packet.clientId.split('/');
    const fault = this.#hub.context.faults.next({ transport: 'mqtt', operation: 'connect', deviceId, moduleId });
    if (fault && fault.delayMs > 0) {
      this.#clock.after(fault.delayMs, () => this.#ended || this.#connectFaulty(packet, fault));
    } else if (fault) this.#connectFaulty(packet, fault);
    else this.#connectWell(packet, 0);
  }

  #connectFaulty(packet: IConnectPacket, fault: ScriptedFault): void {
    const { form } = fault;
    if (form && 'unclean' in form) {
      this.#record('connect', form.unclean, undefined, true);
      if (this.#actWithoutRunning(form.unclean)) return;
      const outcome = this.#open(packet, 0);
      if (form.unclean !== 'lost-ack') this.#wire.sendUnclean(outcome.packets, form);
      if (outcome.close) this.#wire.close();
      else this.#resume();
      return;
    }
    const scripted = scriptedConnack(form, this.#version);
    if (scripted === undefined) {
      this.#connectWell(packet, form && 'clockSkewMs' in form ? form.clockSkewMs : 0);
      return;
    }
    const outcome = form && 'code' in form ? String(form.code) : 'refused';
    this.#record('connect', outcome, scripted === 'close' ? undefined : codeOf(scripted), true);
    if (scripted !== 'close') this.#wire.send([scripted]);
    this.#wire.close();
  }

  #connectWell(packet: IConnectPacket, skewMs: number): void {
    const outcome = this.#open(packet, skewMs);
    this.#record('connect', outcome.outcome, outcome.status);
    this.#wire.send(outcome.packets);
    if (outcome.close) this.#wire.close();
    else this.#resume();
  }

  /** Check, take over, and make the CONNACK. */
  #open(packet: IConnectPacket, skewMs: number): Outcome {
    const { context, sessions, live } = this.#hub;
    const checked = checkConnect(packet, { context, thumbprints: this.#thumbprints, skewMs });
    if (!checked.ok) {
      const connack = refusedConnack(this.#version, checked);
      return { packets: [connack], close: true, outcome: 'unauthorized', status: codeOf(connack) };
    }
    const { subject } = checked;
    const key = subject.kind === 'device' ? keyOf(subject.identity) : `registration ${subject.registrationId}`;
    if (subject.kind === 'device') {
      try {
        this.#connection = context.cloud.connect({
          identity: subject.identity,
          transport: 'mqtt',
          close: (cause) => this.#closedByCloud(cause),
        });
      } catch (thrown) {
        return this.#refusedByCloud(thrown);
      }
    }
    const { session, present } = sessions.open(key, packet.clean !== false);
    this.#subject = subject;
    this.#session = session;
    if (subject.kind === 'device') {
      this.#delivery = new Delivery({
        cloud: context.cloud,
        identity: subject.identity,
        session,
        receiveMaximum: packet.properties?.receiveMaximum,
        send: (publication) => this.#deliver(publication),
      });
      live.set(key, this);
    }
    this.#watch(packet.keepalive ?? 0, checked.expiresAt);
    return { packets: [this.#connack(packet, present)], close: false, outcome: 'ok', status: 0 };
  }

  #refusedByCloud(thrown: unknown): Outcome {
    const fault = thrown instanceof CloudFault ? thrown.fault : 'server-error';
    const code = CODE_OF[fault];
    // 0x9F: the rate of new connections is exceeded (iot-hub-mqtt-5).
    const reasonCode = fault === 'throttled' ? 0x9f : REASON.notAuthorized;
    const connack = refusedConnack(
      this.#version,
      { returnCode: connackFor(code) ?? 3, reasonCode },
      { userProperties: previewProperties(code) },
    );
    return { packets: [connack], close: true, outcome: fault, status: codeOf(connack) };
  }

  #connack(packet: IConnectPacket, sessionPresent: boolean): Packet {
    if (this.#version !== 5) return { cmd: 'connack', returnCode: 0, sessionPresent };
    const keepAlive = packet.keepalive ?? 0;
    return {
      cmd: 'connack',
      reasonCode: 0,
      sessionPresent,
      properties: {
        receiveMaximum: 16,
        maximumQoS: 1,
        retainAvailable: false,
        maximumPacketSize: 262_144,
        subscriptionIdentifiersAvailable: false,
        sharedSubscriptionAvailable: false,
        ...(keepAlive === 0 || keepAlive > LONGEST_KEEPALIVE_S ? { serverKeepAlive: LONGEST_KEEPALIVE_S } : {}),
      },
    };
  }

  /** After the CONNACK: what a kept session is subscribed to goes on. */
  #resume(): void {
    if (this.#ended || !this.#delivery) return;
    this.#listenToMethods();
    this.#delivery.pump();
  }

  #listenToMethods(): void {
    if (!this.#connection || !this.#delivery) return;
    const wanted = this.#delivery.methodsWanted;
    if (wanted && !this.#connection.onMethod) this.#connection.onMethod = (call) => this.#delivery?.call(call);
    if (!wanted && this.#connection.onMethod) this.#connection.onMethod = undefined;
  }

  /** Something the cloud sends by itself; faults of operation `c2d-deliver` strike here. */
  #deliver(publication: IPublishPacket): void {
    const fault = this.#hub.context.faults.next({ ...this.#who(), operation: 'c2d-deliver', path: publication.topic });
    const form = fault?.form;
    if (!form || !('unclean' in form)) {
      this.#wire.send([publication]);
      return;
    }
    this.#record('c2d-deliver', form.unclean, undefined, true);
    if (form.unclean === 'lost-ack' || this.#actWithoutRunning(form.unclean)) return;
    this.#wire.sendUnclean([publication], form);
  }

  #onPublish(packet: IPublishPacket): void {
    const subject = this.#subject as Subject;
    if (packet.qos === 2) {
      this.#refuseConnection(REASON.qosNotSupported, 'QoS 2');
      return;
    }
    const preview = this.#version === 5 && subject.kind === 'device' ? previewOperation(packet.topic) : undefined;
    const job: PublishJob = {
      packet,
      publication: preview ? { kind: 'unknown' } : parsePublication(packet.topic, subject),
      subject,
      cloud: this.#hub.context.cloud,
      protocolVersion: this.#version,
      problemInformation: this.#connect?.properties?.requestProblemInformation !== false,
      answersWanted: this.#wants(subject.kind === 'device' ? 'twin-answers' : 'registration-answers'),
    };
    const { publication } = job;
    const messageId = publication.kind === 'd2c' ? publication.properties.get('$.mid') : undefined;
    const operation = preview ?? publication.kind;
    const run = (): Outcome =>
      preview && subject.kind === 'device' ? performPreview(job, preview, subject.identity) : perform(job);
    this.#withFault({ operation, path: packet.topic, messageId }, run, {
      scripted: (fault) => scriptedPublish(fault, job, preview),
    });
  }

  #onSubscribe(packet: ISubscribePacket): void {
    const run = (): Outcome => {
      const granted = packet.subscriptions.map(({ topic, qos }) => this.#subscribe(topic, qos));
      return {
        packets: [suback(packet, granted)],
        close: false,
        outcome: granted.every((one) => one < 0x80) ? 'ok' : 'refused',
      };
    };
    this.#withFault({ operation: 'subscribe', path: packet.subscriptions[0]?.topic }, run, {
      scripted: ({ form }) => {
        const reason = scriptedSuback(form, this.#version);
        if (reason === undefined) return undefined;
        const granted = packet.subscriptions.map(() => reason);
        return { packets: [suback(packet, granted)], close: false, outcome: 'refused', status: reason };
      },
      afterwards: () => this.#resume(),
    });
  }

  /** Granted QoS, or the reason not to: 0x80 is all 3.1.1 knows. */
  #subscribe(filter: string, qos: number): number {
    const session = this.#session as Session;
    const channel = parseFilter(filter, this.#subject as Subject, this.#version);
    if (!channel) return this.#version === 5 ? REASON.topicFilterInvalid : 0x80;
    if (session.subscriptions.size >= MOST_SUBSCRIPTIONS && !session.subscriptions.has(filter)) {
      return this.#version === 5 ? REASON.quotaExceeded : 0x80;
    }
    // The hub grants at most QoS 1.
    const granted = qos === 0 ? 0 : 1;
    session.subscriptions.set(filter, { channel, qos: granted });
    return granted;
  }

  #onUnsubscribe(packet: IUnsubscribePacket): void {
    const run = (): Outcome => {
      const granted = packet.unsubscriptions.map((filter) => (this.#session?.subscriptions.delete(filter) ? 0 : 0x11));
      this.#listenToMethods();
      return {
        packets: [{ cmd: 'unsuback', messageId: packet.messageId as number, granted }],
        close: false,
        outcome: 'ok',
      };
    };
    this.#withFault({ operation: 'unsubscribe', path: packet.unsubscriptions[0] }, run, {});
  }

  /** MQTT 5: fresh credentials on the open connection. */
  #onAuth(packet: IAuthPacket): void {
    const subject = this.#subject as Subject;
    const setup = { context: this.#hub.context, thumbprints: this.#thumbprints, skewMs: 0 };
    const { userProperties } = packet.properties ?? {};
    const connect = this.#connect as IConnectPacket;
    const merged = { ...connect.properties?.userProperties, ...userProperties };
    const properties = { ...packet.properties, userProperties: merged } as NonNullable<IConnectPacket['properties']>;
    const checked = checkPreview({ clientId: connect.clientId, properties }, subject, setup);
    if (!checked.ok || packet.reasonCode !== 0x19) {
      this.#refuseConnection(REASON.notAuthorized, 'reauthentication');
      return;
    }
    this.#watch(connect.keepalive ?? 0, checked.expiresAt);
    const authenticationMethod = packet.properties?.authenticationMethod ?? 'SAS';
    this.#wire.send([{ cmd: 'auth', reasonCode: 0, properties: { authenticationMethod } }]);
  }

  /** Run an operation with the scripted fault that hits it, if any; log, answer, close. */
  #withFault(
    request: Omit<FaultRequest, 'transport'>,
    run: () => Outcome,
    how: { scripted?: (fault: ScriptedFault) => Outcome | undefined; afterwards?: () => void; quiet?: boolean },
  ): void {
    const fault = this.#hub.context.faults.next({ ...this.#who(), ...request });
    if (!fault) {
      const outcome = run();
      if (!how.quiet) this.#record(request.operation, outcome.outcome, outcome.status, false, request);
      this.#finish(outcome);
      how.afterwards?.();
      return;
    }
    const go = () => {
      if (!this.#ended) this.#runFaulty(fault, request, run, how);
    };
    if (fault.delayMs > 0) this.#clock.after(fault.delayMs, go);
    else go();
  }

  #runFaulty(
    fault: ScriptedFault,
    request: Omit<FaultRequest, 'transport'>,
    run: () => Outcome,
    how: { scripted?: (fault: ScriptedFault) => Outcome | undefined; afterwards?: () => void },
  ): void {
    const { form } = fault;
    if (form && 'unclean' in form) {
      this.#record(request.operation, form.unclean, undefined, true, request);
      if (this.#actWithoutRunning(form.unclean)) return;
      const outcome = run();
      if (form.unclean === 'lost-ack') return;
      const packets = form.unclean === 'not-json' ? outcome.packets.map(asPage) : outcome.packets;
      this.#wire.sendUnclean(packets, form);
      if (outcome.close) this.#wire.close();
      how.afterwards?.();
      return;
    }
    if (form && 'reasonCode' in form && form.packet === 'disconnect') {
      if (fault.executes) run();
      const packets = this.#version === 5 ? [scriptedDisconnect(form)] : [];
      this.#record(request.operation, `reason 0x${form.reasonCode.toString(16)}`, form.reasonCode, true, request);
      this.#finish({ packets, close: true, outcome: 'refused' });
      return;
    }
    const scripted = how.scripted?.(fault);
    if (scripted && fault.executes) run();
    const outcome = scripted ?? run();
    this.#record(request.operation, outcome.outcome, outcome.status, true, request);
    this.#finish(outcome);
    if (!scripted) how.afterwards?.();
  }

  #finish({ packets, close }: Outcome): void {
    this.#wire.send(packets);
    if (close) this.#wire.close();
  }

  /** The unclean faults that answer nothing of the operation; true when it was one. */
  #actWithoutRunning(kind: string): boolean {
    if (kind === 'reset-before') this.#wire.reset();
    else if (kind === 'close') this.#wire.close();
    else if (kind === 'half-open') this.#wire.mute();
    else if (kind === 'garbage') this.#wire.sendGarbage();
    else return false;
    return true;
  }

  /** Say why where the version can, and close. */
  #refuseConnection(reasonCode: number, why: string): void {
    this.#record('violation', why, reasonCode);
    if (this.#version === 5 && this.#subject) this.#wire.send([disconnect(reasonCode, { reasonString: why })]);
    this.#wire.close();
  }

  #malformed(error: unknown): void {
    if (this.#ended) return;
    const why = error instanceof Error ? error.message : String(error);
    this.#record('violation', 'malformed packet');
    // An unknown protocol level gets its CONNACK [MQTT-3.1.2-2]; everything else the close.
    if (!this.#connect && /protocol ?version/i.test(why)) {
      this.#wire.send([refusedConnack(4, { returnCode: 1, reasonCode: REASON.unsupportedVersion })]);
    } else if (this.#subject && this.#version === 5) {
      this.#wire.send([disconnect(REASON.malformedPacket)]);
    }
    this.#wire.close();
  }

  #closedByCloud(cause: CloseCause): void {
    const reason: Record<CloseCause, number> = {
      'taken-over': REASON.takenOver,
      removed: REASON.notAuthorized,
      disabled: REASON.notAuthorized,
      'token-expired': REASON.notAuthorized,
      stopped: REASON.serverShuttingDown,
    };
    this.#record('closed', cause);
    // 3.1.1 has no packet for it: a bare close (iot-mqtt-connect-to-iot-hub).
    if (this.#version === 5) this.#wire.send([disconnect(reason[cause])]);
    this.#wire.close();
    this.#end();
  }

  #watch(keepaliveS: number, expiresAt: number): void {
    // One and a half times the keep-alive [MQTT-3.1.2-24].
    this.#silenceMs = keepaliveS === 0 ? LONGEST_SILENCE_MS : Math.min(keepaliveS * 1_500, LONGEST_SILENCE_MS);
    this.#cancelSilence();
    this.#cancelSilence = this.#clock.after(this.#silenceMs, () => this.#checkSilence());
    this.#cancelExpiry();
    if (Number.isFinite(expiresAt)) {
      this.#cancelExpiry = this.#clock.after(expiresAt - this.#clock.now(), () =>
        this.#connection?.end('token-expired'),
      );
    }
  }

  /** Looked at once per period, not once per packet. */
  #checkSilence(): void {
    const left = this.#seenAt + this.#silenceMs - this.#clock.now();
    if (left > 0) {
      this.#cancelSilence = this.#clock.after(left, () => this.#checkSilence());
      return;
    }
    this.#record('closed', 'keep-alive');
    if (this.#version === 5 && this.#subject) this.#wire.send([disconnect(REASON.keepAliveTimeout)]);
    this.#wire.close();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelSilence();
    this.#cancelExpiry();
    this.#delivery?.release();
    const key = this.#subject?.kind === 'device' ? keyOf(this.#subject.identity) : undefined;
    if (key !== undefined && this.#hub.live.get(key) === this) this.#hub.live.delete(key);
    this.#sendWill();
    this.#connection?.release();
  }

  /** A will to one's own events topic becomes an event (iot-mqtt-connect-to-iot-hub). */
  #sendWill(): void {
    const will = this.#connect?.will;
    if (!will || this.#clean || !this.#subject || this.#subject.kind !== 'device') return;
    const publication = parsePublication(will.topic, this.#subject);
    if (publication.kind !== 'd2c') return;
    const properties = { ...Object.fromEntries(publication.properties), 'iothub-MessageType': 'Will' };
    try {
      this.#hub.context.cloud.sendEvent(
        this.#subject.identity,
        { body: Buffer.from(will.payload), properties },
        'mqtt',
      );
    } catch (thrown) {
      if (!(thrown instanceof CloudFault)) throw thrown;
    }
  }

  #wants(channel: Channel): boolean {
    return this.#session?.qosOf(channel) !== undefined;
  }

  #who() {
    const identity = this.#subject?.kind === 'device' ? this.#subject.identity : undefined;
    const registrationId = this.#subject?.kind === 'registration' ? this.#subject.registrationId : undefined;
    return {
      transport: 'mqtt',
      deviceId: identity?.deviceId ?? registrationId ?? this.#connect?.clientId.split('/')[0],
      moduleId: identity?.moduleId,
    } as const;
  }

  #record(
    operation: string,
    outcome: string,
    status?: number,
    scripted = false,
    request: { path?: string | undefined; messageId?: string | undefined } = {},
  ): void {
    this.#hub.context.cloud.log.record({
      ...this.#who(),
      operation,
      target: request.path,
      messageId: request.messageId,
      connection: this.#id,
      outcome,
      status,
      ...(scripted ? { scripted } : {}),
    });
  }

  get #version(): number {
    return this.#wire.protocolVersion;
  }

  get #clock() {
    return this.#hub.context.cloud.clock;
  }
}

function suback(packet: ISubscribePacket, granted: number[]): Packet {
  return { cmd: 'suback', messageId: packet.messageId as number, granted };
}

function codeOf(packet: Packet): number | undefined {
  return packet.cmd === 'connack' ? (packet.returnCode ?? packet.reasonCode) : undefined;
}

/** A gateway's page where JSON is expected. */
function asPage(packet: Packet): Packet {
  return packet.cmd === 'publish' ? { ...packet, payload: '<html><body>Service Unavailable</body></html>' } : packet;
}
