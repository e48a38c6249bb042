import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import { conclude, evidence, readAmqpError } from '@faultmap/core/adapter';
import type { Faults } from './faults.ts';
import { InTurn } from './in-turn.ts';
import { observeIncoming } from './observe.ts';
import {
  addressOf,
  type Disposition,
  has,
  type RheaDelivery,
  type RheaIncoming,
  type RheaLink,
  type RheaSession,
} from './rhea.ts';

/** How a received message is settled. */
export type SettleOutcome =
  | 'accepted'
  | 'released'
  | 'rejected'
  | 'modified'
  | { readonly rejected: { readonly condition?: string; readonly description?: string; readonly info?: object } }
  | {
      readonly modified: {
        readonly delivery_failed?: boolean;
        readonly undeliverable_here?: boolean;
        readonly message_annotations?: object;
      };
    };

/** Conditions of a peer that does not know the delivery any more. */
const LOST = new Set(['amqp:not-found', 'com.microsoft:message-lock-lost']);
/** As many as rhea keeps itself: the peer may still say something about these. */
const MAX_TRACKED = 2_048;

interface Waiting {
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * How received messages are settled. rhea says nothing when that fails: a delivery of an earlier
 * connection is settled into the void, and the peer's refusal of a disposition is dropped; either
 * way the message is delivered again.
 */
export class Settlements {
  readonly #faults: Faults;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #isOwn: (link: RheaLink) => boolean;
  /** The incoming side each session has now, and what takes our wrap off it. */
  readonly #current = new Map<RheaSession, { readonly incoming: RheaIncoming; readonly take: () => void }>();
  readonly #waiting = new Map<RheaDelivery, Waiting>();
  /** What was asked for each delivery, and what comes of it. */
  readonly #settling = new WeakMap<RheaDelivery, { readonly outcome: SettleOutcome; readonly result: Promise<void> }>();
  readonly #turns = new InTurn();
  #stopped = false;

  /** @param isOwn - answers to requests: nobody minds when they come again */
  constructor(faults: Faults, clock: Clock, timeoutMs: number, isOwn: (link: RheaLink) => boolean) {
    this.#isOwn = isOwn;
    this.#faults = faults;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** See the incoming side of a session. Every begin has a new one; the old keeps its wrap, for its deliveries. */
  watch(session: RheaSession): void {
    const { incoming } = session;
    if (this.#current.get(session)?.incoming === incoming) return;
    const tracked = new Map<number, RheaDelivery>();
    const take = observeIncoming(incoming, {
      settled: (delivery, _settled, state) => this.#settled(incoming, delivery, state, tracked),
      answered: (fields) => this.#answered(fields, tracked),
    });
    this.#current.set(session, { incoming, take });
  }

  /** The session ended. */
  forget(session: RheaSession): void {
    this.#current.delete(session);
  }

  /**
   * Settle a delivery.
   *
   * @returns when it is settled: at once, or with `rcv_settle_mode: 1` when the peer has said so
   * @throws 412002 when the lock is lost: the message will be delivered again; TypeError when it was
   *   settled with another outcome before: the first one stands
   */
  settle(delivery: RheaDelivery, outcome: SettleOutcome): Promise<void> {
    const earlier = this.#settling.get(delivery);
    if (earlier) {
      if (nameOf(earlier.outcome) === nameOf(outcome)) return earlier.result;
      const done = nameOf(earlier.outcome);
      return Promise.reject(
        new TypeError(`settle: this delivery is settled already, as ${done}, not ${nameOf(outcome)}`),
      );
    }
    const result = this.#settle(delivery, outcome);
    this.#settling.set(delivery, { outcome, result });
    // One that failed may be tried again.
    result.catch(() => this.#settling.delete(delivery));
    return result;
  }

  #settle(delivery: RheaDelivery, outcome: SettleOutcome): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(this.#timeoutMs, () => waiting.reject(this.#expired(delivery)));
      const end = () => {
        cancel();
        this.#waiting.delete(delivery);
      };
      const waiting: Waiting = {
        resolve: () => resolve(end()),
        reject: (reason) => {
          end();
          reject(reason);
        },
      };
      this.#waiting.set(delivery, waiting);
      // Each outcome that is an object counts as different.
      this.#turns.add(outcome, () => this.#apply(delivery, outcome, waiting));
    });
  }

  #apply(delivery: RheaDelivery, outcome: SettleOutcome, waiting: Waiting): void {
    if (this.#waiting.get(delivery) !== waiting) return; // ended while it waited for its turn
    try {
      apply(delivery, outcome);
    } catch (mistake) {
      waiting.reject(mistake);
      return;
    }
    const lost = this.#faults.of(delivery);
    if (lost) waiting.reject(lost);
    // Settled on this side: no answer is to come. Not settled: the peer answers first.
    else if (delivery.settled) waiting.resolve();
  }

