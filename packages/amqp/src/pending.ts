import type { AnyDeviceCloudError, Executed } from '@faultmap/core';
import { isWritten } from './credit.ts';
import { dropUnwritten, isDropped, mendOutgoing } from './outgoing.ts';
import { isLink, outcomeOf, type RheaDelivery, type RheaLink, type RheaOutgoing, type RheaSession } from './rhea.ts';

interface Pending {
  readonly outgoing: RheaOutgoing;
  readonly settle: (end: End) => void;
}

/** How the waiting for an outcome ends. */
export type End =
  /** The peer gave one. */
  | 'outcome'
  /** A fault took the delivery. */
  | { readonly fault: AnyDeviceCloudError; readonly executed: Executed }
  /** Nobody watches any more. */
  | { readonly stop: unknown };

/**
 * Deliveries whose outcome is awaited. Keyed by the delivery itself: ids begin again at every
 * reconnect, and tags are the application's.
 */
export class PendingSends {
  readonly #pending = new Map<RheaDelivery, Pending>();
  /** All that were ever waited for: what else the peer says of them is no news. */
  readonly #known = new WeakSet<RheaDelivery>();
  readonly #watched = new WeakMap<RheaOutgoing, () => void>();

  get size(): number {
    return this.#pending.size;
  }

  /** See the outgoing side of a session; every begin has a new one. */
  watch({ outgoing }: RheaSession): void {
    if (this.#watched.has(outgoing)) return;
    const take = mendOutgoing(outgoing);
    if (take) this.#watched.set(outgoing, take);
  }

  /**
   * Wait for the outcome of a delivery.
   *
   * @param settle - called once
   * @returns what stops the waiting, and settles what nobody waits for any more
   */
  add(delivery: RheaDelivery, settle: Pending['settle']): () => void {
    this.#known.add(delivery);
    this.#pending.set(delivery, { outgoing: delivery.link.session.outgoing, settle });
    return () => {
      if (this.#pending.delete(delivery)) abandon(delivery);
    };
  }

  /** The adapter is taken off. */
  stop(reason: unknown, sessions: readonly RheaSession[]): void {
    for (const { outgoing } of sessions) this.#watched.get(outgoing)?.();
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { settle } of all) settle({ stop: reason });
  }

  /** The peer said something of a delivery. Returns whether it is one of these. */
  seen(event: string, delivery: RheaDelivery): boolean {
    const pending = this.#pending.get(delivery);
    if (!pending) return this.#known.has(delivery);
    // `received` is no outcome; `settled` without one is the last that will come.
    if (event === 'settled' || outcomeOf(delivery) !== undefined) {
      this.#pending.delete(delivery);
      pending.settle('outcome');
    }
    return true;
  }

  /**
   * What was unsettled on this end is forgotten by rhea without a word: say it here. When the socket
   * is gone or the link is detached, it is known that what rhea still held is never written.
   */
  lost(which: 'socket' | 'connection' | RheaLink | RheaSession, fault: AnyDeviceCloudError): void {
    const all = which === 'socket' || which === 'connection';
    if (!all && isLink(which) && this.#watched.has(which.session.outgoing)) dropUnwritten(which);
    for (const [delivery, { outgoing, settle }] of [...this.#pending]) {
      if (!all && delivery.link !== which && delivery.link.session !== which) continue;
      this.#pending.delete(delivery);
      if (!all) release(delivery, outgoing);
      const unwritten = (which === 'socket' || isDropped(delivery)) && !isWritten(delivery, outgoing);
      settle({ fault, executed: unwritten ? 'no' : 'unknown' });
    }
  }
}

/**
 * Nobody waits for the outcome any more. The peer is not told: a sender may settle first, but
 * RabbitMQ ends the session for it, and a state would be none that anybody gave. Only rhea must not
 * keep it: a delivery that is never settled keeps its place in the buffer, and that of all behind it.
 */
function abandon(delivery: RheaDelivery): void {
  const { outgoing } = delivery.link.session;
  if (delivery.settled) return;
  release(delivery, outgoing);
  delivery.link.connection._register?.();
}

/** Give back the place in rhea's buffer; what is not written yet rhea still has to find there. */
function release(delivery: RheaDelivery, outgoing: RheaOutgoing): void {
  if (delivery.id >= outgoing.next_pending_delivery) return;
  delivery.settled = true;
  delivery.remote_settled = true;
}
