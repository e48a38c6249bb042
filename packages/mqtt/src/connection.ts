import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import type { IConnackPacket, MqttClient, Packet } from 'mqtt';
import { willReconnect } from './client.ts';
import { silentClose } from './evidence.ts';
import { ended, type Faults } from './faults.ts';

/** One socket of the client, from connecting to its close. */
interface Link {
  readonly stream: MqttClient['stream'];
  readonly unhook: () => void;
  /** CONNACK 0 was seen. */
  accepted: boolean;
  closed: boolean;
  /** Why it ended, or is about to. */
  fault?: AnyDeviceCloudError;
  /** Something went wrong on it, yet it went on. */
  suspect?: AnyDeviceCloudError;
  /** A packet came after the suspect: it was not the end. */
  heard: boolean;
  /** Ends a connection that the server refused, but left open. */
  stopWaiting?: () => void;
}

export interface ConnectionHooks {
  accepted(packet: IConnackPacket): void;
  /** The connection is gone; mqtt.js has not reacted yet. */
  lost(error: AnyDeviceCloudError): void;
  /** mqtt.js has reacted: its timer runs, or nothing does. */
  settled(error: AnyDeviceCloudError): void;
  /** It closed because the program said `end()`. */
  ended(): void;
}

/** A server that refuses must close [MQTT-3.2.2-5, MQTT-3.14.4-1]; some leave that to the client. */
const LINGER_MS = 200;

/** A stream that is destroyed says so within a turn or two of the event loop; later, it has said it before us. */
const WAKE_MS = 100;

/**
 * Finds the one reason why each connection ended. What mqtt.js tells of it comes in several events, in
 * an order that depends on cause and version, twice or not at all; the first thing said is the reason.
 */
export class Connection {
  readonly #client: MqttClient;
  readonly #faults: Faults;
  readonly #hooks: ConnectionHooks;
  readonly #clock: Clock;
  /** Errors seen: TLS errors arrive twice, as the same object. */
  #seen: WeakSet<object> | undefined;
  /** Close what the server refused and left open. */
  readonly #closesLingering: boolean;
  /** Which attempt in a row this is, from 1. */
  readonly #attempt: () => number;
  #link: Link | undefined;
  #stopWaking: (() => void) | undefined;

  constructor(
    client: MqttClient,
    faults: Faults,
    hooks: ConnectionHooks,
    more: { clock: Clock; closesLingering: boolean; attempt: () => number },
  ) {
    this.#client = client;
    this.#faults = faults;
    this.#hooks = hooks;
    this.#clock = more.clock;
    this.#closesLingering = more.closesLingering;
    this.#attempt = more.attempt;
    if (client.stream) this.#begin(client.connected);
    if (client.stream?.destroyed) this.#stopWaking = more.clock.after(WAKE_MS, () => guarded(() => this.#wake()));
  }

  get accepted(): boolean {
    return this.#link?.accepted === true && !this.#link.closed;
  }

  /** A socket is there, or being made. */
  get busy(): boolean {
    return this.#link !== undefined && !this.#link.closed;
  }

  /** Why the present connection ended, or is about to, where that is known already. */
  get fault(): AnyDeviceCloudError | undefined {
    const link = this.#link;
    return link?.fault ?? (link?.heard ? undefined : link?.suspect);
  }

  /** CONNECT is the first packet on every stream. */
  sent(packet: Packet): void {
    if (packet.cmd === 'connect') this.#begin(false);
  }

  received(packet: Packet): void {
    const link = this.#link;
    if (!link) return;
    link.heard = true;
    if (packet.cmd === 'connack') this.#connack(link, packet);
    else if (packet.cmd === 'disconnect') this.#refused(link, packet);
  }

