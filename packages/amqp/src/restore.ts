import type { AnyDeviceCloudError } from '@faultmap/core';
import { Absence, type AbsenceSetup, type End } from './absence.ts';
import type { Faults } from './faults.ts';
import { isInTables, reattach, rebegin } from './reattach.ts';
import { addressOf, isLink, type RheaConnection, type RheaLink } from './rhea.ts';
import { guarded } from './wrap.ts';

export interface RestorerSetup extends Pick<AbsenceSetup, 'clock' | 'events'> {
  readonly connection: RheaConnection;
  readonly faults: Faults;
  /** One for each end. */
  readonly governor: () => AbsenceSetup['governor'];
  readonly renew: () => AbsenceSetup['renew'];
  /** See the events of a link or session that is made again. */
  readonly watch: (end: End) => void;
  /** Is it one of our own? Those are made afresh for the next request. */
  readonly owns: (end: End) => boolean;
}

/**
 * Links and sessions of the application that the peer ended for a passing reason are made again, as
 * rhea does with all of them after a reconnect: the same objects, with the same source, target and
 * options. Never after `amqp:link:stolen` or 409002, whose other owner would take it back.
 */
export class Restorer {
  readonly #setup: RestorerSetup;
  /** Kept as long as the end: its governor counts failures in a row. */
  readonly #of = new WeakMap<End, Absence>();
  /** Away, or not yet proved good. */
  readonly #matters = new Set<Absence>();

  constructor(setup: RestorerSetup) {
    this.#setup = setup;
  }

  /** A link was made: one of the application's to the same address replaces one that is away. */
  created(link: RheaLink): void {
    if (this.#matters.size === 0) return;
    // Its address is set when it is made.
    process.nextTick(() => {
      for (const away of [...this.#matters]) guarded(() => replace(away, link));
    });
  }

  /** The peer ended it; the application's listeners have not heard of it yet. */
  lost(end: End, fault: AnyDeviceCloudError): void {
    if (this.#setup.owns(end)) return;
    if (isPassing(fault)) this.#absenceOf(end).lost(fault);
    else {
      this.#of.get(end)?.ended(fault);
      this.#without(end);
    }
  }

  /** The application closed it. */
  left(end: End): void {
    this.#of.get(end)?.leave();
    this.#without(end);
  }

  opened(end: End): void {
    this.#of.get(end)?.opened();
    for (const away of this.#within(end)) away.retryDue();
  }

  /** The connection is open, and the token put: what was ended before it was lost is made again with it. */
  connected(): void {
    for (const away of [...this.#matters]) away.retryDue();
  }

  /** A token was put. */
  tokenPut(): void {
    for (const away of [...this.#matters]) if (away.fault?.advice === 'renew-credentials') away.hurry();
  }

  disconnected(): void {
    for (const away of this.#matters) away.pause();
  }

  resume(): void {
    for (const away of [...this.#matters]) away.resume();
  }

  /** The connection was closed on this side, or is not watched any more. */
  stop(): void {
    for (const away of [...this.#matters]) away.leave();
  }

  /** A session that does not come back takes its links with it. */
  #without(end: End): void {
    for (const away of this.#within(end)) away.leave();
  }

  /** Links of a session that are away themselves. */
  #within(end: End): Absence[] {
    return [...this.#matters].filter((away) => isLink(away.end) && away.end.session === end);
  }

  #absenceOf(end: End): Absence {
    const known = this.#of.get(end);
    if (known) return known;
    const { clock, events, governor, renew } = this.#setup;
    const absence = new Absence(end, {
      clock,
      events,
      governor: governor(),
      renew: renew(),
      again: (one) => guarded(() => this.#again(one)),
      note: (one, matters) => void (matters ? this.#matters.add(one) : this.#matters.delete(one)),
      refused: (reason) => this.#refused(reason),
    });
    this.#of.set(end, absence);
    return absence;
  }

  /** What cannot be now is done when the connection, or the session, is there again. */
  #again(end: End): void {
    const { connection, watch } = this.#setup;
    if (!connection.is_open()) return;
    if (isLink(end) && !isInTables(end.session)) return;
    watch(end);
    if (isLink(end)) reattach(end);
    else rebegin(end);
  }

  #refused(reason: unknown): void {
    const { faults, events } = this.#setup;
    const error = faults.typed(reason as never, 'credentials');
    // What the `$cbs` node answered is told by its own operation.
    if (error !== reason) events.emit('fault', { error, operation: 'credentials' });
  }
}

/** By itself, with the next day, or with fresh credentials. */
function isPassing({ transient, advice }: AnyDeviceCloudError): boolean {
  return transient || advice === 'at-reset' || advice === 'renew-credentials';
}

function replace(away: Absence, fresh: RheaLink): void {
  const { end } = away;
  if (!away.fault) return;
  const isReplaced = (link: RheaLink) =>
    link !== fresh && link.is_sender() === fresh.is_sender() && addressOf(link) === addressOf(fresh);
  if (isLink(end)) {
    if (isReplaced(end)) away.leave();
    return;
  }
  const links = Object.values(end.links);
  const replaced = links.filter(isReplaced);
  for (const link of replaced) dismiss(link);
  if (replaced.length === links.length) away.leave();
}

/** Take a link out of a session that is not on the wire. */
function dismiss(link: RheaLink): void {
  link.state.local_open = false;
  delete link.session.local.handles[link.local.handle];
  delete link.session.links[link.name];
}
