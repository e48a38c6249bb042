import type { AnyDeviceCloudError } from '@faultmap/core';
import type { Packet } from 'mqtt';
import type { Faults } from './faults.ts';
import { label } from './label.ts';

type Ack = Extract<Packet, { cmd: 'puback' | 'pubrec' | 'pubcomp' | 'suback' | 'unsuback' }>;

const VERBS: Record<Ack['cmd'], string> = {
  puback: 'publish',
  pubrec: 'publish',
  pubcomp: 'publish',
  suback: 'subscribe',
  unsuback: 'unsubscribe',
};

/**
 * Reads what acknowledgements refuse. mqtt.js loses half of it: the reason string, which of several
 * topics, every refused UNSUBSCRIBE, and all of it where the program gave no callback.
 */
export class Acks {
  readonly #faults: Faults;
  /** Topics of what was written and is not acknowledged, by message id. */
  readonly #topics = new Map<number, readonly string[]>();
  /** Refusals by acknowledgement: mqtt.js gives the packet to the callback. */
  #refusals: WeakMap<object, AnyDeviceCloudError> | undefined;

  readonly #granted: (filter: string) => void;
  readonly #isAwaited: (messageId: number) => boolean;

  /**
   * @param more.granted - a broker granted this filter
   * @param more.isAwaited - does somebody wait for the end of what has this message id?
   */
  constructor(
    faults: Faults,
    more: { readonly granted: (filter: string) => void; readonly isAwaited: (messageId: number) => boolean },
  ) {
    this.#faults = faults;
    this.#granted = more.granted;
    this.#isAwaited = more.isAwaited;
  }

  sent(packet: Packet): void {
    const topics = topicsIn(packet);
    if (topics && packet.messageId) this.#topics.set(packet.messageId, topics);
  }

  /** @returns what is wrong with the acknowledgement itself, where the program is not who learns it */
  received(packet: Packet): Error | undefined {
    if (!isAck(packet)) return undefined;
    const topics = this.#topics.get(packet.messageId ?? -1);
    if (packet.cmd !== 'pubrec' || refuses(packet.reasonCode)) this.#topics.delete(packet.messageId ?? -1);
    const codes = codesIn(packet);
    codes.forEach((code, at) => {
      const topic = topics?.[at] ?? topics?.[0];
      if (refuses(code)) this.#refuse(packet, code, topic);
      else if (packet.cmd === 'suback' && topic !== undefined) this.#granted(topic);
    });
    const refusal = this.refusalIn(packet);
    // Where somebody waits, what he waits for tells its end.
    if (refusal && !this.#isAwaited(packet.messageId ?? 0))
      this.#faults.giveUp(refusal, { operation: refusal.operation ?? VERBS[packet.cmd], attempts: 1 });
    const short = packet.cmd === 'suback' && topics !== undefined && codes.length < topics.length;
    return short ? new Error(`Protocol error: ${codes.length} codes for ${topics.length} subscriptions`) : undefined;
  }

  refusalIn(packet: unknown): AnyDeviceCloudError | undefined {
    return typeof packet === 'object' && packet !== null ? this.#refusals?.get(packet) : undefined;
  }

  /** What is sent again after a reconnect is sent under its id again. */
  disconnected(): void {
    this.#topics.clear();
  }

  #refuse(packet: Ack, code: number, topic: string | undefined): void {
    const one = { ...packet, reasonCode: code, granted: undefined };
    const error = this.#faults.tell(this.#faults.type(one, label(VERBS[packet.cmd], topic)));
    // A call with several topics rejects with the first refusal; the events have all.
    this.#refusals ??= new WeakMap();
    if (!this.#refusals.has(packet)) this.#refusals.set(packet, error);
  }
}

export function isAck(packet: Packet): packet is Ack {
  return packet.cmd in VERBS;
}

function refuses(code: number | undefined): boolean {
  return code !== undefined && code >= 0x80;
}

function topicsIn(packet: Packet): readonly string[] | undefined {
  if (packet.cmd === 'publish') return packet.qos > 0 ? [packet.topic] : undefined;
  if (packet.cmd === 'subscribe') return packet.subscriptions.map(({ topic }) => topic);
  return packet.cmd === 'unsubscribe' ? packet.unsubscriptions : undefined;
}

function codesIn(packet: Ack): readonly number[] {
  if (packet.cmd !== 'suback' && packet.cmd !== 'unsuback') return [packet.reasonCode ?? 0];
  const granted: unknown = packet.granted ?? [];
  return Array.isArray(granted) ? granted.map((one) => (typeof one === 'number' ? one : Number(one?.qos ?? 0))) : [];
}
