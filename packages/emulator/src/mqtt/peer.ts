import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { IConnectPacket } from 'mqtt-packet';
import { REASON } from '../forms/mqtt.ts';
import type { ListenerContext } from '../listener.ts';
import type { CloudClock } from '../state/clock.ts';
import type { CloseCause, DeviceConnection } from '../state/connections.ts';
import { disconnect, type Outcome } from './answers.ts';
import type { Delivery } from './delivery.ts';
import type { Session, Sessions } from './session.ts';
import { TopicAliases } from './topic-aliases.ts';
import type { Channel, Subject } from './topics.ts';
import { Wire } from './wire.ts';

/** What connections of one listener share. */
export interface Hub {
  readonly context: ListenerContext;
  readonly sessions: Sessions;
  /** Connected devices by key, for what the cloud sends. */
  readonly live: Map<string, Peer>;
}

export interface PeerSetup {
  readonly hub: Hub;
  readonly stream: Duplex;
  /** What carries the stream: itself, or the socket beneath a WebSocket. */
  readonly socket: Socket;
  readonly id: number;
  /** Of a client certificate, in hex. */
  readonly thumbprints: readonly string[];
}

/** Word and status of a log entry. */
interface Entry {
  readonly operation: string;
  readonly outcome: string;
  readonly status?: number | undefined;
  readonly scripted?: boolean;
  readonly path?: string | undefined;
  readonly messageId?: string | undefined;
}

/** What is known of one client, and how to talk to it. */
export class Peer {
  readonly hub: Hub;
  readonly wire: Wire;
  readonly thumbprints: readonly string[];
  /** Set with the first packet. */
  connect: IConnectPacket | undefined;
  /** Set once it is admitted, like the session. */
  subject: Subject | undefined;
  session: Session | undefined;
  /** A device has these two, a registration has not. */
  connection: DeviceConnection | undefined;
  delivery: Delivery | undefined;
  readonly topicAliases = new TopicAliases();
  ended = false;
  readonly #id: number;

  constructor({ hub, stream, socket, id, thumbprints }: PeerSetup) {
    this.hub = hub;
    this.#id = id;
    this.thumbprints = thumbprints;
    this.wire = new Wire(stream, socket, hub.context.cloud.clock);
  }

  get version(): number {
    return this.wire.protocolVersion;
  }

  get clock(): CloudClock {
    return this.hub.context.cloud.clock;
  }

  wants(channel: Channel): boolean {
    return this.session?.qosOf(channel) !== undefined;
  }

  /** Whom a request is from, for faults and the log. */
  who(): { transport: 'mqtt'; deviceId: string | undefined; moduleId: string | undefined } {
    if (this.subject?.kind === 'device') {
      const { deviceId, moduleId } = this.subject.identity;
      return { transport: 'mqtt', deviceId, moduleId };
    }
    const [deviceId, moduleId] = this.connect?.clientId.split('/') ?? [];
    return { transport: 'mqtt', deviceId, moduleId };
  }

  record({ operation, outcome, status, scripted, path, messageId }: Entry): void {
    const { transport, deviceId, moduleId } = this.who();
    this.hub.context.cloud.log.record({
      transport,
      operation,
      deviceId,
      moduleId,
      target: path,
      messageId,
      connection: this.#id,
      outcome,
      status,
      scripted: scripted || undefined,
    });
  }

  finish({ packets, close }: Outcome): void {
    this.wire.send(packets);
    if (close) this.wire.close();
  }

  /** Go on with what the client is subscribed to. */
  resume(): void {
    if (this.ended || this.wire.closing || !this.delivery) return;
    this.listenToMethods();
    this.delivery.pump();
  }

  listenToMethods(): void {
    const { connection, delivery } = this;
    if (!connection || !delivery) return;
    if (!delivery.methodsWanted) connection.onMethod = undefined;
    else connection.onMethod ??= (call) => delivery.call(call);
  }

  /** Say why where the version can, and close. */
  refuse(reasonCode: number, why: string): void {
    this.record({ operation: 'violation', outcome: why, status: reasonCode });
    if (this.version === 5 && this.subject) this.wire.send([disconnect(reasonCode, { reasonString: why })]);
    this.wire.close();
  }

  /** The state ended the connection; 3.1.1 has no packet for that: a bare close. */
  closedByCloud(cause: CloseCause): void {
    this.record({ operation: 'closed', outcome: cause });
    // What it has not acknowledged is the next connection's at once.
    this.delivery?.release();
    if (this.version === 5) this.wire.send([disconnect(CLOSE_REASON[cause])]);
    this.wire.close();
  }
}

const CLOSE_REASON: Record<CloseCause, number> = {
  'taken-over': REASON.takenOver,
  removed: REASON.notAuthorized,
  disabled: REASON.notAuthorized,
  'token-expired': REASON.notAuthorized,
  stopped: REASON.serverShuttingDown,
};
