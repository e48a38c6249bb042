import type { AnyDeviceCloudError, Clock, FaultEvent } from '@faultmap/core';
import {
  type CredentialsGate,
  MAX_TIMER_MS,
  type ReconnectDecision,
  type ReconnectGovernor,
} from '@faultmap/core/adapter';
import type { MqttClient } from 'mqtt';
import { undeclared, willReconnect } from './client.ts';
import { limitAttempt } from './connack-timer.ts';
import type { Faults } from './faults.ts';
import type { MqttCredentials } from './options.ts';

type Gate = CredentialsGate<MqttCredentials>;
type Wait = Extract<ReconnectDecision, { action: 'reconnect' }>;

export interface ReconnectorSetup {
  readonly client: MqttClient;
  readonly faults: Faults;
  /** `undefined`: mqtt.js reconnects as it always did, only what comes of it is told. */
  readonly governor: ReconnectGovernor | undefined;
  readonly credentials: Gate | undefined;
  /** Given by the program: in place of mqtt.js' `connectTimeout`. */
  readonly connectTimeoutMs: number | undefined;
  /** A connection that lasted so long is good, though nothing was acknowledged on it. */
  readonly stableAfterMs: number;
  readonly clock: Clock;
  /** Is a socket there already? */
  readonly isBusy: () => boolean;
  /** Nothing will come of this connection for a long time, or ever. */
  readonly gaveUp: (error: AnyDeviceCloudError) => void;
}

/** mqtt.js' own default, for a client whose period of 0 the program overruled by `reconnect`. */
const RESTING_PERIOD_MS = 1_000;

/**
 * Lets the shared policy decide when mqtt.js connects again. mqtt.js does the connecting, with a
 * `reconnectPeriod` set just before it reads it, so that `offline` and `reconnect` come as ever. Where
 * it would not (a refused CONNACK), or where something must happen first (fresh credentials), a timer
 * of ours takes the place of its own, where its `end()` finds and clears it.
 */
export class Reconnector {
  readonly #setup: ReconnectorSetup;
  readonly #client: MqttClient;
  readonly #givenPeriod: number | undefined;
  readonly #givenTimeout: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerBefore: unknown;
  #decision: ReconnectDecision | undefined;
  #refresh: AbortController | undefined;
  #error: AnyDeviceCloudError | undefined;
  #failures = 0;
  #toldGiveUp = false;
  /** By a listener too, in the midst of what follows. */
  #detached = false;
  #stopProving: () => void = () => {};
  #unlimit: () => void = () => {};

