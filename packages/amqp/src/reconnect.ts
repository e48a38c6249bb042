import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import {
  type CredentialsGate,
  type FaultEvents,
  MAX_TIMER_MS,
  type ReconnectDecision,
  type ReconnectGovernor,
} from '@faultmap/core/adapter';
import type { WhileAway } from './away.ts';
import type { TokenKeeper } from './cbs.ts';
import type { Faults } from './faults.ts';
import type { AmqpCredentials } from './options.ts';
import { retire } from './retire.ts';
import type { RheaConnection, RheaContext } from './rhea.ts';
import { guarded } from './wrap.ts';

export interface ReconnectorSetup {
  readonly connection: RheaConnection;
  readonly governor: ReconnectGovernor;
  readonly credentials: CredentialsGate<AmqpCredentials> | undefined;
  readonly tokens: TokenKeeper;
  readonly away: WhileAway;
  readonly events: FaultEvents;
  readonly faults: Faults;
  readonly clock: Clock;
  /** The connection will not be back soon. */
  readonly onGone: (fault: AnyDeviceCloudError) => void;
}

/**
 * Makes a lost connection again when the governor says so. rhea asks `options.reconnect` for a
 * delay before it says what happened, and starts anew at 100 ms after every TCP connect: so it is
 * told to wait for ever, and the wait is ours.
 */
export class Reconnector {
  readonly #setup: ReconnectorSetup;
  readonly #original: unknown;
  readonly #ours: () => number;
  #cancelWait: (() => void) | undefined;
  #fault: AnyDeviceCloudError | undefined;
  #toldGivingUp = false;
  #stopped = false;
  /** rhea's own rule would have made this connection again. */
  #theirs = false;
  /** Counts what ends an earlier wait: an answer of `credentials` may come late. */
  #turn = 0;

  constructor(setup: ReconnectorSetup) {
    this.#setup = setup;
    const { connection } = setup;
    const { options } = connection;
    this.#original = options.reconnect;
    // `was_open` is false when the application had closed the connection on its side.
    this.#ours = () => (connection.state.was_open === false ? -1 : MAX_TIMER_MS);
    options.reconnect = this.#ours;
  }

  /** Waiting to connect again? */
  get waiting(): boolean {
    return this.#cancelWait !== undefined;
  }

  /** A socket is being opened, by us or by the application. */
  connecting(): void {
    this.#stopWaiting();
    this.#stopped = false;
  }

  opened(): void {
    this.#setup.governor.accepted();
  }

  /** The connection proved good after a fault. */
  good(): void {
    this.#fault = undefined;
    this.#toldGivingUp = false;
  }

  /** rhea leaves a connection alone that the peer closed for good: take the way of other losses. */
  closedByPeer(): void {
    this.#setup.connection.closed_with_non_fatal_error = true;
  }

