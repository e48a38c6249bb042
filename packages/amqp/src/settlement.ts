import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import { conclude, evidence, readAmqpError } from '@faultmap/core/adapter';
import type { Faults } from './faults.ts';
import { InTurn } from './in-turn.ts';
import { observeIncoming } from './observe.ts';
import { apply, described, isSame, kindOf, recordIn, type SettleOutcome, stateFor } from './outcome.ts';
import {
  addressOf,
  type Disposition,
  type RheaDelivery,
  type RheaIncoming,
  type RheaLink,
  type RheaSession,
} from './rhea.ts';

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
  readonly #settling = new WeakMap<RheaDelivery, { readonly state: unknown; readonly result: Promise<void> }>();
  /** Settled by the peer while they were locked for this side, or lost with their link. */
  readonly #takenBack = new WeakSet<RheaDelivery>();
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
  forgetSession(session: RheaSession): void {
    this.#current.delete(session);
  }

  /** The peer settled a message by itself before this side had: what lock there was is gone. */
  settledByPeer(delivery: RheaDelivery): void {
    if (kindOf(delivery.state) === undefined) this.#takenBack.add(delivery);
  }

  /**
   * Settle a delivery.
   *
   * @returns when it is settled: at once, or with `rcv_settle_mode: 1` when the peer has said so
   * @throws 412002 when the lock is lost: the message will be delivered again; TypeError when it was
   *   settled with another outcome before: the first one stands
   */
  settle(delivery: RheaDelivery, outcome: SettleOutcome): Promise<void> {
    let state: unknown;
    try {
      state = stateFor(delivery, outcome);
    } catch (mistake) {
      return Promise.reject(mistake);
    }
    const earlier = this.#settling.get(delivery);
    if (earlier) return isSame(earlier.state, state) ? earlier.result : Promise.reject(already(earlier.state, state));
    const result = this.#begin(delivery, outcome, state);
    this.#settling.set(delivery, { state, result });
    // One that failed may be tried again.
    result.catch(() => this.#settling.delete(delivery));
    return result;
  }

  /** Unless the application, rhea's `autoaccept` or the peer were first. */
  #begin(delivery: RheaDelivery, outcome: SettleOutcome, state: unknown): Promise<void> {
    const lost = this.#faults.of(delivery);
    if (lost) return Promise.reject(lost);
    if (!this.#takenBack.has(delivery)) {
      if (delivery.settled || kindOf(delivery.state) !== undefined) {
        if (!isSame(delivery.state, state)) return Promise.reject(already(delivery.state, state, delivery.link));
        if (delivery.settled || delivery.remote_settled) return Promise.resolve();
        if (delivery.link.is_open()) return this.#wait(delivery, () => {});
      } else if (delivery.remote_settled) return settleSent(delivery, state);
    }
    // Each outcome that is an object counts as different.
    return this.#wait(delivery, (waiting) => this.#turns.add(outcome, () => this.#apply(delivery, outcome, waiting)));
  }

  #wait(delivery: RheaDelivery, start: (waiting: Waiting) => void): Promise<void> {
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
      start(waiting);
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

  /** A link, a session or the connection is lost: whether the peer took note is not known. */
  lost(which: 'all' | RheaLink | RheaSession, fault: AnyDeviceCloudError): void {
    for (const [delivery, { reject }] of [...this.#waiting]) {
      const { link } = delivery;
      if (which === 'all' || which === link || which === link.session)
        reject(this.#faults.follow(fault, { operation: operationOf(delivery), executed: 'unknown' }));
    }
  }

  /**
   * The peer detached a link: what it sent on it will come again. Attached again, the link is the
   * same object in the same session, where rhea would keep the old deliveries in the window.
   */
  forgetLink(link: RheaLink): void {
    for (const delivery of link.session.incoming.deliveries?.entries ?? []) {
      if (delivery?.link !== link || delivery.settled) continue;
      this.#takenBack.add(delivery);
      delivery.settled = true;
      delivery.remote_settled = true;
    }
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
    const takenBack = this.#takenBack.has(delivery);
    if (takenBack || link.session.incoming !== incoming || !link.is_open()) {
      // Sent settled, it was never locked.
      if (takenBack || !delivery.remote_settled)
        this.#lose(delivery, { condition: 'com.microsoft:message-lock-lost' }, true);
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
      local ? 'settled after its connection, link or lock was lost' : 'the peer refused the settlement',
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

/** @param link - where it was not `handle.settle` that settled it */
function already(done: unknown, asked: unknown, link?: RheaLink): TypeError {
  const [was, wanted] = [described(done), described(asked)];
  const instead = was === wanted ? 'with other content' : `not ${wanted}`;
  const what = `settle: this delivery is settled already, as ${was}, ${instead}`;
  if (!link) return new TypeError(what);
  const by = link.get_option('autoaccept', true)
    ? "by rhea's autoaccept: open the receiver with autoaccept: false, and settle"
    : 'by the program itself: settle each delivery once,';
  return new TypeError(`${what}, ${by} with handle.settle only`);
}

/** Sent settled: the peer will not hear of it, and rhea only needs to let it go. */
async function settleSent(delivery: RheaDelivery, state: unknown): Promise<void> {
  if (kindOf(state) !== 'accepted')
    throw new TypeError(
      `settle: the peer sent this delivery settled, so it cannot be ${described(state)}: open the receiver with snd_settle_mode: 0`,
    );
  delivery.update(true, state);
}

function operationOf(delivery: RheaDelivery): string {
  return `settle ${addressOf(delivery.link) ?? delivery.link.name}`;
}

/** The peer's state when it says the settlement failed; an echo of our own outcome is none. */
function refusalIn(state: unknown, delivery: RheaDelivery): ReturnType<typeof recordIn> {
  const record = recordIn(state);
  if (record && kindOf(delivery.state) === 'rejected' && !LOST.has(record.condition)) return undefined;
  return record;
}
