import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import type { MqttClient, Packet } from 'mqtt';
import { label } from './label.ts';
import { Probation } from './probation.ts';
import { SuspectFilters } from './suspect-filters.ts';
import { WrittenPackets } from './written.ts';

/** A close is the answer to what was written so shortly before; later, it has reasons of its own. */
const SOON_MS = 10_000;

/** What the connection closed at, again and again: a stored publish, or a subscription. */
export type Convict = {
  /** For messages. */
  readonly operation: string;
  /** Connections in a row that closed with nothing else unacknowledged. */
  readonly closes: number;
} & ({ readonly kind: 'publish'; readonly id: number } | { readonly kind: 'subscribe'; readonly filter: string });

/** What a close says of what was written before it. */
export interface Verdict {
  /** It was the answer to something of ours, as far as that can be told. */
  readonly isAnswer: boolean;
  /** To be taken back, as this connection was one too many. */
  readonly convict: Convict | undefined;
}

interface SuspectPublish {
  readonly id: number;
  readonly closes: number;
}

export interface PoisonSetup {
  readonly client: MqttClient;
  readonly clock: Clock;
  /** So many closes in a row convict. */
  readonly limit: number;
  /** mqtt.js' own. */
  readonly subscribe: (...args: never[]) => unknown;
}

/**
 * Finds the publish or the subscription that makes a server close without a word (too large, not allowed):
 * mqtt.js sends it again on every connection, for ever. A server that is down, or a poor network, closes
 * too; so after the first suspicion a new connection is on probation, and only what was written alone and
 * shortly before the close is to blame.
 */
export class Poison {
  readonly #setup: PoisonSetup;
  readonly #written = new WrittenPackets();
  /** Made with the first close that may be for a subscription. */
  #filters: SuspectFilters | undefined;
  #publish: SuspectPublish | undefined;
  #probation: Probation | undefined;
  /** Subscribed to on this connection, ahead of mqtt.js. */
  #tried: Set<string> | undefined;

  constructor(setup: PoisonSetup) {
    this.#setup = setup;
  }

  /** Is what is being written of our own making? */
  get isWriting(): boolean {
    return this.#probation?.isWriting === true;
  }

  /** CONNACK was seen; mqtt.js has not yet begun to send its store again. */
  accepted(sessionPresent: boolean): void {
    this.#written.clear();
    this.#tried = undefined;
    const { client, clock, subscribe } = this.#setup;
    const groups = this.#filters?.groups(sessionPresent) ?? [];
    if (!this.#publish && groups.length === 0) return;
    if (groups.length > 0) this.#tried = new Set();
    this.#probation = new Probation({ client, clock, subscribe, groups });
  }

  sent(packet: Packet): void {
    if (this.#setup.limit < Infinity) this.#written.sent(packet, this.#setup.clock.now());
  }

  received(packet: Packet): void {
    if (packet.cmd === 'connack') return;
    const { publish, filters } = this.#written.received(packet) ?? {};
    if (publish && packet.messageId === this.#publish?.id) this.#publish = undefined;
    if (filters) this.#filters?.cleared(filters);
    for (const filter of filters ?? []) this.#tried?.add(filter);
    this.#probation?.heard();
  }

  /** Of what mqtt.js subscribes to again, is this one done? */
  isTried(filter: string): boolean {
    return this.#tried?.has(filter) === true;
  }

  lost(fault: AnyDeviceCloudError): Verdict {
    this.#end(false);
    const since = this.#setup.clock.now() - SOON_MS;
    const isReaction = (at: number) => at >= since && mayBeReaction(fault);
    const { filters, at, only } = this.#written.subscriptions();
    const isAnswer = isReaction(at);
    if (isAnswer) this.#filters ??= new SuspectFilters(this.#setup.client, this.#setup.limit);
    const closed = isAnswer ? this.#filters?.closedOn(filters, only) : this.#filters?.cleared(filters);
    const publish = this.#closedOnPublish(isReaction);
    if (!closed) return { isAnswer: isAnswer || publish.isAnswer, convict: publish.convict };
    return { isAnswer, convict: { kind: 'subscribe', operation: label('subscribe', closed.filter), ...closed } };
  }

  /** The program ended the client. */
  idle(): void {
    this.#end(false);
  }

  /** What is held is sent. */
  detach(): void {
    this.#tried = undefined;
    this.#end(true);
  }

  #closedOnPublish(isReaction: (at: number) => boolean): Verdict {
    const [id, { publish, at }] = this.#written.alone() ?? [0, { publish: undefined, at: -Infinity }];
    const isAnswer = publish !== undefined && isReaction(at);
    if (!isAnswer) {
      if (id) this.#publish = undefined;
      return { isAnswer, convict: undefined };
    }
    const closes = this.#publish?.id === id ? this.#publish.closes + 1 : 1;
    this.#publish = closes < this.#setup.limit ? { id, closes } : undefined;
    return { isAnswer, convict: this.#publish ? undefined : { kind: 'publish', id, operation: publish, closes } };
  }

  #end(healthy: boolean): void {
    this.#probation?.end(healthy);
    this.#probation = undefined;
  }
}

/** A server's close, reset or refusal; not a time-out, a take-over, a quota or a shutdown, which say what they are. */
function mayBeReaction({ category, reason }: AnyDeviceCloudError): boolean {
  if (category === 'network') return reason === 'ECONNRESET' || reason === 'EPIPE';
  return category === 'unknown' || category === 'bad-request' || category === 'protocol' || category === 'unauthorized';
}
