import type { Duplex } from 'node:stream';
import { type Packet, parser } from 'mqtt-packet';
import { REASON } from '../forms/mqtt.ts';
import { D2C_MAX_BYTES } from '../state/cloud.ts';
import { CloudFault } from '../state/fault.ts';
import { keyOf } from '../state/identity.ts';
import { admit } from './admit.ts';
import { disconnect, refusedConnack } from './answers.ts';
import { Peer, type PeerSetup } from './peer.ts';
import { type Admitted, onAuth, onPing, onPublish, onSubscribe, onUnsubscribe } from './requests.ts';
import { parsePublication } from './topics.ts';

/** CONNECT must follow within that, in ms (iot-hub-mqtt-5). */
const CONNECT_LIMIT_MS = 30_000;
/** Longest silence the cloud allows whatever the client asked for, in ms (iot-mqtt-connect-to-iot-hub). */
const LONGEST_SILENCE_MS = 1_767_000;
/** More bytes than that without a whole packet end the connection: the largest message, and its topic. */
const LARGEST_PACKET = D2C_MAX_BYTES + 65_536 + 1_024;

/** One client: CONNECT, then its packets, until it ends. */
export class MqttConnection {
  readonly #peer: Peer;
  readonly #stream: Duplex;
  readonly #parser = parser();
  #seenAt: number;
  #silenceMs = CONNECT_LIMIT_MS;
  #cancelSilence: () => void;
  #cancelExpiry: () => void = () => {};
  /** The client said DISCONNECT: its will is not to be sent. */
  #clean = false;

  constructor(setup: PeerSetup) {
    const { stream } = setup;
    this.#peer = new Peer(setup);
    this.#stream = stream;
    this.#seenAt = this.#peer.clock.now();
    this.#cancelSilence = this.#peer.clock.after(this.#silenceMs, () => this.#checkSilence());
    this.#parser.on('packet', (packet) => this.#safely(packet));
    this.#parser.on('error', (error) => this.#malformed(error));
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('error', () => {}); // resets are the client's right; close follows
    stream.on('close', () => this.#end());
    stream.on('end', () => stream.end());
  }

  #read(chunk: Buffer): void {
    const { ended, wire, clock } = this.#peer;
    this.#seenAt = clock.now();
    if (ended || wire.muted || wire.closing) return;
    let left = 0;
    wire.batch(() => {
      left = this.#parser.parse(chunk);
    });
    if (left > LARGEST_PACKET) this.#peer.refuse(REASON.packetTooLarge, 'packet too large');
  }

