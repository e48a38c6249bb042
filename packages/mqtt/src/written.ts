import type { Packet } from 'mqtt';
import { isAck } from './acks.ts';
import { label } from './label.ts';

/** A packet that was written to this connection and is not acknowledged. */
export interface Written {
  readonly order: number;
  readonly at: number;
  /** Name of a PUBLISH, or its PUBREL, that can be taken back. */
  readonly publish: string | undefined;
  /** Filters of a SUBSCRIBE. */
  readonly filters: readonly string[] | undefined;
}

/** What may be the reason of a close: the packets of this connection that the server has not acknowledged. */
export class WrittenPackets {
  readonly #open = new Map<number, Written>();
  /** Names of QoS 2 publishes until they are complete: a PUBREL says none, on a later connection either. */
  #releases: Map<number, string> | undefined;
  #order = 0;
  /** Order of the last QoS 0 publish: nothing tells whether that was taken. */
  #unconfirmable = 0;
  /** Order of the last packet that was acknowledged. */
  #confirmed = 0;

  /** A new connection. */
  clear(): void {
    this.#open.clear();
    this.#order = 0;
    this.#unconfirmable = 0;
    this.#confirmed = 0;
  }

  sent(packet: Packet, at: number): void {
    const { cmd, messageId } = packet;
    if (cmd === 'publish' && packet.qos === 0) {
      this.#unconfirmable = ++this.#order;
      return;
    }
    const isAcknowledged = cmd === 'publish' || cmd === 'pubrel' || cmd === 'subscribe' || cmd === 'unsubscribe';
    if (!messageId || !isAcknowledged) return;
    const publish = cmd === 'publish' ? label('publish', packet.topic) : this.#nameOf(packet);
    if (publish !== undefined && cmd === 'publish' && packet.qos === 2) {
      this.#releases ??= new Map();
      this.#releases.set(messageId, publish);
    }
    const filters = cmd === 'subscribe' ? packet.subscriptions.map(({ topic }) => topic) : undefined;
    this.#open.set(messageId, { order: ++this.#order, at, publish, filters });
  }

  /** @returns what the server acknowledged */
  received(packet: Packet): Written | undefined {
    if (!isAck(packet)) return undefined;
    const id = packet.messageId ?? 0;
    const written = this.#open.get(id);
    // One that is no answer to all of it makes mqtt.js end the connection, and subscribe again to the same.
    const isShort = packet.cmd === 'suback' && packet.granted.length !== written?.filters?.length;
    if (!written || isShort) return undefined;
    this.#confirmed = Math.max(this.#confirmed, written.order);
    this.#open.delete(id);
    if (packet.cmd !== 'pubrec' || (packet.reasonCode ?? 0) >= 0x80) this.#releases?.delete(id);
    return written;
  }

  /** What alone can be to blame: of several nobody knows. */
  alone(): [id: number, Written] | undefined {
    if (this.#open.size !== 1 || this.#isInDoubt) return undefined;
    const [one] = this.#open;
    return one;
  }

  /** The subscriptions among it; `only`: nothing else can be to blame. */
  subscriptions(): { readonly filters: readonly string[]; readonly at: number; readonly only: boolean } {
    const all = [...this.#open.values()];
    const subscribing = all.filter(({ filters }) => filters);
    return {
      filters: [...new Set(subscribing.flatMap(({ filters }) => filters ?? []))],
      at: Math.max(...subscribing.map(({ at }) => at)),
      only: subscribing.length === all.length && !this.#isInDoubt,
    };
  }

  #nameOf({ cmd, messageId }: Packet): string | undefined {
    return cmd === 'pubrel' ? (this.#releases?.get(messageId ?? 0) ?? 'publish') : undefined;
  }

  get #isInDoubt(): boolean {
    return this.#unconfirmable > this.#confirmed;
  }
}
