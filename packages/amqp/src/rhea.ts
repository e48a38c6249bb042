/*
 * What this package reads of rhea 3.x. Its typings lack `dispatch`, `observers`, `create_link` and
 * the states of endpoints, so the shapes are written down here, and asked for before they are used.
 */

/** An error record of the peer: `condition`, `description`, `info`. Not an Error. */
export interface ErrorRecord {
  readonly condition?: unknown;
  readonly description?: unknown;
  readonly info?: unknown;
}

export interface EndpointState {
  local_open: boolean;
  remote_open: boolean;
  /** Frames that say so, still to be written. */
  open_requests?: number;
  /** Set between a loss and the reconnect: was it open on this side? */
  was_open?: boolean | undefined;
  /** Set from the peer's detach until rhea answers it. */
  marker?: unknown;
  disconnected(): void;
}

interface Dispatching {
  dispatch(name: string, ...payload: unknown[]): boolean;
  listeners(name: string): unknown[];
}

export interface RheaDelivery {
  readonly id: number;
  readonly link: RheaLink;
  settled: boolean;
  remote_settled: boolean;
  readonly remote_state?: { readonly constructor: { readonly composite_type?: string } } & Record<string, unknown>;
  readonly state?: unknown;
  readonly next_to_send?: number;
  update(settled: boolean | undefined, state?: unknown): void;
  accept?(): void;
  release?(params?: object): void;
  reject?(error?: object): void;
  modified?(params?: object): void;
}

/** rhea's ring of the deliveries of one direction that are not settled on both sides. */
export interface Ring {
  get_head?(): RheaDelivery | undefined;
  get_tail?(): RheaDelivery | undefined;
}

export interface RheaOutgoing {
  next_delivery_id: number;
  /** Deliveries from this id on have not been written yet. */
  next_pending_delivery: number;
  /** A ring of those that are not settled on both sides, in the order of their ids. */
  readonly deliveries?: Ring & { by_id?(id: number): RheaDelivery | undefined };
  process?(): void;
  available(): number;
  on_disposition(fields: Disposition): void;
}

export interface RheaIncoming {
  /** A ring, with gaps, of those that are not settled on this side. */
  readonly deliveries?: Ring & { readonly entries?: readonly (RheaDelivery | undefined)[] };
  update(delivery: RheaDelivery, settled: boolean | undefined, state?: unknown): void;
  on_disposition(fields: Disposition): void;
}

export interface Disposition {
  readonly first: number;
  readonly last?: number | undefined;
  readonly settled?: boolean | undefined;
  readonly state?: unknown;
}

export interface Terminus {
  readonly address?: unknown;
}

export interface RheaLink extends Dispatching {
  name: string;
  readonly session: RheaSession;
  readonly connection: RheaConnection;
  readonly options: Record<string, unknown>;
  readonly state: EndpointState;
  readonly error?: ErrorRecord | undefined;
  credit: number;
  delivery_count: number;
  local: {
    handle: number;
    attach: Record<string, unknown> & { handle: number };
    detach: Record<string, unknown> & { handle: number; error?: unknown };
  };
  remote: { handle?: unknown; attach?: Record<string, unknown>; detach?: { closed?: boolean; error?: ErrorRecord } };
  is_open(): boolean;
  is_closed(): boolean;
  is_sender(): boolean;
  is_receiver(): boolean;
  attach(): void;
  close(error?: object): void;
  detach(): void;
  /** Take it out of the session: for a link that is not on the wire. */
  remove(): void;
  get_option(name: string, fallback: unknown): unknown;
  /** The beginning of a message whose other frames are still to come. */
  _incomplete?: unknown;
  sendable?(): boolean;
  send?(message: unknown, tag?: unknown, format?: number): RheaDelivery;
  _reconnect(): void;
}

export interface RheaSession extends Dispatching {
  readonly connection: RheaConnection;
  readonly state: EndpointState;
  readonly error?: ErrorRecord | undefined;
  outgoing: RheaOutgoing;
  incoming: RheaIncoming;
  links: Record<string, RheaLink>;
  local: { channel: number; handles: Record<number, RheaLink> };
  remote: Record<string, unknown>;
  is_open(): boolean;
  is_closed(): boolean;
  begin(): void;
  close(error?: object): void;
  end(error?: object): void;
  /** Take it out of the connection: for a session that is not on the wire. */
  remove(): void;
  create_link(name: string, make: unknown, options: unknown): RheaLink;
  open_sender(options: unknown): RheaLink;
  open_receiver(options: unknown): RheaLink;
  _reconnect(): void;
}