  /** An error of the client or of its stream. */
  failed(raised: unknown): void {
    // A stream of somebody else's making may raise anything.
    const error = typeof raised === 'object' && raised !== null ? (raised as Error) : new Error(String(raised));
    this.#seen ??= new WeakSet();
    if (this.#seen.has(error)) return;
    this.#seen.add(error);
    if (error.message === 'client disconnecting') {
      // Of a publish that nobody waits for.
      const error = this.#faults.tell(ended('ClientEnded', 'publish'));
      this.#faults.giveUp(error, { operation: 'publish', attempts: 0 });
      return;
    }
    const link = this.#link;
    if (!link) this.#faults.tell(this.#faults.type(error, 'mqtt.connect'));
    else this.#note(link, error, this.#ends(link, error));
  }

  /** Something is wrong with what came, but mqtt.js goes on. */
  suspect(error: Error): void {
    if (this.#link) this.#note(this.#link, error, false);
  }

  detach(): void {
    this.#stopWaking?.();
    this.#link?.stopWaiting?.();
    this.#link?.unhook();
    this.#link = undefined;
  }

  /** A client that was dead before we came: refused, or told not to reconnect. No event of it will follow. */
  #wake(): void {
    const link = this.#link;
    if (!link || link.closed || link.fault || !link.stream.destroyed) return;
    link.closed = true;
    link.unhook();
    if (this.#client.disconnecting || willReconnect(this.#client)) return;
    link.fault = this.#tell(link, this.#faults.typeSeen(silentClose, nameOf(link)));
    this.#hooks.lost(link.fault);
    this.#hooks.settled(link.fault);
  }

  #begin(accepted: boolean): void {
    const { stream } = this.#client;
    if (this.#link?.stream === stream) return;
    this.#link?.stopWaiting?.();
    // Before mqtt.js' own reaction, and after it: it reads `reconnectPeriod` in between.
    const before = () => guarded(() => this.#close(link));
    const after = () => guarded(() => this.#closed(link));
    const failed = (error: unknown) => guarded(() => this.failed(error));
    const unhook = () => {
      stream.off('close', before).off('close', after).off('error', failed);
    };
    const link: Link = { stream, unhook, accepted, closed: false, heard: false };
    this.#link = link;
    stream.prependListener('close', before).on('close', after).on('error', failed);
  }

  #connack(link: Link, packet: IConnackPacket): void {
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    if (code !== 0) {
      this.#refused(link, packet);
    } else if (!link.accepted) {
      link.accepted = true;
      this.#hooks.accepted(packet);
    } // a second CONNACK: mqtt.js raises it as an error
  }

  #refused(link: Link, packet: Packet): void {
    // A DISCONNECT below 0x80 refuses nothing: the close tells.
    if (packet.cmd === 'disconnect' && (packet.reasonCode ?? 0) < 0x80) return;
    this.#note(link, packet, true);
    if (!this.#closesLingering || link.stopWaiting) return;
    link.stopWaiting = this.#clock.after(LINGER_MS, () => link.stream.destroy());
  }

  #ends(link: Link, error: Error): boolean {
    // A parser error leaves the connection up; everything else mqtt.js ends it for.
    return link.stream.destroyed || 'code' in error || /^(connack|Keepalive) timeout$/.test(error.message);
  }

  #note(link: Link, raw: unknown, ends: boolean): void {
    if (link.fault) return;
    if (link.suspect && !link.heard) {
      // Lost framing, and then the time-out it leads to.
      if (ends) link.fault = link.suspect;
      return;
    }
    const fault = this.#tell(link, this.#faults.type(raw, nameOf(link)));
    if (ends) link.fault = fault;
    else {
      link.suspect = fault;
      link.heard = false;
    }
  }

  #tell(link: Link, error: AnyDeviceCloudError): AnyDeviceCloudError {
    return this.#faults.tell(error, link.accepted ? undefined : this.#attempt());
  }

  #close(link: Link): void {
    if (link.closed) return;
    link.closed = true;
    link.stopWaiting?.();
    // The program has made another connection already.
    if (link !== this.#link) return;
    if (this.#client.disconnecting) {
      this.#hooks.ended();
      return;
    }
    if (!link.fault && link.suspect && !link.heard) link.fault = link.suspect;
    link.fault ??= this.#tell(link, this.#faults.typeSeen(silentClose, nameOf(link)));
    // Taken off by who was told.
    if (link === this.#link) this.#hooks.lost(link.fault);
  }

  #closed(link: Link): void {
    link.unhook();
    if (link === this.#link && link.fault && !this.#client.disconnecting) this.#hooks.settled(link.fault);
  }
}

function nameOf({ accepted }: Link): string {
  return accepted ? 'mqtt.connection' : 'mqtt.connect';
}

/** An exception of ours must not reach the emitter: mqtt.js would lose packets over it. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (thrown) {
    const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    globalThis.process?.emitWarning?.(`A listener of faultmap threw: ${text}`, {
      type: 'FaultmapWarning',
      code: 'FAULTMAP_INTERNAL',
    });
  }
}