  /** The socket is gone: decide. */
  ended(fault: AnyDeviceCloudError, context: RheaContext): void {
    this.#fault = fault;
    this.#theirs = context.reconnecting === true;
    // The application has switched reconnecting off meanwhile (`connection.set_reconnect(false)`).
    if (!this.#setup.connection.options.reconnect) this.#setup.onGone(fault);
    else this.#decide(fault, context);
  }

  /** The application closed it: nothing is made again. */
  closed(): void {
    this.#stopWaiting();
    this.#setup.connection.closed_with_non_fatal_error = false;
  }

  /** Go on as if nothing had happened: connect at once, if there is no connection. */
  resume(): void {
    this.#setup.governor.resume();
    this.#toldGivingUp = false;
    if (!this.#fault || !(this.#stopped || this.#cancelWait)) return;
    this.#stopWaiting();
    this.#stopped = false;
    this.#wait(0, this.#fault, 1);
  }

  /** Give the library its own reconnect back; one that it would have made is left to it. */
  detach(): void {
    const { connection } = this.#setup;
    const waiting = this.#cancelWait !== undefined;
    this.#stopWaiting();
    // Another one by now is the application's word, `false` above all: it wants none.
    if (connection.options.reconnect !== this.#ours) return;
    connection.options.reconnect = this.#original;
    if (!waiting || !this.#theirs || typeof this.#original !== 'function') return;
    const delay: unknown = this.#original(connection.conn_established_counter);
    if (typeof delay === 'number' && delay >= 0)
      connection.scheduled_reconnect = setTimeout(() => connection.reconnect(), delay);
  }

  #decide(fault: AnyDeviceCloudError, context: RheaContext | undefined): void {
    const decision = this.#setup.governor.failed(fault);
    if (decision.action === 'stop') {
      this.#stop(fault, decision, context);
      return;
    }
    if (context) context.reconnecting = true;
    this.#tellWait(fault, decision);
    this.#wait(decision.delayMs, fault, decision.attempt);
    if (decision.kind !== 'backoff') this.#setup.onGone(fault);
  }

  #stop(
    fault: AnyDeviceCloudError,
    { stopped, attempt }: ReconnectDecision & { action: 'stop' },
    context?: RheaContext,
  ) {
    this.#stopWaiting();
    this.#stopped = true;
    this.#hold();
    if (context) context.reconnecting = false;
    this.#setup.events.emit('give-up', { error: fault, operation: 'reconnect', attempt, stopped });
    this.#setup.onGone(fault);
  }

  #tellWait(error: AnyDeviceCloudError, { kind, delayMs, attempt }: ReconnectDecision & { action: 'reconnect' }): void {
    const { events, clock } = this.#setup;
    if (kind !== 'backoff' && !this.#toldGivingUp) {
      this.#toldGivingUp = true;
      const nextProbeAt = new Date(clock.now() + delayMs);
      events.emit('give-up', { error, operation: 'reconnect', attempt, nextProbeAt });
    }
    events.emit('retry', { error, operation: 'reconnect', attempt, delayMs });
  }

  #wait(delayMs: number, fault: AnyDeviceCloudError, attempt: number): void {
    this.#stopWaiting();
    this.#hold();
    const turn = this.#turn;
    const { clock } = this.#setup;
    const until = clock.now() + delayMs;
    const step = () => {
      const left = until - clock.now();
      if (left > 0) this.#cancelWait = clock.after(Math.min(left, MAX_TIMER_MS), step);
      else void this.#connect(turn, fault, attempt);
    };
    this.#cancelWait = clock.after(Math.min(delayMs, MAX_TIMER_MS), step);
  }

  async #connect(turn: number, fault: AnyDeviceCloudError, attempt: number): Promise<void> {
    const { connection, credentials, tokens, away, faults, events } = this.#setup;
    try {
      const fresh = await credentials?.refresh({ error: fault, attempt });
      if (turn !== this.#turn) return;
      if (fresh) tokens.take(fresh);
    } catch (refused) {
      if (turn !== this.#turn) return;
      const error = faults.typed(refused as never, 'credentials');
      events.emit('fault', { error, operation: 'credentials', attempt });
      this.#decide(error, undefined);
      return;
    }
    this.#stopWaiting();
    try {
      // A SASL failure sticks to the connection and ends every later one at once.
      connection.transport_error = undefined;
      if (connection.transport_error || typeof connection.reconnect !== 'function') {
        this.#stop(fault, { action: 'stop', stopped: 'not-transient', attempt });
        return;
      }
      retire(connection);
      // What was opened meanwhile is held for the token as well.
      away.ends();
      tokens.hold();
      connection.reconnect();
    } catch (thrown) {
      // Options that cannot be used: from rhea's own timer this would end the process.
      const error = faults.tell(connection, { event: 'disconnected', payload: { connection, error: thrown } });
      this.#decide(error, undefined);
    }
  }

  /**
   * While this is set, rhea takes a second end of the same socket for known. Without, it would
   * forget that connection, sessions and links were open.
   */
  #hold(): void {
    this.#setup.connection.scheduled_reconnect = setTimeout(() => {}, MAX_TIMER_MS).unref();
  }

  #stopWaiting(): void {
    this.#turn++;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    const { connection } = this.#setup;
    guarded(() => clearTimeout(connection.scheduled_reconnect as NodeJS.Timeout | undefined));
    connection.scheduled_reconnect = undefined;
  }
}
