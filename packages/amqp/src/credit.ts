import type { AnyDeviceCloudError } from '@faultmap/core';
import type { RheaDelivery, RheaLink, RheaOutgoing } from './rhea.ts';

/** A send that waits for its turn. `go` writes the message. */
export interface Waiter {
  go(): void;
  /** The link is gone. */
  fail(fault: AnyDeviceCloudError): void;
  /** The adapter is taken off. */
  stop(reason: unknown): void;
}

/**
 * Sends that wait for an open link with credit, first come first served. rhea takes any number and
 * keeps them in a buffer of 2,048 that throws when it is full, and drops them at a reconnect; what
 * waits here is known to be unsent.
 */
export class CreditQueue {
  readonly #link: RheaLink;
  readonly #waiters = new Set<Waiter>();
  /** Handed to rhea, perhaps not written yet: these will use up credit. */
  #handed: { readonly delivery: RheaDelivery; readonly outgoing: RheaOutgoing }[] = [];

  constructor(link: RheaLink) {
    this.#link = link;
  }

  /** Wait; returns what takes the waiter out again. */
  add(waiter: Waiter): () => void {
    this.#waiters.add(waiter);
    this.pump();
    return () => this.#waiters.delete(waiter);
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Count a delivery that was handed to rhea. */
  handed(delivery: RheaDelivery): void {
    this.#handed.push({ delivery, outgoing: this.#link.session.outgoing });
  }

  /** Let go as many as there is credit and room for. */
  pump(): void {
    for (const waiter of this.#waiters) {
      if (!this.#open()) return;
      this.#waiters.delete(waiter);
      waiter.go();
    }
  }

  /** Nobody waits any longer. */
  end(how: (waiter: Waiter) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) how(waiter);
  }

  #open(): boolean {
    const link = this.#link;
    const { outgoing } = link.session;
    if (!link.is_open() || outgoing.available() <= 0) return false;
    let written = 0;
    for (const one of this.#handed) {
      if (one.outgoing === outgoing && !isWritten(one.delivery, outgoing)) break;
      written++;
    }
    if (written > 0) this.#handed = this.#handed.slice(written);
    return link.credit > this.#handed.length;
  }
}

/** Has any byte of the delivery been given to the socket? Until then the peer cannot know of it. */
export function isWritten(delivery: RheaDelivery, outgoing: RheaOutgoing): boolean {
  return delivery.id < outgoing.next_pending_delivery || (delivery.next_to_send ?? 0) > 0;
}
