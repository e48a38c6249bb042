import type { Authority, Principal } from '../auth.ts';
import type { FaultScript } from '../faults/script.ts';
import type { ListenerContext } from '../listener.ts';
import type { Cloud } from '../state/cloud.ts';
import type { CloseCause, DeviceConnection } from '../state/connections.ts';
import { CloudFault, type FaultName } from '../state/fault.ts';
import { type Identity, keyOf } from '../state/identity.ts';
import { identityOf, type Place } from './address.ts';
import { attach } from './attach.ts';
import { Claims } from './claims.ts';
import {
  createEngine,
  type EngineConnection,
  type ErrorRecord,
  enableExternal,
  type Receiver,
  type Sender,
} from './engine.ts';
import { wireErrorOf } from './errors.ts';
import { serve } from './exchange.ts';
import { guard } from './guard.ts';
import { hear } from './hear.ts';
import type { Link } from './link.ts';
import type { Pipe } from './pipe.ts';

/** How long a client has to send its OPEN. */
const OPEN_TIMEOUT_MS = 30_000;
/** How long a client has to answer our CLOSE before the socket goes; the official Node SDK notices only that. */
const CLOSE_TIMEOUT_MS = 1_000;
/** What the hub announces; a client that stays silent for twice as long is gone. */
const IDLE_TIMEOUT_MS = 240_000;

/** Where clients reach this listener: what a redirect names. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface PeerSetup {
  readonly id: number;
  readonly context: ListenerContext;
  readonly pipe: Pipe;
  readonly endpoint: Endpoint;
  /** Of the client's certificate, where it has one. */
  readonly thumbprints: readonly string[];
}

/** One connection of a client. */
export class Peer {
  readonly id: number;
  readonly context: ListenerContext;
  readonly pipe: Pipe;
  readonly connection: EngineConnection;
  readonly claims: Claims;
  readonly links = new Set<Link>();
  /** Devices that asked to hear of desired properties. */
  readonly desiredSubscriptions = new Set<string>();
  readonly endpoint: Endpoint;
  readonly #devices = new Map<string, DeviceConnection>();
  readonly #byEngine = new WeakMap<object, Link>();
  readonly #openTimer: () => void;
  #closeTimer: NodeJS.Timeout | undefined;
  readonly #thumbprints: readonly string[];
  #closed = false;
  #closing = false;

