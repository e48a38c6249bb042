import type { AnswerFault, OutcomeFault } from '../faults/types.ts';
import { outcomes } from './engine.ts';
import type { WireError } from './errors.ts';
import { InTurn } from './in-turn.ts';
import type { Incoming, Outgoing } from './link.ts';

/** Take a message. A pre-settled one is only let go. */
export function accept(delivery: Incoming | Outgoing): void {
  settle(delivery, 'accepted', outcomes.accepted());
}

/** Refuse a message with the fault's error record. */
export function reject(delivery: Incoming | Outgoing, error: WireError): void {
  settle(delivery, error, outcomes.rejected(error.record));
}

/** Settle with a bare outcome, as a script says. */
export function settleAs(delivery: Incoming | Outgoing, fault: OutcomeFault): void {
  const fields = {
    delivery_failed: fault.deliveryFailed ?? false,
    undeliverable_here: fault.undeliverableHere ?? false,
  };
  const state = fault.outcome === 'modified' ? outcomes.modified(fields) : outcomes[fault.outcome]();
  settle(delivery, fault, state);
}

const turns = new WeakMap<object, InTurn>();

/** @param kind - deliveries of one kind are settled in the same way */
function settle(delivery: Incoming | Outgoing, kind: unknown, state: unknown): void {
  const session: object = Reflect.get(delivery.link, 'session') ?? delivery.link;
  const turn = turns.get(session) ?? new InTurn();
  turns.set(session, turn);
  turn.add(kind, () => delivery.update(true, state));
}

/** The body of a scripted answer: text as it is, anything else as JSON, nothing for none. */
export function answerBody({ body }: AnswerFault): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}
