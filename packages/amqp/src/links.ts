import type { AnyDeviceCloudError } from '@faultmap/core';
import { evidence } from '@faultmap/core/adapter';
import { CreditQueue } from './credit.ts';
import type { Faults } from './faults.ts';
import { reattach, rebegin } from './reattach.ts';
import { addressOf, type RheaLink, type RheaSession } from './rhea.ts';

export interface LinksSetup {
  readonly faults: Faults;
  /** Why there is no connection and will not be soon; `undefined`: there is, or will be. */
  readonly gone: () => AnyDeviceCloudError | undefined;
  /** Is the link held back until a token is put? */
  readonly held: (link: RheaLink) => boolean;
  /** A token was put. */
  readonly tokenPut: () => void;
  /** See the events of a link or session that was attached again. */
  readonly watch: (end: RheaLink | RheaSession) => void;
}

/** The senders in use: whether each can be used, made fit again, and who waits for it. */
export class Links {
  readonly #setup: LinksSetup;
  readonly #queues = new Map<RheaLink, CreditQueue>();
  /** Tokens put so far, and how many there were when a link was refused. */
  #tokens = 0;
  readonly #tokensAt = new WeakMap<AnyDeviceCloudError, number>();
  /** The adapter is taken off, and why. */
  #stopped: { readonly reason: unknown } | undefined;

  constructor(setup: LinksSetup) {
    this.#setup = setup;
  }

  /** Those who wait for credit of this link. */
  queue(link: RheaLink): CreditQueue {
    let queue = this.#queues.get(link);
    if (!queue) {
      for (const [old, { size }] of this.#queues) if (size === 0 && old.is_closed()) this.#queues.delete(old);
      queue = new CreditQueue(link);
      this.#queues.set(link, queue);
    }
    return queue;
  }

  /** Something happened that may give credit or room. */
  pump(link: RheaLink): void {
    this.#queues.get(link)?.pump();
  }

  /** A token was put: links that were refused for want of one may be tried again. */
  tokenPut(): void {
    this.#tokens++;
    this.#setup.tokenPut();
  }

  /** Nobody need wait for these any longer; nothing was sent. */
  fail(which: 'all' | RheaLink | RheaSession, fault: AnyDeviceCloudError): void {
    this.#tokensAt.set(fault, this.#tokens);
    for (const [link, queue] of this.#queues)
      if (which === 'all' || link === which || link.session === which) queue.end((waiter) => waiter.fail(fault));
  }

  stop(reason: unknown): void {
    this.#stopped = { reason };
    for (const queue of this.#queues.values()) queue.end((waiter) => waiter.stop(reason));
    this.#queues.clear();
  }

  /**
   * Make a link fit for use. A link that the peer detached, or whose session it ended, is attached
   * again when its fault is transient; never after `amqp:link:stolen` or 409002, whose other owner
   * would take it back.
   *
   * @throws why it cannot be used; nothing was sent
   */
  async usable(link: RheaLink, operation: string): Promise<void> {
    this.present(operation);
    const fault = await this.#mend(link);
    this.#watched();
    if (fault) throw this.refusal(fault, operation);
  }

  /** The connection is open again: links that sends wait for may have been detached before it was lost. */
  opened(): void {
    for (const [link, queue] of this.#queues) {
      if (queue.size === 0) continue;
      const mended = this.#mend(link).then((fault) => fault && queue.end((waiter) => waiter.fail(fault)));
      mended.catch(() => {}); // taken off: nobody waits any more
    }
  }

  /** @throws why there is no connection and will not be soon; what `stop` was given */
  present(operation: string): void {
    this.#watched();
    const gone = this.#setup.gone();
    if (gone) throw this.refusal(gone, operation);
  }

  /** Is the link waiting for a token to be put? */
  isHeld(link: RheaLink): boolean {
    return this.#setup.held(link);
  }

  /** The error of an operation that was not begun because of a fault. */
  refusal(fault: AnyDeviceCloudError, operation: string): AnyDeviceCloudError {
    return this.#setup.faults.follow(fault, { operation, executed: 'no' });
  }

  /** Attach again what is detached and may be. @returns the fault that forbids it */
  async #mend(link: RheaLink): Promise<AnyDeviceCloudError | undefined> {
    const { faults, held } = this.#setup;
    const { session } = link;
    if (!session.connection.is_open() || held(link)) return undefined; // on its way: wait
    if (faults.of(session) || session.is_closed()) {
      const fault = await this.#again(session, link);
      if (fault) return fault;
    }
    // A detached link counts as open on this side for a tick longer.
    if (faults.of(link) || (!link.state.local_open && link.is_closed())) return this.#again(link, link);
    return undefined;
  }

  async #again(end: RheaLink | RheaSession, link: RheaLink): Promise<AnyDeviceCloudError | undefined> {
    const fault = this.#setup.faults.of(end);
    if (!fault) return this.#closedHere(link);
    if (!fault.transient && !this.#mended(fault)) return fault;
    // rhea takes a detached end out of its tables two ticks after the event.
    await new Promise((resolve) => setImmediate(resolve));
    this.#watched();
    this.#setup.watch(end);
    if (end === link) reattach(link);
    else rebegin(end as RheaSession);
    return undefined;
  }

  #watched(): void {
    if (this.#stopped) throw this.#stopped.reason;
  }

  /** Refused as unauthorized, and a token was put since. */
  #mended(fault: AnyDeviceCloudError): boolean {
    return fault.advice === 'renew-credentials' && this.#tokens > (this.#tokensAt.get(fault) ?? Infinity);
  }

  #closedHere(link: RheaLink): AnyDeviceCloudError {
    const address = addressOf(link);
    return this.#setup.faults.typed(
      evidence({
        transport: 'amqp',
        scope: 'link',
        direction: 'send',
        ...(address === undefined ? {} : { address }),
        condition: 'amqp:illegal-state',
        local: true,
        text: 'the link was closed on this side',
      }),
    );
  }
}
