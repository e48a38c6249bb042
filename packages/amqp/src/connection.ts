import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import {
  type CredentialsGate,
  createCredentials,
  createReconnectGovernor,
  type FaultEvents,
  type OperationOptions,
  resolveReconnectOptions,
  systemClock,
} from '@faultmap/core/adapter';
import { WhileAway } from './away.ts';
import { TokenKeeper } from './cbs.ts';
import { Ends } from './ends.ts';
import { Faults } from './faults.ts';
import { IdleTimeout } from './idle.ts';
import { Lifetime, type LifetimeListener } from './lifetime.ts';
import { Links } from './links.ts';
import { type Observation, observe, type Watcher } from './observe.ts';
import { type AmqpCredentials, CREDENTIALS_FIELDS, type ResolvedOptions } from './options.ts';
import { watchFrameSize } from './oversize.ts';
import { PendingSends } from './pending.ts';
import { Proof } from './proof.ts';
import { Reconnector } from './reconnect.ts';
import { Requests } from './request.ts';
import { Restorer } from './restore.ts';
import { forgetInput } from './retire.ts';
import type { RheaConnection } from './rhea.ts';
import { Settlements } from './settlement.ts';
import { guarded } from './wrap.ts';

/** One attached connection: what is seen of it, and what becomes of those who wait for it. */
export class AttachedConnection {
  readonly faults: Faults;
  readonly pending = new PendingSends();
  readonly links: Links;
  readonly settlements: Settlements;
  readonly requests: Requests;
  readonly clock: Clock;
  /** Host and port, as far as the options tell. */
  readonly target: string;
  readonly #connection: RheaConnection;
  readonly #events: FaultEvents;
  readonly #keepAlive: boolean;
  readonly #lifetime: Lifetime;
  readonly #tokens: TokenKeeper;
  readonly #credentials: CredentialsGate<AmqpCredentials> | undefined;
  readonly #reconnector: Reconnector | undefined;
  readonly #restorer: Restorer | undefined;
  readonly #ends: Ends;
  readonly #observation: Observation;
  readonly #proof: Proof;
  readonly #idle: IdleTimeout;
  readonly #away: WhileAway;
  #gone: AnyDeviceCloudError | undefined;
  #renewing: Promise<boolean> | undefined;
  #stopLooking: () => void = () => {};