  constructor(setup: ReconnectorSetup) {
    this.#setup = setup;
    this.#client = setup.client;
    this.#givenPeriod = setup.client.options.reconnectPeriod;
    this.#givenTimeout = setup.client.options.connectTimeout;
    if (setup.connectTimeoutMs !== undefined) {
      setup.client.options.connectTimeout = setup.connectTimeoutMs;
      this.#unlimit = limitAttempt(setup.client, setup.connectTimeoutMs);
    }
    if (setup.governor) this.#rest();
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  accepted(): void {
    this.#setup.governor?.accepted();
    if (this.#setup.governor) this.#rest();
    const { clock, stableAfterMs } = this.#setup;
    if (!this.#error || stableAfterMs === 0) this.good();
    else this.#stopProving = clock.after(stableAfterMs, () => this.good());
  }

  /** The connection is worth something: the server acknowledged what was written to it, or time has passed. */
  good(): void {
    this.#stopProving();
    if (this.#error) this.#emit('recovered', this.#error, { attempt: this.#failures });
    this.#error = undefined;
    this.#failures = 0;
    this.#toldGiveUp = false;
  }

  /**
   * Decide, before mqtt.js reads its period.
   *
   * @param passing - the connection closed at something that will be taken back
   */
  lost(error: AnyDeviceCloudError, passing = false): void {
    if (this.#detached) return;
    this.#stopProving();
    this.#error = error;
    this.#failures += 1;
    const { governor } = this.#setup;
    if (!governor) return;
    this.#timerBefore = undeclared(this.#client).reconnectTimer;
    this.#decision = governor.failed(error, { passing });
    this.#client.options.reconnectPeriod = this.#decision.action === 'reconnect' ? timerMs(this.#decision.delayMs) : 0;
  }

  /** mqtt.js has reacted: keep its timer, or put ours in its place. */
  settled(error: AnyDeviceCloudError): void {
    if (this.#detached) return;
    if (!this.#setup.governor) {
      if (!willReconnect(this.#client)) this.#giveUp(error, { stopped: 'disabled' });
      return;
    }
    const { reconnectTimer } = undeclared(this.#client);
    const decision = this.#decision;
    if (decision?.action === 'stop') this.#stop(error, decision);
    if (decision?.action !== 'reconnect') return;
    // It arms its timer at once for its own time-outs, with the period from before our decision.
    const armed = reconnectTimer && reconnectTimer !== this.#timerBefore;
    if (!armed || (decision.renewCredentials && this.#setup.credentials)) this.#hold(decision);
    this.#announce(error, decision);
  }

  resume(): void {
    this.#setup.governor?.resume();
    this.#toldGiveUp = false;
    if (this.#client.disconnecting || this.#setup.isBusy()) return;
    this.#clear();
    this.#connect(this.#decision?.action === 'reconnect' && this.#decision.renewCredentials);
  }

  /** The program ended the client. */
  idle(): void {
    this.#stopProving();
    this.#clear();
    this.#error = undefined;
    if (this.#setup.governor) this.#rest();
  }

  /** As before; a client that mqtt.js itself would connect again still is. */
  detach(): void {
    this.#detached = true;
    this.#stopProving();
    const held = this.#timer !== undefined || this.#refresh !== undefined;
    // Its own timer, by our delay: it gets one by its own.
    const waits = !this.#setup.isBusy() && (held || willReconnect(this.#client));
    if (this.#setup.governor) this.#clear();
    if (this.#setup.governor) Object.assign(this.#client.options, { reconnectPeriod: this.#givenPeriod });
    if (this.#setup.connectTimeoutMs !== undefined)
      Object.assign(this.#client.options, { connectTimeout: this.#givenTimeout });
    this.#unlimit();
    const period = this.#givenPeriod ?? 0;
    if (!this.#setup.governor || !waits || !this.#client.reconnecting || period <= 0) return;
    const client = this.#client;
    const slot = undeclared(client);
    slot.reconnectTimer = setTimeout(() => {
      // Where one is, mqtt.js arms none after a further failure.
      slot.reconnectTimer = null;
      client.emit('reconnect');
      client.connect();
    }, period);
  }

  /** While connected the period is what the program gave: `subscribe` and `end` look at it too. */
  #rest(): void {
    this.#client.options.reconnectPeriod = this.#givenPeriod || RESTING_PERIOD_MS;
  }

  #announce(error: AnyDeviceCloudError, { kind, delayMs, attempt }: Wait): void {
    if (kind === 'backoff' || this.#toldGiveUp) this.#emit('retry', error, { attempt, delayMs });
    else this.#giveUp(error, { attempt, nextProbeAt: new Date(this.#setup.clock.now() + delayMs) });
  }

  #stop(error: AnyDeviceCloudError, { stopped, attempt }: Extract<ReconnectDecision, { action: 'stop' }>): void {
    this.#clear();
    this.#rest();
    this.#giveUp(error, { stopped, attempt });
  }

  #giveUp(error: AnyDeviceCloudError, more: Partial<FaultEvent>): void {
    this.#toldGiveUp = true;
    this.#emit('give-up', error, more);
    this.#setup.gaveUp(error);
  }

  #emit(name: 'retry' | 'give-up' | 'recovered', error: AnyDeviceCloudError, more: Partial<FaultEvent>): void {
    this.#setup.faults.events.emit(name, { error, operation: 'mqtt.connect', ...more });
  }

  /** A timer of ours in the place of mqtt.js' own. */
  #hold(decision: Wait): void {
    this.#clear();
    this.#timer = setTimeout(() => {
      const slot = undeclared(this.#client);
      if (slot.reconnectTimer === this.#timer) slot.reconnectTimer = null;
      this.#timer = undefined;
      this.#connect(decision.renewCredentials);
    }, timerMs(decision.delayMs));
    undeclared(this.#client).reconnectTimer = this.#timer;
  }

  #clear(): void {
    this.#refresh?.abort();
    this.#refresh = undefined;
    const slot = undeclared(this.#client);
    clearTimeout(this.#timer);
    if (slot.reconnectTimer) clearTimeout(slot.reconnectTimer);
    slot.reconnectTimer = null;
    this.#timer = undefined;
  }

  #connect(renew: boolean): void {
    if (renew && this.#setup.credentials) void this.#connectAfresh(this.#setup.credentials);
    else this.#connectNow();
  }

  async #connectAfresh(credentials: Gate): Promise<void> {
    const error = this.#error;
    if (!error) return this.#connectNow();
    const refresh = new AbortController();
    this.#refresh = refresh;
    let fresh: MqttCredentials | undefined;
    try {
      fresh = await credentials.refresh({ error, attempt: this.#failures, signal: refresh.signal });
    } catch (thrown) {
      if (this.#refresh === refresh) this.#failedBefore(thrown);
      return;
    }
    if (this.#refresh !== refresh) return;
    this.#refresh = undefined;
    for (const name of ['username', 'password', 'clientId'] as const)
      if (fresh?.[name] !== undefined) Object.assign(this.#client.options, { [name]: fresh[name] });
    this.#connectNow();
  }

  /** Never `client.reconnect()`: it throws the stored QoS 1 and 2 messages away. */
  #connectNow(): void {
    const client = this.#client;
    if (client.disconnecting || this.#setup.isBusy()) return;
    client.emit('reconnect');
    try {
      client.connect();
    } catch (thrown) {
      this.#failedBefore(thrown);
    }
  }

  /** No connection was even tried: no event of mqtt.js will follow. */
  #failedBefore(thrown: unknown): void {
    const { faults } = this.#setup;
    // What `credentials` failed with names no operation of its own.
    const error = faults.tell(faults.type(thrown, 'mqtt.connect'), this.#failures + 1, 'mqtt.connect');
    this.lost(error);
    this.settled(error);
  }
}

/** What mqtt.js takes for a period: above 0, and no more than a timer holds. */
function timerMs(ms: number): number {
  return Math.min(Math.max(1, Math.ceil(ms)), MAX_TIMER_MS);
}