  constructor({ id, context, pipe, endpoint, thumbprints }: PeerSetup) {
    this.id = id;
    this.endpoint = endpoint;
    this.#thumbprints = thumbprints;
    this.context = context;
    this.pipe = pipe;
    this.claims = new Claims(this.cloud.clock, (principal) => this.#expired(principal));
    const engine = createEngine(`emulator-${this.cloud.hostName}`);
    engine.sasl_server_mechanisms.enable_anonymous();
    // Who the certificate stands for shows at the first link: it names the device.
    enableExternal(engine);
    engine.sasl_server_mechanisms.enable_plain(((user: string, password: string) =>
      this.#plain(user, password)) as never);
    hear(engine, this);
    this.connection = engine.create_connection({
      max_frame_size: 65_536,
      channel_max: 255,
      idle_time_out: IDLE_TIMEOUT_MS,
    } as never) as EngineConnection;
    guard(this);
    pipe.onClosed = () => this.#gone();
    pipe.onViolation = (what) => this.close({ condition: 'amqp:connection:framing-error', description: what });
    this.#openTimer = this.cloud.clock.after(OPEN_TIMEOUT_MS, () => {
      if (!this.connection.is_remote_open()) pipe.destroy();
    });
    this.connection.accept(pipe);
  }

  get cloud(): Cloud {
    return this.context.cloud;
  }

  get faults(): FaultScript {
    return this.context.faults;
  }

  get authority(): Authority {
    return this.context.authority;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** May this client open links to a place? */
  mayOpen(place: Place): boolean {
    if (!this.authority.required || this.claims.allow(place)) return true;
    if (this.#thumbprints.length === 0) return false;
    if (place.kind === 'registration') {
      return this.authority.verifyRegistrationThumbprint(place.registrationId, this.#thumbprints).ok;
    }
    return 'deviceId' in place && this.authority.verifyThumbprint(identityOf(place), this.#thumbprints).ok;
  }

  /** The link an answer goes out on: of the same kind, device and channel as the request's. */
  answerLink(request: Link, replyTo?: string): Link | undefined {
    const channel = channelOf(request);
    const candidates = [...this.links].filter(
      (link) =>
        !link.inbound &&
        link.isStarted &&
        link.place.kind === request.place.kind &&
        (!request.identity || (link.identity && keyOf(link.identity) === keyOf(request.identity))),
    );
    return (
      candidates.find((link) => channel !== undefined && channelOf(link) === channel) ??
      candidates.find((link) => replyTo !== undefined && link.engine.target?.address === replyTo) ??
      candidates.at(-1)
    );
  }

  // --- devices ---------------------------------------------------------------------------------

  /**
   * The connection of a device that this client is, opened when it is not yet: an older one, here
   * or over another transport, is taken over.
   *
   * @throws CloudFault throttled, device-not-found, device-disabled
   */
  device(identity: Identity): DeviceConnection {
    const key = keyOf(identity);
    const known = this.#devices.get(key);
    if (known && known.ended === undefined) return known;
    const opened = this.cloud.connect({ identity, transport: 'amqp', close: (cause) => this.#ended(identity, cause) });
    this.#devices.set(key, opened);
    return opened;
  }

  /** The cloud ends a device's connection: the whole one, or its links where a gateway shares it. */
  #ended(identity: Identity, cause: CloseCause): void {
    const key = keyOf(identity);
    this.#devices.delete(key);
    this.cloud.log.record({ transport: 'amqp', operation: 'closed', ...identity, connection: this.id, outcome: cause });
    const { record } = wireErrorOf(new CloudFault(faults[cause]), 'connect', this.cloud.clock.now());
    const alone = this.#devices.size === 0 && cause !== 'token-expired';
    if (cause === 'stopped') this.close({ condition: 'amqp:connection:forced', description: STOPPED });
    else if (alone) this.close(record);
    else this.#failLinksOf(key, record);
  }

  #failLinksOf(key: string, record: ErrorRecord): void {
    for (const link of [...this.links]) if (link.identity && keyOf(link.identity) === key) link.fail(record);
  }

  /** A token ran out: what was open by it is detached, the connection stays (azure-iot-sdk-java#180, #365). */
  #expired(principal: Principal): void {
    if (principal.kind === 'device') this.#devices.get(keyOf(principal.identity))?.end('token-expired');
    const { record } = wireErrorOf(new CloudFault('unauthorized'), 'attach', this.cloud.clock.now());
    for (const link of [...this.links]) if (!this.mayOpen(link.place)) link.fail(record);
  }

  /** SASL PLAIN: `{device}@sas.{hub}`, `{policy}@sas.root.{hub}` or `{scope}/registrations/{id}`, with the token as password. */
  #plain(user: string, password: string): boolean {
    const result = this.authority.verify(password);
    if (!result.ok) return !this.authority.required;
    if (!namedBy(user, result.principal)) return false;
    this.claims.add(result.principal);
    return true;
  }

  // --- ends ------------------------------------------------------------------------------------

  /** Close the connection with an error; the socket goes when the client has answered, or soon. */
  close(record: ErrorRecord): void {
    if (this.#closed || this.#closing) return;
    this.#closing = true;
    // A close before an open is no AMQP: open first, as refusing servers do.
    if (!this.connection.is_open()) this.connection.open();
    this.connection.close(record as never);
    this.#endLinks();
    this.#closeTimer = setTimeout(() => this.pipe.end(), CLOSE_TIMEOUT_MS);
  }

  /** End the session of a link with an error. */
  endSession(link: Link, record: ErrorRecord): void {
    const { session } = link.engine;
    session.close(record as never);
    for (const other of [...this.links]) if (other.engine.session === session) other.closed();
  }

  forget(link: Link): void {
    this.links.delete(link);
  }

  #endLinks(): void {
    for (const link of [...this.links]) link.closed();
    for (const device of this.#devices.values()) device.release();
    this.#devices.clear();
    this.claims.clear();
  }

  #gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#openTimer();
    clearTimeout(this.#closeTimer);
    this.#endLinks();
    this.onGone();
  }

  /** Set by the listener: this peer is no more. */
  onGone: () => void = () => {};

  // --- what rhea tells (see hear.ts) -------------------------------------------------------------

  opened(): void {
    if (this.#closing) return;
    void serve(this, {
      operation: 'connect',
      run: () => {},
      succeed: () => {},
      refuse: (error) => this.close(error.record),
    });
  }

  attached(engine: Sender | Receiver): void {
    if (this.#closing) return;
    attach(this, engine, (link) => {
      this.#byEngine.set(engine, link);
      this.links.add(link);
    });
  }

  linkOf(engine: object | undefined): Link | undefined {
    return engine && this.#byEngine.get(engine);
  }

  sessionClosed(session: unknown): void {
    for (const link of [...this.links]) if (link.engine.session === session) link.closed();
  }

  /** The client closed the connection, or rhea did in its name. */
  closedByClient(): void {
    this.#endLinks();
  }
}

const STOPPED = 'The emulator stops.';

const faults: Record<CloseCause, FaultName> = {
  'taken-over': 'taken-over',
  removed: 'device-not-found',
  disabled: 'device-disabled',
  'token-expired': 'unauthorized',
  stopped: 'server-error',
};

/** What pairs the two links of twins and methods (official clients name it in both attaches). */
function channelOf(link: Link): unknown {
  return link.engine.properties?.['com.microsoft:channel-correlation-id'];
}

/** Does the user name of SASL PLAIN name whom the token speaks for? */
function namedBy(user: string, principal: Principal): boolean {
  if (principal.kind === 'registration') return /\/registrations\/(.+)$/.exec(user)?.[1] === principal.registrationId;
  const name = /^(.+)@sas\./.exec(user)?.[1];
  if (name === undefined) return false;
  if (principal.kind === 'service') return name === principal.policy.name;
  return principal.kind === 'device' && name === keyOf(principal.identity);
}