  /** A defect of ours ends this client's connection, not the process. */
  #safely(packet: Packet): void {
    const { ended, wire } = this.#peer;
    if (ended || wire.muted || wire.closing) return;
    try {
      this.#receive(packet);
    } catch (thrown) {
      process.emitWarning(`The emulator failed: ${String(thrown)}`);
      this.#stream.destroy();
    }
  }

  #receive(packet: Packet): void {
    const peer = this.#peer;
    if (packet.cmd === 'connect') {
      // A second CONNECT is a violation [MQTT-3.1.0-2].
      if (peer.connect) {
        peer.refuse(REASON.protocolError, 'second CONNECT');
        return;
      }
      peer.connect = packet;
      peer.wire.protocolVersion = packet.protocolVersion ?? 4;
      admit(peer, packet, (expiresAt) => this.#watch(expiresAt));
      return;
    }
    // The first packet must be a CONNECT [MQTT-3.1.0-1], and nothing counts before its answer.
    if (isAdmitted(peer)) this.#serve(peer, packet);
    else if (!peer.connect) peer.wire.close();
  }

  #serve(peer: Admitted, packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        onPublish(peer, packet);
        return;
      case 'puback':
        peer.delivery?.acknowledge(packet);
        return;
      case 'subscribe':
        onSubscribe(peer, packet);
        return;
      case 'unsubscribe':
        onUnsubscribe(peer, packet);
        return;
      case 'pingreq':
        onPing(peer);
        return;
      case 'auth':
        onAuth(peer, packet, (expiresAt) => this.#watch(expiresAt));
        return;
      case 'disconnect':
        // 0x04: disconnect with will (MQTT 5, 3.14.2.1).
        this.#clean = packet.reasonCode !== 0x04;
        peer.wire.close();
        return;
      default:
        peer.refuse(REASON.protocolError, packet.cmd);
        return;
    }
  }

  #malformed(error: unknown): void {
    const peer = this.#peer;
    if (peer.ended) return;
    const why = error instanceof Error ? error.message : String(error);
    peer.record({ operation: 'violation', outcome: 'malformed packet' });
    // An unknown protocol level gets its CONNACK [MQTT-3.1.2-2]; everything else the close.
    if (!peer.connect && /protocol ?version/i.test(why)) {
      peer.wire.send([refusedConnack(4, { returnCode: 1, reasonCode: REASON.unsupportedVersion })]);
    } else if (peer.subject && peer.version === 5) {
      peer.wire.send([disconnect(REASON.malformedPacket)]);
    }
    peer.wire.close();
  }

  /** The client is in: its own keep-alive counts, and its credentials run out some time. */
  #watch(expiresAt: number): void {
    const { clock, connect } = this.#peer;
    const keepaliveMs = (connect?.keepalive ?? 0) * 1_000;
    // One and a half times the keep-alive [MQTT-3.1.2-24].
    this.#silenceMs = keepaliveMs === 0 ? LONGEST_SILENCE_MS : Math.min(keepaliveMs * 1.5, LONGEST_SILENCE_MS);
    this.#cancelSilence();
    this.#cancelSilence = clock.after(this.#silenceMs, () => this.#checkSilence());
    this.#cancelExpiry();
    if (!Number.isFinite(expiresAt)) return;
    this.#cancelExpiry = clock.after(expiresAt - clock.now(), () => this.#peer.connection?.end('token-expired'));
  }

  /** Looked at once per period, not once per packet. */
  #checkSilence(): void {
    const peer = this.#peer;
    const left = this.#seenAt + this.#silenceMs - peer.clock.now();
    if (left > 0) {
      this.#cancelSilence = peer.clock.after(left, () => this.#checkSilence());
      return;
    }
    peer.record({ operation: 'closed', outcome: 'keep-alive' });
    if (peer.version === 5 && peer.subject) peer.wire.send([disconnect(REASON.keepAliveTimeout)]);
    peer.wire.close();
  }

  #end(): void {
    const peer = this.#peer;
    if (peer.ended) return;
    peer.ended = true;
    this.#cancelSilence();
    this.#cancelExpiry();
    peer.delivery?.release();
    const key = peer.subject?.kind === 'device' ? keyOf(peer.subject.identity) : undefined;
    if (key !== undefined && peer.hub.live.get(key) === peer) {
      peer.hub.live.delete(key);
      // MQTT 5: a session without an expiry interval ends with its connection (MQTT 5, 3.1.2.11.2).
      const expires = peer.version === 5 && !peer.connect?.properties?.sessionExpiryInterval;
      if (expires) peer.hub.sessions.drop(key);
    }
    this.#sendWill();
    peer.connection?.release();
  }

  /** A will to one's own events topic becomes an event (iot-mqtt-connect-to-iot-hub). */
  #sendWill(): void {
    const { connect, subject, hub } = this.#peer;
    if (!connect?.will || this.#clean || subject?.kind !== 'device') return;
    const publication = parsePublication(connect.will.topic, subject);
    if (publication.kind !== 'd2c') return;
    const properties = { ...Object.fromEntries(publication.properties), 'iothub-MessageType': 'Will' };
    try {
      hub.context.cloud.sendEvent(subject.identity, { body: Buffer.from(connect.will.payload), properties }, 'mqtt');
    } catch (thrown) {
      if (!(thrown instanceof CloudFault)) throw thrown;
    }
  }
}

function isAdmitted(peer: Peer): peer is Admitted {
  return peer.subject !== undefined;
}