  constructor(connection: RheaConnection, options: ResolvedOptions, events: FaultEvents) {
    this.#connection = connection;
    this.#away = new WhileAway(connection);
    const { host, port } = connection.options;
    this.target = `${typeof host === 'string' ? host : 'localhost'}:${typeof port === 'number' ? port : ''}`;
    this.#events = events;
    this.#keepAlive = options.keepAlive;
    this.clock = options.clock ?? systemClock;
    this.faults = new Faults(events);
    this.#proof = new Proof(this.clock, (error) => {
      this.#reconnector?.good();
      events.emit('recovered', { error, operation: 'reconnect' });
    });
    this.links = new Links({
      faults: this.faults,
      gone: () => this.#gone,
      held: (link) => this.#tokens.isHeld(link),
      tokenPut: () => this.#restorer?.tokenPut(),
      watch: (end) => this.#observation.watch(end),
    });
    this.settlements = new Settlements(this.faults, this.clock, options.attemptTimeoutMs, (link) =>
      this.requests.owns(link),
    );
    this.requests = new Requests({ ...this.sending(), connection });
    this.#tokens = new TokenKeeper({ ...options, connection, events, requests: this.requests });
    const shape = { owner: 'attachAmqp', fields: CREDENTIALS_FIELDS };
    this.#credentials = options.credentials && createCredentials(options.credentials, { clock: this.clock, shape });
    this.#reconnector = this.#governed(options);
    this.#restorer = this.#reconnector && this.#restoring(options);
    const { faults, pending, links, settlements, requests } = this;
    this.#ends = new Ends({ faults, pending, links, settlements, requests, restorer: this.#restorer });
    const { connectTimeoutMs } = resolveReconnectOptions('attachAmqp', options.reconnect || undefined);
    this.#lifetime = new Lifetime(connection, this.faults, this.clock, connectTimeoutMs, this.#hears());
    this.#idle = new IdleTimeout(connection, options.idleTimeoutMs);
    this.#observation = observe(connection, this.#watches());
    this.#look();
  }

  #watches(): Watcher {
    return {
      onConnection: (name, payload) => {
        if (name === 'disconnected') this.#away.begins();
        this.#lifetime.onEvent(name, payload);
      },
      onReconnect: () => this.#away.ends(),
      afterConnection: (name) => this.#lifetime.afterEvent(name),
      onCreate: (link) => this.#restorer?.created(link),
      onSession: (name, session) => {
        if (name === 'session_open') this.#proof.good();
        this.#ends.onSession(name, session);
      },
      onLink: (name, link, context) => this.#ends.onLink(name, link, context),
      onSocket: () => {
        forgetInput(this.#connection);
        this.#away.stop();
        this.#idle.opening();
        this.#lifetime.onSocket();
      },
      afterSocket: () => this.#look(),
      onIdle: () => this.#lifetime.onIdle(),
      onClose: () => this.#onCloseCalled(),
      onBegin: (session) => {
        this.settlements.watch(session);
        this.pending.watch(session);
      },
      counts: (name) => this.#keepAlive && (name === 'error' || name.endsWith('_error')),
    };
  }

  /** What a send works with. */
  sending() {
    const { faults, links, pending, clock } = this;
    return { faults, links, pending, clock, events: this.#events };
  }

  /** Fresh credentials for an operation that was refused: `true` when a fresh token is put. */
  get renew(): OperationOptions['renew'] {
    const credentials = this.#credentials;
    if (!credentials) return undefined;
    // Whoever is refused meanwhile waits for the same token. Each knows for itself when to stop waiting.
    return ({ error, attempt }) => {
      this.#renewing ??= this.#renew(credentials, { error, attempt }).finally(() => (this.#renewing = undefined));
      return this.#renewing;
    };
  }

  async #renew(
    credentials: CredentialsGate<AmqpCredentials>,
    why: Parameters<CredentialsGate<AmqpCredentials>['refresh']>[0],
  ): Promise<boolean> {
    const fresh = await credentials.refresh(why);
    if (!fresh) return false;
    this.#tokens.take(fresh);
    // What is for SASL holds from the next connection on.
    return fresh.cbs !== undefined && (await this.#tokens.put());
  }

  resume(): void {
    this.#reconnector?.resume();
    this.#restorer?.resume();
  }

  /** Take everything off; whoever still waits is rejected with `reason`. */
  detach(reason: Error): void {
    this.#proof.stop();
    this.#stopLooking();
    this.#idle.restore();
    this.#away.stop();
    guarded(() => this.#tokens.stop());
    this.#lifetime.stop();
    this.requests.stop(reason);
    this.#observation.stop();
    this.#reconnector?.detach();
    this.#restorer?.stop();
    this.settlements.stop(reason);
    this.pending.stop(reason, Object.values(this.#connection.local_channel_map));
    this.links.stop(reason);
  }

  /** Governed unless the user, or the library's own options, say no. */
  #governed(options: ResolvedOptions): Reconnector | undefined {
    const connection = this.#connection;
    const { reconnect, random } = options;
    const off = reconnect === false || (reconnect === undefined && !connection.options.reconnect);
    const setup = { owner: 'attachAmqp', clock: this.clock, random };
    const governor = createReconnectGovernor(reconnect || undefined, setup);
    if (off || connection.is_server) return undefined;
    return new Reconnector({
      connection,
      governor,
      credentials: this.#credentials,
      tokens: this.#tokens,
      away: this.#away,
      events: this.#events,
      faults: this.faults,
      clock: this.clock,
      onGone: (fault) => this.#goneFor(fault),
    });
  }

  #restoring({ reconnect, random }: ResolvedOptions): Restorer {
    // The window of a fleet is for its connections.
    const limits = { ...(reconnect || undefined), fleet: undefined };
    return new Restorer({
      ...this.sending(),
      connection: this.#connection,
      governor: () => createReconnectGovernor(limits, { owner: 'attachAmqp', clock: this.clock, random }),
      renew: () => this.renew,
      watch: (end) => this.#observation.watch(end),
      owns: (end) => this.requests.owns(end),
    });
  }

  #hears(): LifetimeListener {
    const reconnector = this.#reconnector;
    return {
      connecting: () => {
        this.#gone = undefined;
        reconnector?.connecting();
      },
      opened: () => {
        this.#gone = undefined;
        reconnector?.opened();
        this.#proof.opened();
        if (reconnector) void this.#tokens.opened().then(() => this.#attachAll());
        else this.links.opened();
      },
      lost: (fault, what) => {
        this.#proof.lost(fault);
        this.pending.lost(what, fault);
        this.requests.lost('all', fault);
        this.settlements.lost('all', fault);
        this.#restorer?.disconnected();
      },
      closedByPeer: (fault) => {
        if (reconnector) reconnector.closedByPeer();
        else this.#goneFor(fault);
      },
      ended: (fault, context) => {
        if (reconnector) reconnector.ended(fault, context);
        else if (context.reconnecting === true) this.#gone = undefined;
        else this.#goneFor(fault);
      },
      closedHere: () => this.#closedHere(),
      abort: () => this.#abort(),
    };
  }

  #attachAll(): void {
    this.links.opened();
    this.#restorer?.connected();
  }

  /** No connection, and none soon: nobody need wait for credit. */
  #goneFor(fault: AnyDeviceCloudError): void {
    this.#gone = fault;
    this.links.fail('all', fault);
  }

  #closedHere(): void {
    const fault = this.faults.endedHere('connection');
    this.#proof.stop();
    this.#reconnector?.closed();
    this.#restorer?.stop();
    this.pending.lost('connection', fault);
    this.requests.lost('all', fault);
    this.settlements.lost('all', fault);
    this.#goneFor(fault);
  }

  /** The application closes while a reconnect is waited for: rhea would connect all the same. */
  #onCloseCalled(): void {
    this.#lifetime.onCloseCalled();
    if (!this.#reconnector?.waiting) return;
    this.#connection.state.was_open = false;
    this.#closedHere();
  }

  #abort(): void {
    if (!this.#reconnector) return;
    const { socket } = this.#connection;
    if (typeof this.#connection.abort_socket === 'function') this.#connection.abort_socket(socket);
    if (!socket || typeof socket.listenerCount === 'function') return;
    // A WebSocket closes later, and would take the next connection for its own.
    for (const name of ['end', 'error']) socket.on(name, () => {});
  }

  #look(): void {
    this.#stopLooking();
    const { socket } = this.#connection;
    // rhea's wrapper of a WebSocket has room for one listener each: its own.
    if (typeof socket?.listenerCount !== 'function') return;
    const stopWatching = watchFrameSize(this.#connection, socket, (bytes) =>
      guarded(() => this.#lifetime.onViolation(`a frame of ${bytes} bytes was announced`)),
    );
    const onClose = () => guarded(() => this.#lifetime.onSocketClosed());
    socket.on('close', onClose);
    this.#stopLooking = () => {
      stopWatching();
      socket.removeListener('close', onClose);
    };
  }
}
