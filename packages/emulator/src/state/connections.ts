import type { Clock } from './clock.ts';
import type { Identities } from './identities.ts';
import { type Identity, keyOf } from './identity.ts';
import type { MethodCall } from './methods.ts';
import { Signal } from './signal.ts';

/** Why the cloud ends a connection. */
export type CloseCause = 'taken-over' | 'removed' | 'disabled' | 'token-expired' | 'stopped';

export interface ConnectionSpec {
  readonly identity: Identity;
  readonly transport: 'mqtt' | 'amqp';
  /** Called once when the cloud ends it; never after `release`. */
  readonly close: (cause: CloseCause) => void;
}

/** One live connection of a device or module. */
export class DeviceConnection {
  readonly id: number;
  readonly identity: Identity;
  readonly transport: 'mqtt' | 'amqp';
  readonly openedAt: number;
  /** Why it ended, once it has. */
  ended: CloseCause | 'released' | undefined;
  readonly #connections: Connections;
  readonly #close: (cause: CloseCause) => void;
  #onMethod: ((call: MethodCall) => void) | undefined;

  constructor(connections: Connections, id: number, openedAt: number, spec: ConnectionSpec) {
    this.#connections = connections;
    this.id = id;
    this.openedAt = openedAt;
    this.identity = spec.identity;
    this.transport = spec.transport;
    this.#close = spec.close;
  }

  get onMethod(): ((call: MethodCall) => void) | undefined {
    return this.#onMethod;
  }

  /** The device listens to direct methods from now on (or, with `undefined`, no longer). */
  set onMethod(handler: ((call: MethodCall) => void) | undefined) {
    this.#onMethod = handler;
    if (handler) this.#connections.ready.emit(this);
  }

  /** The device's side ended it. Does nothing the second time. */
  release(): void {
    this.#connections.end(this, 'released');
  }

  /** The cloud ends it. Does nothing the second time. */
  end(cause: CloseCause): void {
    if (this.#connections.end(this, cause)) this.#close(cause);
  }
}

/** Connections by device: one each, a new one takes over. */
export class Connections {
  /** A connection became ready for direct methods. */
  readonly ready = new Signal<DeviceConnection>();
  readonly opened = new Signal<DeviceConnection>();
  /** A connection ended; `ended` says why. */
  readonly closed = new Signal<DeviceConnection>();
  readonly #clock: Clock;
  readonly #identities: Identities;
  readonly #live = new Map<string, DeviceConnection>();
  #count = 0;

  constructor(clock: Clock, identities: Identities) {
    this.#clock = clock;
    this.#identities = identities;
    identities.ended.on(({ identity, why }) => this.current(identity)?.end(why));
  }

  /** Open one; an older one of the same device or module is ended as taken over. */
  open(spec: ConnectionSpec): DeviceConnection {
    const key = keyOf(spec.identity);
    this.#live.get(key)?.end('taken-over');
    this.#count += 1;
    const connection = new DeviceConnection(this, this.#count, this.#clock.now(), spec);
    this.#live.set(key, connection);
    this.#mark(spec.identity);
    this.opened.emit(connection);
    return connection;
  }

  current(identity: Identity): DeviceConnection | undefined {
    return this.#live.get(keyOf(identity));
  }

  get size(): number {
    return this.#live.size;
  }

  all(): DeviceConnection[] {
    return [...this.#live.values()];
  }

  /** Used by the connections themselves; false when it had ended already. */
  end(connection: DeviceConnection, cause: CloseCause | 'released'): boolean {
    if (connection.ended !== undefined) return false;
    connection.ended = cause;
    const key = keyOf(connection.identity);
    if (this.#live.get(key) === connection) this.#live.delete(key);
    this.#mark(connection.identity);
    this.closed.emit(connection);
    return true;
  }

  #mark(identity: Identity): void {
    const record = this.#identities.find(identity);
    if (!record) return;
    record.connectionUpdatedAt = this.#clock.now();
    record.lastActivityAt = this.#clock.now();
  }
}
