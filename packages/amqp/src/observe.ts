import { within } from './range.ts';
import {
  isLink,
  type RheaConnection,
  type RheaContext,
  type RheaIncoming,
  type RheaLink,
  type RheaSession,
} from './rhea.ts';
import { guarded, wrapMethod } from './wrap.ts';

/** What happens on a connection, told before any listener of the application hears it. */
export interface Watcher {
  /** Events of the connection itself. `payload` is a context, or the bare error. */
  onConnection(name: string, payload: unknown): void;
  /** The same, when the application's listeners have run. */
  afterConnection(name: string, payload: unknown): void;
  onSession(name: string, session: RheaSession): void;
  /** A link was made, by either side. */
  onCreate(link: RheaLink): void;
  onLink(name: string, link: RheaLink, context: RheaContext): void;
  /** A new socket: one attempt to connect. */
  onSocket(): void;
  /** rhea is about to open again, on a new connection, what was open. */
  onReconnect(): void;
  /** The socket is `connection.socket`, and rhea listens to it. */
  afterSocket(): void;
  /** rhea found that the peer was silent for too long. */
  onIdle(): void;
  /** The application calls `close`. */
  onClose(): void;
  /** The two sides of a session were made (again): every begin has its own. */
  onBegin(session: RheaSession): void;
  /** Count this event as handled although nobody listens? */
  counts(name: string): boolean;
}

export interface Observation {
  /** See a link or session that rhea had dropped and that is in use again. */
  watch(end: RheaLink | RheaSession): void;
  /** Take all wraps off: the objects are as before. */
  stop(): void;
}

/** Events that arise on the connection; those of links and sessions bubble through it as well. */
const CONNECTION_EVENTS = new Set([
  'connection_open',
  'connection_error',
  'connection_close',
  'disconnected',
  'protocol_error',
  'error',
]);

/** Errors a listener of the application threw: rhea raises them as the connection's own. */
const thrownByListener = new WeakSet<object>();

/** Did an exception in a listener of the application cause this, rather than the wire? */
export function isListenersFault(error: unknown): boolean {
  return typeof error === 'object' && error !== null && thrownByListener.has(error);
}

/**
 * See every event of a connection, its sessions and links without hiding one: a listener would take
 * it from the levels above, and would count as handling it. So `dispatch` is wrapped where the
 * event arises.
 */
export function observe(connection: RheaConnection, watcher: Watcher): Observation {
  const undo = new Map<object, (() => void)[]>();
  const keep = (of: object, ...restore: (() => void)[]) => undo.set(of, [...(undo.get(of) ?? []), ...restore]);

  const watchLink = (link: RheaLink) => {
    if (undo.has(link)) return;
    keep(
      link,
      wrapDispatch(link, watcher, (name, payload) => watcher.onLink(name, link, payload as RheaContext)),
    );
  };
  const watchSession = (session: RheaSession) => {
    if (undo.has(session)) return;
    keep(
      session,
      wrapDispatch(session, watcher, (name) => {
        if (!name.startsWith('session_')) return;
        if (name === 'session_open') watcher.onBegin(session);
        watcher.onSession(name, session);
      }),
      wrapMethod(session, 'create_link', (original) => (...args) => {
        const link = original.apply(session, args);
        forget(undo, (of) => isLink(of) && of.session === session && session.links[of.name] !== of && isOver(of));
        guarded(() => watchLink(link));
        guarded(() => watcher.onCreate(link));
        return link;
      }),
    );
    for (const link of Object.values(session.links)) watchLink(link);
    guarded(() => watcher.onBegin(session));
  };

  keep(connection, ...watchConnection(connection, watcher, watchSession, undo));
  for (const session of Object.values(connection.local_channel_map)) watchSession(session);
  return {
    watch: (end) => (isLink(end) ? watchLink(end) : watchSession(end)),
    stop: () => forget(undo, () => true),
  };
}

