import { within } from './range.ts';
import type { RheaDelivery, RheaLink, RheaOutgoing } from './rhea.ts';
import { wrapMethod } from './wrap.ts';

/*
 * The outgoing side of a session, where rhea goes wrong about deliveries that are over: those whose
 * link was detached, and those that were forgotten here.
 */

/** Deliveries of a detached link that are not to be written (any further). */
const dropped = new WeakSet<RheaDelivery>();

/** @returns what takes the wraps off; `undefined` for a rhea that is built otherwise */
export function mendOutgoing(outgoing: RheaOutgoing): (() => void) | undefined {
  const { deliveries, process } = outgoing;
  if (typeof deliveries?.get_head !== 'function' || typeof deliveries.by_id !== 'function') return undefined;
  if (typeof process !== 'function') return undefined;
  const restore = [ignoreForeign(outgoing), skipDropped(outgoing)];
  return () => restore.forEach((take) => void take());
}

/**
 * The peer detached a sender. What waits for credit, or the rest of a message that is half written,
 * rhea would write all the same, also when the link is attached again: frames that no peer
 * understands, and a connection that is closed for them.
 */
export function dropUnwritten(link: RheaLink): void {
  const { outgoing } = link.session;
  for (let id = outgoing.next_pending_delivery; id < outgoing.next_delivery_id; id++) {
    const delivery = outgoing.deliveries?.by_id?.(id);
    if (delivery?.link === link) dropped.add(delivery);
  }
  link.credit = 0;
}

/** Will it never be written (any further)? */
export function isDropped(delivery: RheaDelivery | undefined): boolean {
  return delivery !== undefined && dropped.has(delivery);
}

/** rhea writes the deliveries of a session in their order, and stops at the first it cannot write. */
function skipDropped(outgoing: RheaOutgoing): () => void {
  const next = () => outgoing.deliveries?.by_id?.(outgoing.next_pending_delivery);
  return wrapMethod(outgoing, 'process', (original) => () => {
    do {
      for (let delivery = next(); delivery && isDropped(delivery); delivery = next()) {
        outgoing.next_pending_delivery++;
        delivery.settled = true;
        delivery.remote_settled = true;
      }
      original?.call(outgoing);
    } while (isDropped(next()));
  });
}

/** What the peer says of deliveries that are forgotten here, or never were, is not for rhea. */
function ignoreForeign(outgoing: RheaOutgoing): () => void {
  return wrapMethod(outgoing, 'on_disposition', (original) => (fields) => {
    const known = within(fields, outgoing.deliveries);
    if (known) original.call(outgoing, known);
  });
}
