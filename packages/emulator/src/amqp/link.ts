import type { Identity } from '../state/identity.ts';
import { identityOf, type Place } from './address.ts';
import type { Delivery, EngineSender, ErrorRecord, Receiver, Sender } from './engine.ts';
import type { Peer } from './peer.ts';

/** What a link is for; each kind of address has one. */
export interface LinkService {
  /** The client sent a message. */
  readonly onMessage?: (message: AmqpMessage, delivery: Incoming, format: number) => void;
  /** The client can take a message. */
  readonly onCredit?: () => void;
  readonly onClosed?: () => void;
}

/** A message as rhea decodes it. */
export interface AmqpMessage {
  readonly message_id?: unknown;
  readonly correlation_id?: unknown;
  readonly to?: string;
  readonly reply_to?: string;
  readonly user_id?: unknown;
  readonly content_type?: string;
  readonly content_encoding?: string;
  readonly absolute_expiry_time?: unknown;
  readonly application_properties?: Readonly<Record<string, unknown>>;
  readonly message_annotations?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** A delivery from the client, and how it is settled. */
export interface Incoming extends Delivery {
  update(settled: boolean | undefined, state?: unknown): void;
}

/** A delivery to the client, and what the client did with it. */
export interface Outgoing {
  readonly id: number;
  readonly link: object;
  remote_settled: boolean;
  settled: boolean;
  update(settled: boolean, state?: unknown): void;
}

export type OutcomeHandler = (outcome: OutcomeName, delivery: Outgoing) => void;

interface Outbound {
  readonly message: object;
  readonly tag: Buffer | undefined;
  readonly onOutcome: OutcomeHandler | undefined;
}

/** `none`: settled by the client without saying what became of it. */
export type OutcomeName = 'accepted' | 'rejected' | 'released' | 'modified' | 'none';

/** How many messages a client may have under way to us, and how many we hold for one that gives no credit. */
const CREDIT = 200;
const OUTBOX_LIMIT = 1_000;

/** One link of a client, seen from the cloud. */
export class Link {
  readonly peer: Peer;
  readonly place: Place;
  readonly address: string;
  readonly engine: Sender | Receiver;
  /** From the client: it sends, we receive. */
  readonly inbound: boolean;
  #service: LinkService | undefined;
  readonly #outbox: Outbound[] = [];
  readonly #unwritten: number[] = [];
  readonly #unsettled = new Map<Outgoing, OutcomeHandler | undefined>();
  #open = true;

  constructor(peer: Peer, engine: Sender | Receiver, place: Place, address: string) {
    this.peer = peer;
    this.engine = engine;
    this.place = place;
    this.address = address;
    this.inbound = engine.is_receiver();
  }

  get identity(): Identity | undefined {
    return 'deviceId' in this.place ? identityOf(this.place) : undefined;
  }

  /** False once it was detached by either side, or its session or connection ended. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Open, and accepted: nothing leaves on a link that is still to be refused. */
  get isStarted(): boolean {
    return this.#open && this.#service !== undefined;
  }

  /** Accept the link: from now on the service gets what happens on it. */
  start(service: LinkService): void {
    this.#service = service;
    if (this.inbound) (this.engine as Receiver).add_credit(CREDIT);
    // A client may give credit together with its attach: ours must be out before the first transfer.
    else setImmediate(() => this.credited());
  }

  // --- to the client ---------------------------------------------------------------------------

  /** Credit that is not spoken for by messages rhea has taken but not written yet. */
  get hasCredit(): boolean {
    if (!this.isStarted || this.inbound || !(this.engine as Sender).sendable()) return false;
    const { credit, session, state } = this.engine as unknown as EngineSender;
    // rhea writes transfers before the attach that is due in the same turn.
    if (state.open_requests > 0) return false;
    while (this.#unwritten.length > 0 && (this.#unwritten[0] as number) < session.outgoing.next_pending_delivery) {
      this.#unwritten.shift();
    }
    return credit > this.#unwritten.length;
  }

  /**
   * Send as soon as the client gives credit. rhea itself would let one link without credit block
   * every other link of the session.
   */
  send(message: object, options: { tag?: Buffer; onOutcome?: OutcomeHandler } = {}): void {
    if (!this.#open || this.#outbox.length >= OUTBOX_LIMIT) return;
    this.#outbox.push({ message, tag: options.tag, onOutcome: options.onOutcome });
    this.flush();
  }

  flush(): void {
    while (this.#outbox.length > 0 && this.hasCredit) this.#write(this.#outbox.shift() as Outbound);
  }

  #write({ message, tag, onOutcome }: Outbound): void {
    const delivery = this.#encode(message, tag);
    if (!delivery) return;
    this.#unwritten.push(delivery.id);
    if (delivery.settled) onOutcome?.('accepted', delivery);
    else this.#unsettled.set(delivery, onOutcome);
  }

  /** What a client put into its request comes back in our answer, and need not be encodable. */
  #encode(message: object, tag: Buffer | undefined): Outgoing | undefined {
    try {
      return (this.engine as Sender).send(message as never, tag as never) as unknown as Outgoing;
    } catch {
      this.fail({ condition: 'amqp:invalid-field', description: 'A field of the request cannot be answered.' });
      return undefined;
    }
  }

  // --- what the peer tells us ------------------------------------------------------------------

  credited(): void {
    if (!this.#open) return;
    this.flush();
    if (this.hasCredit) this.#service?.onCredit?.();
  }

  /** The client told what became of a delivery; only its first word counts. */
  settled(outcome: OutcomeName, delivery: Outgoing): void {
    const handler = this.#unsettled.get(delivery);
    if (this.#unsettled.delete(delivery)) handler?.(outcome, delivery);
  }

  received(message: AmqpMessage, delivery: Incoming, format: number): void {
    // What was under way when we detached is no longer ours to answer.
    if (!this.#open) return;
    this.#replenish();
    this.#service?.onMessage?.(message, delivery, format);
  }

  #replenish(): void {
    const receiver = this.engine as Receiver & { readonly credit: number };
    if (receiver.credit <= CREDIT / 2) receiver.add_credit(CREDIT - receiver.credit);
  }

  /** Detach with an error. */
  fail(record: ErrorRecord): void {
    if (!this.#open) return;
    this.engine.close(record as never);
    this.closed();
  }

  /** Detach without a word. */
  detach(): void {
    if (!this.#open) return;
    this.engine.close();
    this.closed();
  }

  /** It is over, whoever ended it. Does nothing the second time. */
  closed(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#outbox.length = 0;
    // Deliveries die with their link; unsettled they would fill the session's window.
    for (const delivery of this.#unsettled.keys()) {
      delivery.settled = true;
      delivery.remote_settled = true;
    }
    this.#unsettled.clear();
    this.peer.forget(this);
    this.#service?.onClosed?.();
  }
}
