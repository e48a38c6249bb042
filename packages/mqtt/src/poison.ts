import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import type { MqttClient, Packet } from 'mqtt';
import { isAck } from './acks.ts';
import { guarded } from './connection.ts';
import { holdStore } from './hold.ts';
import { label } from './label.ts';

/** A close is the answer to what was written so shortly before; later, it has reasons of its own. */
const SOON_MS = 10_000;

/** A server that answers no PINGREQ has shown by then that it holds a connection. */
const HELD_MS = 5_000;

/** A stored publish that the connection closes at, again and again. */
export interface Suspect {
  readonly id: number;
  /** For messages. */
  readonly operation: string;
  /** Connections in a row that closed with nothing else unacknowledged. */
  readonly closes: number;
}

interface Written {
  readonly order: number;
  readonly at: number;
  /** `undefined`: no PUBLISH, and nothing to take back. */
  readonly operation: string | undefined;
}

export interface PoisonSetup {
  readonly client: MqttClient;
  readonly clock: Clock;
  /** So many closes in a row convict. */
  readonly limit: number;
}

/**
 * Finds the publish that makes a server close without a word (too large, not allowed): mqtt.js sends it
 * again on every connection, for ever. A server that is down, or a poor network, closes too; so from the
 * first suspicion on a connection has to answer a PINGREQ before the store is sent again on it, and only
 * what was written alone and shortly before the close is to blame.
 */
export class Poison {
  readonly #setup: PoisonSetup;
  /** Of this connection, unacknowledged, by message id. */
  readonly #written = new Map<number, Written>();
  #order = 0;
  /** Order of the last QoS 0 publish: nothing tells whether that was taken. */
  #unconfirmable = 0;
  /** Order of the last packet that was acknowledged. */
  #confirmed = 0;
  #suspect: Suspect | undefined;
  #release: (healthy: boolean) => void = () => {};

  constructor(setup: PoisonSetup) {
    this.#setup = setup;
  }

  /** CONNACK was seen; mqtt.js has not yet begun to send its store again. */
  accepted(): void {
    this.#forget();
    if (this.#suspect) this.#hold();
  }

  sent(packet: Packet): void {
    if (this.#setup.limit === Infinity) return;
    const { cmd } = packet;
    if (cmd === 'publish' && packet.qos === 0) this.#unconfirmable = ++this.#order;
    else if (cmd === 'publish') this.#wrote(packet.messageId, label('publish', packet.topic));
    // Of a PUBREL the server has the message already.
    else if (cmd === 'pubrel' || cmd === 'subscribe' || cmd === 'unsubscribe') this.#wrote(packet.messageId, undefined);
  }

  received(packet: Packet): void {
    if (packet.cmd === 'connack') return;
    this.#release(true);
    if (!isAck(packet)) return;
    const id = packet.messageId ?? 0;
    const written = this.#written.get(id);
    if (!written) return;
    this.#confirmed = Math.max(this.#confirmed, written.order);
    this.#written.delete(id);
    if (id === this.#suspect?.id) this.#suspect = undefined;
  }

  /** @returns the publish to take back, as this connection was one too many */
  lost(fault: AnyDeviceCloudError): Suspect | undefined {
    this.#release(false);
    const alone = this.#alone();
    if (!alone) return undefined;
    const [id, { operation, at }] = alone;
    const isReaction = this.#setup.clock.now() - at <= SOON_MS && mayBeReaction(fault);
    if (operation === undefined || !isReaction) {
      this.#suspect = undefined;
      return undefined;
    }
    const closes = this.#suspect?.id === id ? this.#suspect.closes + 1 : 1;
    const suspect = { id, operation, closes };
    this.#suspect = closes < this.#setup.limit ? suspect : undefined;
    return this.#suspect ? undefined : suspect;
  }

  /** The program ended the client. */
  idle(): void {
    this.#release(false);
  }

  /** What is held is sent. */
  detach(): void {
    this.#release(true);
  }

  /** What alone can be to blame: of several nobody knows. */
  #alone(): [number, Written] | undefined {
    if (this.#written.size !== 1 || this.#unconfirmable > this.#confirmed) return undefined;
    const [one] = this.#written;
    return one;
  }

  #wrote(id: number | undefined, operation: string | undefined): void {
    if (id) this.#written.set(id, { order: ++this.#order, at: this.#setup.clock.now(), operation });
  }

  #forget(): void {
    this.#written.clear();
    this.#order = 0;
    this.#unconfirmable = 0;
    this.#confirmed = 0;
  }

  #hold(): void {
    const { client, clock } = this.#setup;
    const healthy = new Promise<boolean>((resolve) => {
      const cancel = clock.after(HELD_MS, () => this.#release(true));
      this.#release = (is) => {
        this.#release = () => {};
        cancel();
        restore();
        resolve(is);
      };
    });
    const restore = holdStore(client, healthy);
    // Once mqtt.js knows that it is connected.
    queueMicrotask(() => guarded(() => void (client.connected && client.sendPing?.())));
  }
}

/** A server's close, reset or refusal; not a time-out, a take-over, a quota or a shutdown, which say what they are. */
function mayBeReaction({ category, reason }: AnyDeviceCloudError): boolean {
  if (category === 'network') return reason === 'ECONNRESET' || reason === 'EPIPE';
  return category === 'unknown' || category === 'bad-request' || category === 'protocol' || category === 'unauthorized';
}
