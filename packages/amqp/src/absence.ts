import type { AnyDeviceCloudError, Clock, FaultEvent } from '@faultmap/core';
import {
  type FaultEvents,
  MAX_TIMER_MS,
  type OperationOptions,
  type ReconnectDecision,
  type ReconnectGovernor,
} from '@faultmap/core/adapter';
import { Proof } from './proof.ts';
import { isInTables } from './reattach.ts';
import { addressOf, isLink, type RheaLink, type RheaSession } from './rhea.ts';
import { wrapMethod } from './wrap.ts';

/** A link or a session. */
export type End = RheaLink | RheaSession;

export interface AbsenceSetup {
  readonly clock: Clock;
  readonly events: FaultEvents;
  readonly governor: ReconnectGovernor;
  /** Asks for fresh credentials and puts their token; not given: there are none to ask for. */
  readonly renew: OperationOptions['renew'];
  /** Attach or begin it again, if it can be now. */
  readonly again: (end: End) => void;
  /** Away or not yet proved good, or neither any more. */
  readonly note: (absence: Absence, matters: boolean) => void;
  /** Fresh credentials could not be had. */
  readonly refused: (reason: unknown) => void;
}

/**
 * One link or session of the application that the peer ended for a passing reason: when it is made
 * again. The application says that it wants none by closing it, or by opening one of its own.
 */
export class Absence {
  readonly end: End;
  readonly #setup: AbsenceSetup;
  readonly #proof: Proof;
  #fault: AnyDeviceCloudError | undefined;
  /** A wait was told, and its end has to be. */
  #told = false;
  /** Its wait is over, and yet it could not be made again. */
  #due = false;
  #toldGivingUp = false;
  #cancel: () => void = () => {};
  #unwrap: () => void = () => {};

  constructor(end: End, setup: AbsenceSetup) {
    this.end = end;
    this.#setup = setup;
    this.#proof = new Proof(setup.clock, (error) => this.#good(error));
  }

  /** Why it is away; `undefined`: it is not. */
  get fault(): AnyDeviceCloudError | undefined {
    return this.#fault;
  }

  /** The peer ended it; the application's listeners have not heard of it yet. */
  lost(fault: AnyDeviceCloudError): void {
    this.#back();
    this.#proof.lost(fault);
    this.#fault = fault;
    this.#setup.note(this, true);
    this.#unwrap = onClosed(this.end, () => this.leave());
    // rhea takes it out of its tables two ticks after the event, unless the application did something else.
    setImmediate(() => {
      if (this.#fault !== fault) return;
      if (isInTables(this.end)) this.leave();
      else this.#decide(fault);
    });
  }

  /** The peer ended it for good. */
  ended(error: AnyDeviceCloudError): void {
    if (this.#told) this.#giveUp(error, { stopped: 'not-transient' });
    this.leave();
  }

  /** It is open: perhaps to be refused in the next moment. */
  opened(): void {
    if (this.#fault) this.#setup.governor.accepted();
    this.#back();
    this.#proof.opened();
  }

  /** Make it again now, whatever is waited for. */
  hurry(): void {
    if (!this.#fault || isInTables(this.end)) return;
    this.#cancel();
    this.#due = true;
    this.#setup.again(this.end);
  }

  /** Make it again if only something else was missing. */
  retryDue(): void {
    if (this.#due) this.hurry();
  }

  /** Go on as if nothing had happened. */
  resume(): void {
    this.#setup.governor.resume();
    this.#toldGivingUp = false;
    this.hurry();
  }

  /** The connection is lost: what is to come is decided when it is back. */
  pause(): void {
    this.#cancel();
    this.#due = this.#fault !== undefined;
    this.#proof.stop();
  }

  /** It is not waited for any more. */
  leave(): void {
    this.#back();
    this.#proof.stop();
    this.#told = false;
    this.#setup.note(this, false);
  }

  /** It is not away. */
  #back(): void {
    this.#cancel();
    this.#unwrap();
    this.#unwrap = () => {};
    this.#due = false;
    this.#fault = undefined;
  }

  #decide(fault: AnyDeviceCloudError): void {
    const { renew, governor } = this.#setup;
    // Without credentials to ask for, a token that the application puts will do.
    const refused = fault.advice === 'renew-credentials';
    if (refused && !renew) return;
    const decision = governor.failed(fault);
    if (decision.action === 'stop') {
      const { stopped, attempt } = decision;
      this.#giveUp(fault, { stopped, attempt });
      return;
    }
    this.#tell(fault, decision);
    const until = this.#setup.clock.now() + decision.delayMs;
    const step = () => {
      const left = until - this.#setup.clock.now();
      if (left > 0) this.#cancel = this.#setup.clock.after(Math.min(left, MAX_TIMER_MS), step);
      else if (refused) void this.#renew(fault, decision.attempt);
      else this.hurry();
    };
    this.#cancel = this.#setup.clock.after(Math.min(decision.delayMs, MAX_TIMER_MS), step);
  }

  #tell(error: AnyDeviceCloudError, { kind, delayMs, attempt }: ReconnectDecision & { action: 'reconnect' }): void {
    const { events, clock } = this.#setup;
    const operation = nameOf(this.end);
    if (kind !== 'backoff' && !this.#toldGivingUp) {
      this.#toldGivingUp = true;
      this.#giveUp(error, { attempt, nextProbeAt: new Date(clock.now() + delayMs) });
    }
    this.#told = true;
    events.emit('retry', { error, operation, attempt, delayMs });
  }

  #giveUp(error: AnyDeviceCloudError, more: Pick<FaultEvent, 'attempt' | 'stopped' | 'nextProbeAt'>): void {
    this.#setup.events.emit('give-up', { error, operation: nameOf(this.end), ...more });
  }

  async #renew(fault: AnyDeviceCloudError, attempt: number): Promise<void> {
    let renewed = false;
    try {
      renewed = (await this.#setup.renew?.({ error: fault, attempt, signal: undefined })) === true;
    } catch (reason) {
      this.#setup.refused(reason);
    }
    if (this.#fault !== fault) return;
    if (renewed) this.hurry();
    else this.#decide(fault);
  }

  #good(error: AnyDeviceCloudError): void {
    this.#toldGivingUp = false;
    this.#setup.note(this, false);
    if (!this.#told) return;
    this.#told = false;
    this.#setup.events.emit('recovered', { error, operation: nameOf(this.end) });
  }
}

/**
 * When the application closes an end that is away, or removes it. rhea itself does both, when it has
 * told of the peer's detach: it closes while the state is marked, and removes once.
 */
function onClosed(end: End, closed: () => void): () => void {
  let removals = 0;
  const seen =
    (isClosing: () => boolean) =>
    <T extends (...args: never[]) => unknown>(original: T) =>
      function (this: unknown, ...args: never[]) {
        if (isClosing()) closed();
        return original.apply(this, args);
      } as T;
  const byApplication = () => end.state.marker === undefined;
  const again = () => ++removals > 1;
  const restore = isLink(end)
    ? [wrapMethod(end, 'detach', seen(byApplication)), wrapMethod(end, 'remove', seen(again))]
    : [wrapMethod(end, 'end', seen(byApplication)), wrapMethod(end, 'remove', seen(again))];
  restore.push(wrapMethod(end, 'close', seen(byApplication)));
  return () => restore.forEach((take) => void take());
}

function nameOf(end: End): string {
  if (!isLink(end)) return 'begin session';
  return `attach ${end.is_sender() ? 'sender' : 'receiver'} ${addressOf(end) ?? end.name}`;
}
