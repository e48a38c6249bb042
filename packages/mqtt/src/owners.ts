import type { MqttClient, Packet } from 'mqtt';
import type { Pending } from './pending.ts';

/**
 * Whose packet is it? mqtt.js gives a message id only inside, may queue a packet for later, and wraps the
 * callback anew when it sends a stored one again; so a packet is known by several marks, the surest first.
 */
export class PacketOwners {
  readonly #client: MqttClient;
  readonly #byId = new Map<number, Pending>();
  readonly #byCallback = new WeakMap<object, Pending>();
  /** Made when something is queued for the first time. */
  #byPacket: WeakMap<object, Pending> | undefined;
  /** Those of no id yet: only their topics can tell. */
  readonly #candidates: Iterable<Pending>;
  /** The call that is being made right now: what it writes is its own. */
  #calling: Pending | undefined;

  constructor(client: MqttClient, candidates: Iterable<Pending>) {
    this.#client = client;
    this.#candidates = candidates;
  }

  add(one: Pending): void {
    this.#byCallback.set(one.callback, one);
  }

  /** Make the call that is `one`'s, and note what it left behind. */
  during<T>(one: Pending, call: () => T): T {
    const client = this.#client;
    const queuedBefore = client.queue?.length ?? 0;
    this.#calling = one;
    try {
      return call();
    } finally {
      this.#calling = undefined;
      for (const { packet } of (client.queue ?? []).slice(queuedBefore)) this.#queued(one, packet);
      const id = client.getLastMessageId?.();
      if (id && client.outgoing?.[id]?.cb === one.callback) this.#note(one, id);
    }
  }

  /** Who waits for the answer to this message id? */
  byId(id: number): Pending | undefined {
    return this.#byId.get(id);
  }

  /** Whose is this packet, which is being written? */
  of(packet: Packet): Pending | undefined {
    // The second half of a QoS 2 publish.
    if (packet.cmd === 'pubrel') return this.#byId.get(packet.messageId ?? 0);
    if (packet.cmd !== 'publish' && packet.cmd !== 'subscribe' && packet.cmd !== 'unsubscribe') return undefined;
    const one = this.#known(packet) ?? this.#byTopic(packet);
    if (one?.kind !== packet.cmd) return undefined;
    this.#own(one, packet);
    return one;
  }

  /** Forget it. @returns the message ids that are still its own */
  drop(one: Pending): number[] {
    const own = one.messageIds.filter((id) => this.#byId.get(id) === one);
    for (const id of own) this.#byId.delete(id);
    return own;
  }

  #known(packet: Packet): Pending | undefined {
    if (this.#calling?.kind === packet.cmd) return this.#calling;
    const id = packet.messageId ?? 0;
    const callback: unknown = this.#client.outgoing?.[id]?.cb;
    const byCallback = typeof callback === 'function' ? this.#byCallback.get(callback) : undefined;
    return byCallback ?? this.#byPacket?.get(packet) ?? this.#byId.get(id);
  }

  /** A call that waited behind the re-sending of the store. */
  #byTopic(packet: Packet): Pending | undefined {
    const topic =
      (packet.cmd === 'subscribe' && packet.subscriptions[0]?.topic) ||
      (packet.cmd === 'unsubscribe' && packet.unsubscriptions[0]);
    if (!topic) return undefined;
    for (const one of this.#candidates)
      if (one.kind === packet.cmd && one.messageIds.length === 0 && one.topics.includes(topic)) return one;
    return undefined;
  }

  #queued(one: Pending, packet: object): void {
    this.#byPacket ??= new WeakMap();
    this.#byPacket.set(packet, one);
    this.#own(one, packet);
  }

  #own(one: Pending, packet: object): void {
    if ('messageId' in packet && typeof packet.messageId === 'number' && packet.messageId > 0)
      this.#note(one, packet.messageId);
  }

  #note(one: Pending, id: number): void {
    if (!one.messageIds.includes(id)) one.messageIds.push(id);
    this.#byId.set(id, one);
  }
}