function watchConnection(
  connection: RheaConnection,
  watcher: Watcher,
  watchSession: (session: RheaSession) => void,
  undo: Map<object, (() => void)[]>,
): (() => void)[] {
  const restore = [
    wrapDispatch(
      connection,
      watcher,
      (name, payload) => CONNECTION_EVENTS.has(name) && watcher.onConnection(name, payload),
      (name, payload) => CONNECTION_EVENTS.has(name) && watcher.afterConnection(name, payload),
    ),
    wrapMethod(connection, 'create_session', (original) => (...args) => {
      const session = original.apply(connection, args);
      const live = Object.values(connection.local_channel_map);
      forget(undo, (of) => isGone(of, live));
      guarded(() => watchSession(session));
      return session;
    }),
  ];
  restore.push(
    wrapMethod(connection, 'close', (original) => (...args) => {
      original.apply(connection, args);
      guarded(() => watcher.onClose());
    }),
  );
  if (typeof connection.init === 'function')
    restore.push(
      wrapMethod(connection, 'init', (original) => (socket) => {
        guarded(() => watcher.onSocket());
        const result = original.call(connection, socket);
        guarded(() => watcher.afterSocket());
        return result;
      }),
    );
  if (typeof connection._reconnect === 'function')
    restore.push(
      wrapMethod(connection, '_reconnect', (original) => () => {
        guarded(() => watcher.onReconnect());
        original?.call(connection);
      }),
    );
  if (typeof connection.idle === 'function')
    restore.push(
      wrapMethod(connection, 'idle', (original) => () => {
        guarded(() => connection.is_closed() || watcher.onIdle());
        original.call(connection);
      }),
    );
  return restore;
}

function wrapDispatch<T extends RheaConnection | RheaSession | RheaLink>(
  endpoint: T,
  watcher: Watcher,
  before: (name: string, payload: unknown) => unknown,
  after?: (name: string, payload: unknown) => unknown,
): () => void {
  return wrapMethod(endpoint, 'dispatch', (original: T['dispatch']) => (name, ...payload) => {
    guarded(() => void before(name, payload[0]));
    if (name === 'error' && isUnheard(endpoint) && !isListenersFault(payload[0]) && watcher.counts(name)) return true;
    try {
      const heard = original.call(endpoint, name, ...payload);
      if (after) guarded(() => void after(name, payload[0]));
      return heard || watcher.counts(name);
    } catch (thrown) {
      // What passes through here came out of a listener: the library raises its own elsewhere.
      if (typeof thrown === 'object' && thrown !== null && thrown !== payload[0]) thrownByListener.add(thrown);
      throw thrown;
    }
  });
}

/** Wrap the incoming side of a session: how deliveries are settled, and what the peer says to it. */
export function observeIncoming(
  incoming: RheaIncoming,
  seen: {
    settled(...args: Parameters<RheaIncoming['update']>): void;
    answered(fields: Parameters<RheaIncoming['on_disposition']>[0]): void;
  },
): () => void {
  const restore = [
    wrapMethod(incoming, 'update', (original) => (...args) => {
      original.apply(incoming, args);
      guarded(() => seen.settled(...args));
    }),
    wrapMethod(incoming, 'on_disposition', (original) => (fields) => {
      const known = within(fields, incoming.deliveries);
      if (known) original.call(incoming, known);
      guarded(() => seen.answered(fields));
    }),
  ];
  return () => restore.forEach((take) => void take());
}

function forget(undo: Map<object, (() => void)[]>, which: (of: object) => boolean): void {
  for (const [of, restore] of [...undo]) {
    if (!which(of)) continue;
    for (const take of restore.reverse()) take();
    undo.delete(of);
  }
}

/** Would an `error` event of this connection end the process? */
function isUnheard(endpoint: RheaConnection | RheaSession | RheaLink): boolean {
  if (endpoint.listeners('error').length > 0) return false;
  return !('container' in endpoint && endpoint.container && endpoint.container.listeners('error').length > 0);
}

const isOver = (link: RheaLink) => !link.state.local_open && !link.state.remote_open;
/** A session that is no longer the connection's, or a link of one. */
const isGone = (of: object, live: readonly RheaSession[]): boolean => {
  if (isLink(of)) return !live.includes(of.session);
  return 'outgoing' in of && !live.includes(of as RheaSession);
};