export interface RheaSocket {
  on(name: string, listener: (...values: never[]) => void): unknown;
  removeListener(name: string, listener: (...values: never[]) => void): unknown;
  setNoDelay?(on: boolean): unknown;
  listenerCount?(name: string): number;
  removeAllListeners?(name: string): unknown;
  destroy?(): unknown;
}

export interface RheaConnection extends Dispatching {
  readonly options: Record<string, unknown> & { reconnect?: unknown; password?: unknown; token?: unknown };
  readonly container?: Dispatching | undefined;
  readonly state: EndpointState;
  readonly error?: ErrorRecord | undefined;
  readonly remote: { open?: unknown; close?: { error?: ErrorRecord } };
  readonly local: { open: Record<string, unknown>; close: { error?: unknown } };
  readonly local_channel_map: Record<number, RheaSession>;
  readonly is_server?: boolean;
  readonly conn_established_counter: number;
  /** What is waited for of a frame that came in pieces, and the pieces. */
  frame_size?: number | undefined;
  chunks?: unknown;
  received_bytes?: number;
  previous_input?: unknown;
  readonly hostname?: unknown;
  transport_error?: unknown;
  closed_with_non_fatal_error?: boolean;
  scheduled_reconnect?: unknown;
  socket?: RheaSocket | undefined;
  is_open(): boolean;
  is_closed(): boolean;
  close(error?: object): void;
  get_option(name: string, fallback: unknown): unknown;
  create_session(bufferSize?: unknown): RheaSession;
  open_sender(options: unknown): RheaLink;
  open_receiver(options: unknown): RheaLink;
  reconnect(): unknown;
  /** Makes ready what was open for the next connection. */
  _reconnect?(): void;
  init(socket: RheaSocket): unknown;
  idle(): void;
  abort_socket(socket: unknown): void;
  /** The socket has ended. */
  eof?(): void;
  /** Let what there is to write be written, and what is settled be forgotten, in the next tick. */
  _register?(): void;
}

export interface RheaContainer extends Dispatching {
  connect(options?: unknown): RheaConnection;
  create_connection(options?: unknown): RheaConnection;
}

/** What rhea hands to a listener. */
export interface RheaContext {
  readonly connection?: RheaConnection;
  readonly session?: RheaSession;
  readonly sender?: RheaLink;
  readonly receiver?: RheaLink;
  readonly delivery?: RheaDelivery;
  readonly message?: Record<string, unknown>;
  error?: unknown;
  reconnecting?: boolean;
}

/** Is it an object with these methods? */
export function has(value: unknown, ...methods: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

/** A rhea connection, or what wraps one as `_connection` (rhea-promise). */
export function asConnection(value: unknown): RheaConnection | undefined {
  const inner = has(value) && has(value._connection) ? value._connection : value;
  if (!has(inner, 'dispatch', 'create_session', 'is_open', 'is_closed', 'listeners')) return undefined;
  return has(inner.local_channel_map) && has(inner.options) ? (inner as unknown as RheaConnection) : undefined;
}

/** A rhea container: makes connections. */
export function asContainer(value: unknown): RheaContainer | undefined {
  return has(value, 'connect', 'create_connection', 'dispatch') && !has(value, 'create_session')
    ? (value as unknown as RheaContainer)
    : undefined;
}

/** A rhea link, or what wraps one as `_link` (rhea-promise). */
export function asLink(value: unknown): RheaLink | undefined {
  const inner = has(value) && has(value._link) ? value._link : value;
  return has(inner, 'dispatch', 'is_open', 'attach') && has(inner.session) && has(inner.local)
    ? (inner as unknown as RheaLink)
    : undefined;
}

/** Tells a link from a session. */
export function isLink(end: object): end is RheaLink {
  return 'session' in end && 'credit' in end;
}

/** Where the link leads: the peer's node. */
export function addressOf(link: RheaLink): string | undefined {
  const side = link.is_sender() ? 'target' : 'source';
  for (const attach of [link.local.attach, link.remote.attach]) {
    const terminus = attach?.[side];
    const address = readAddress(terminus);
    if (address !== undefined) return address;
  }
  return undefined;
}

/** A terminus is a composite, or still the described value around one (then a list, address first). */
function readAddress(terminus: unknown): string | undefined {
  if (!has(terminus)) return undefined;
  if (typeof terminus.address === 'string') return terminus.address;
  const value: unknown = terminus.value;
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  if (typeof first === 'string') return first;
  return has(first) && typeof first.value === 'string' ? first.value : undefined;
}

/** The outcome the peer gave: `accepted`, `rejected`, `released`, `modified`; none yet: `undefined`. */
export function outcomeOf(delivery: RheaDelivery): string | undefined {
  const type = delivery.remote_state?.constructor?.composite_type;
  return type === 'received' ? undefined : type;
}
