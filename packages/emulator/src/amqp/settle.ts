import type { AnswerFault, OutcomeFault } from '../faults/types.ts';
import { outcomes } from './engine.ts';
import type { WireError } from './errors.ts';
import type { Incoming, Outgoing } from './link.ts';

/** Take a message. A pre-settled one is only let go. */
export function accept(delivery: Incoming | Outgoing): void {
  delivery.update(true, outcomes.accepted());
}

/** Refuse a message with the fault's error record. */
export function reject(delivery: Incoming | Outgoing, error: WireError): void {
  delivery.update(true, outcomes.rejected(error.record));
}

/** Settle with a bare outcome, as a script says. */
export function settleAs(delivery: Incoming | Outgoing, fault: OutcomeFault): void {
  const fields = {
    delivery_failed: fault.deliveryFailed ?? false,
    undeliverable_here: fault.undeliverableHere ?? false,
  };
  delivery.update(true, fault.outcome === 'modified' ? outcomes.modified(fields) : outcomes[fault.outcome]());
}

/** The body of a scripted answer: text as it is, anything else as JSON, nothing for none. */
export function answerBody({ body }: AnswerFault): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}
