import type { AnyDeviceCloudError } from '@faultmap/core';
import type { Faults } from './faults.ts';
import type { Links } from './links.ts';
import type { PendingSends } from './pending.ts';
import type { Requests } from './request.ts';
import type { Restorer } from './restore.ts';
import type { RheaContext, RheaLink, RheaSession } from './rhea.ts';
import type { Settlements } from './settlement.ts';

/** Those who wait for something of a session or a link. */
export interface EndsSetup {
  readonly faults: Faults;
  readonly pending: PendingSends;
  readonly links: Links;
  readonly settlements: Settlements;
  readonly requests: Requests;
  readonly restorer: Restorer | undefined;
}

const OUTCOMES = new Set(['accepted', 'rejected', 'released', 'modified', 'settled']);

/** What happens on sessions and links: the fault of it, told once, and who hears of it. */
export class Ends {
  readonly #setup: EndsSetup;
  /** Deliveries of the application's own whose fault is told. */
  readonly #told = new WeakSet<object>();

  constructor(setup: EndsSetup) {
    this.#setup = setup;
  }

  onSession(name: string, session: RheaSession): void {
    const { faults, restorer, settlements } = this.#setup;
    if (name === 'session_open') {
      faults.forget(session);
      restorer?.opened(session);
    }
    if (name !== 'session_error' && name !== 'session_close') return;
    if (name === 'session_close') settlements.forgetSession(session);
    this.#ended(session, name, { session });
  }

  onLink(name: string, link: RheaLink, context: RheaContext): void {
    const { faults, links, requests, restorer, settlements } = this.#setup;
    if (name === 'message') {
      requests.onMessage(link, context);
      return;
    }
    if (name === 'sender_open' || name === 'receiver_open') {
      faults.forget(link);
      requests.onOpen(link);
      restorer?.opened(link);
      links.pump(link);
      return;
    }
    if (/_(error|close)$/.test(name)) {
      if (this.#ended(link, name, context)) settlements.forgetLink(link);
      return;
    }
    if (!link.is_sender()) {
      if (name === 'settled' && context.delivery) settlements.settledByPeer(context.delivery);
      return;
    }
    if (OUTCOMES.has(name) && context.delivery) this.#onOutcome(name, context);
    links.pump(link);
  }

  /** @returns whether it is news */
  #ended(end: RheaLink | RheaSession, event: string, context: RheaContext): boolean {
    const { faults, pending, links, requests, settlements, restorer } = this.#setup;
    if (faults.of(end)) return false;
    const wanted = end.state.local_open;
    const fault = this.#fate(end, event, context);
    pending.lost(end, fault);
    links.fail(end, fault);
    requests.lost(end, fault);
    settlements.lost(end, fault);
    if (wanted) restorer?.lost(end, fault);
    else restorer?.left(end);
    return true;
  }

  /** The peer's doing is a fault, told once; this side's own is not, but ends what waits. */
  #fate(end: RheaLink | RheaSession, event: string, payload: RheaContext): AnyDeviceCloudError {
    const { faults } = this.#setup;
    if (end.error || end.state.local_open) return faults.tell(end, { event, payload });
    return faults.endedHere(event.startsWith('session') ? 'session' : 'link');
  }

  #onOutcome(event: string, context: RheaContext): void {
    const { delivery } = context;
    if (!delivery || this.#setup.pending.seen(event, delivery)) return;
    if (this.#told.has(delivery)) return;
    this.#told.add(delivery);
    if (event === 'accepted' || delivery.remote_state?.constructor.composite_type === 'accepted') return;
    this.#setup.faults.tell(delivery, { event, payload: context });
  }
}