  /** The connection is lost: whether the peer took note is not known. */
  lost(fault: AnyDeviceCloudError): void {
    for (const [delivery, { reject }] of [...this.#waiting])
      reject(this.#faults.follow(fault, { operation: operationOf(delivery), executed: 'unknown' }));
  }

  stop(reason: unknown): void {
    this.#stopped = true;
    for (const { reject } of [...this.#waiting.values()]) reject(reason);
    for (const { take } of this.#current.values()) take();
    this.#current.clear();
  }

  #settled(incoming: RheaIncoming, delivery: RheaDelivery, state: unknown, tracked: Map<number, RheaDelivery>): void {
    if (this.#stopped || state === undefined || this.#faults.of(delivery)) return;
    const { link } = delivery;
    if (this.#isOwn(link)) return;
    if (link.session.incoming !== incoming || !link.is_open()) {
      // Sent settled, it was never locked.
      if (!delivery.remote_settled) this.#lose(delivery, { condition: 'com.microsoft:message-lock-lost' }, true);
      return;
    }
    tracked.set(delivery.id, delivery);
    for (const id of tracked.keys()) {
      if (tracked.size <= MAX_TRACKED) break;
      tracked.delete(id);
    }
  }

  #answered({ first, last, settled, state }: Disposition, tracked: Map<number, RheaDelivery>): void {
    const end = Math.min(last ?? first, first + MAX_TRACKED);
    for (let id = first; id <= end; id++) {
      const delivery = tracked.get(id);
      if (!delivery) continue;
      const refusal = refusalIn(state, delivery);
      if (refusal) this.#lose(delivery, refusal, false);
      if (!refusal && !settled) continue;
      tracked.delete(id);
      const waiting = this.#waiting.get(delivery);
      if (refusal) waiting?.reject(this.#faults.of(delivery));
      else waiting?.resolve();
    }
  }

  #lose(delivery: RheaDelivery, record: object, local: boolean): void {
    const address = addressOf(delivery.link);
    const place = { scope: 'settlement', direction: 'receive', ...(address === undefined ? {} : { address }) } as const;
    const seen = readAmqpError({ ...record, ...place, local: local || undefined }) ?? evidence(place);
    const cause = new Error(
      local ? 'settled after its connection or link was lost' : 'the peer refused the settlement',
    );
    // Hidden: printing it would print the connection and its password.
    Object.defineProperty(cause, 'delivery', { value: delivery });
    this.#faults.tell(delivery, evidence({ ...seen, cause }));
  }

  #expired(delivery: RheaDelivery): AnyDeviceCloudError {
    const seen = evidence({ transport: 'amqp', scope: 'settlement', local: true, timedOut: 'request' });
    return conclude(this.#faults.typed(seen, operationOf(delivery)), { executed: 'unknown' });
  }
}

function operationOf(delivery: RheaDelivery): string {
  return `settle ${addressOf(delivery.link) ?? delivery.link.name}`;
}

function apply(delivery: RheaDelivery, outcome: SettleOutcome): void {
  if (outcome === 'accepted') delivery.accept?.();
  else if (outcome === 'released') delivery.release?.();
  else if (outcome === 'rejected') delivery.reject?.();
  else if (outcome === 'modified') delivery.modified?.({});
  else if (has(outcome) && 'rejected' in outcome) delivery.reject?.(outcome.rejected as object);
  else if (has(outcome) && 'modified' in outcome) delivery.modified?.(outcome.modified as object);
  else
    throw new TypeError(
      "settle: outcome: expected 'accepted', 'released', 'rejected', 'modified', { rejected } or { modified }",
    );
}

/** The peer's state when it says the settlement failed; an echo of our own outcome is none. */
function refusalIn(
  state: unknown,
  delivery: RheaDelivery,
): { condition: string; description: unknown; info: unknown } | undefined {
  if (kindOf(state) !== 'rejected') return undefined;
  const error = fieldOf(state, 0);
  const condition = plain(fieldOf(error, 0));
  if (typeof condition !== 'string') return undefined;
  if (kindOf(delivery.state) === 'rejected' && !LOST.has(condition)) return undefined;
  return { condition, description: plain(fieldOf(error, 1)), info: plain(fieldOf(error, 2)) };
}

const KINDS: Readonly<Record<string, string>> = { '37': 'rejected', 'amqp:rejected:list': 'rejected' };

/** rhea leaves the states of dispositions as described values: a descriptor, and a list. */
function kindOf(state: unknown): string | undefined {
  const descriptor = has(state) ? state.descriptor : undefined;
  const value = has(descriptor) ? descriptor.value : undefined;
  return KINDS[String(value)];
}

function fieldOf(described: unknown, index: number): unknown {
  const list = has(described) ? described.value : undefined;
  return Array.isArray(list) ? list[index] : undefined;
}

function plain(value: unknown): unknown {
  return has(value) && 'value' in value ? value.value : value;
}

/** `accepted`, `released`, `rejected` or `modified`. */
function nameOf(outcome: SettleOutcome): string {
  return typeof outcome === 'string' ? outcome : (Object.keys(outcome)[0] ?? 'nothing');
}
