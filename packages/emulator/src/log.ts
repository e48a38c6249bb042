import type { Clock } from './state/clock.ts';
import { Signal } from './state/signal.ts';

export type TransportName = 'http' | 'mqtt' | 'amqp';

/** One thing a client did, and what it was answered. */
export interface LogEntry {
  /** When, in ms since the epoch. */
  readonly at: number;
  readonly transport: TransportName;
  /** For instance `device-create`, `d2c`, `connect`. */
  readonly operation: string;
  readonly deviceId?: string | undefined;
  readonly moduleId?: string | undefined;
  /** HTTP method and path, MQTT topic or AMQP address. */
  readonly target?: string | undefined;
  readonly messageId?: string | undefined;
  /** Number of the connection, counted per listener. */
  readonly connection?: number | undefined;
  /** How it ended: `ok`, or the name of the fault by behaviour or by script. */
  readonly outcome: string;
  /** HTTP status, MQTT reason or topic status, AMQP status. */
  readonly status?: number | undefined;
  /** The fault was scripted. */
  readonly scripted?: boolean | undefined;
}

/** Which entries to look for; every field given must be equal. */
export type LogFilter = Partial<Omit<LogEntry, 'at'>>;

/** The newest of these many entries are kept, and as many counters of executions. */
const LIMIT = 50_000;

type Slot = { -readonly [K in keyof LogEntry]-?: LogEntry[K] };

/** What every client did: so that tests can count. */
export class ActivityLog {
  /** Each entry as it is made, for live displays. */
  readonly recorded = new Signal<LogEntry>();
  readonly #clock: Clock;
  readonly #executions = new Map<string, number>();
  readonly #operations = new Set<string>();
  #ring: Slot[] = [];
  /** Entries ever recorded since the last clear. */
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  record(entry: Omit<LogEntry, 'at'>): void {
    const slot = this.#slot();
    slot.at = this.#clock.now();
    slot.transport = entry.transport;
    slot.operation = entry.operation;
    slot.deviceId = entry.deviceId;
    slot.moduleId = entry.moduleId;
    slot.target = entry.target;
    slot.messageId = entry.messageId;
    slot.connection = entry.connection;
    slot.outcome = entry.outcome;
    slot.status = entry.status;
    slot.scripted = entry.scripted;
    if (this.recorded.size > 0) this.recorded.emit(plain(slot));
  }

  /** The next slot of the ring. Slots are used again: under load, new ones would be most of the garbage. */
  #slot(): Slot {
    const index = this.#count % LIMIT;
    this.#count += 1;
    const old = this.#ring[index];
    if (old) return old;
    const made: Slot = {
      at: 0,
      transport: 'http',
      operation: '',
      deviceId: undefined,
      moduleId: undefined,
      target: undefined,
      messageId: undefined,
      connection: undefined,
      outcome: '',
      status: undefined,
      scripted: undefined,
    };
    this.#ring[index] = made;
    return made;
  }

  /** An operation took effect in the state; `id` is a message id, else whom it changed. */
  executed(operation: string, id: string): void {
    this.#operations.add(operation);
    const key = `${operation} ${id}`;
    if (this.#executions.size >= LIMIT && !this.#executions.has(key)) {
      const oldest = this.#executions.keys().next().value;
      if (oldest !== undefined) this.#executions.delete(oldest);
    }
    this.#executions.set(key, (this.#executions.get(key) ?? 0) + 1);
  }

  /** What clients asked for, oldest first. */
  requests(filter: LogFilter = {}): LogEntry[] {
    const wanted = Object.entries(filter) as [keyof LogEntry, unknown][];
    const found: LogEntry[] = [];
    for (let at = Math.max(0, this.#count - LIMIT); at < this.#count; at += 1) {
      const slot = this.#ring[at % LIMIT] as Slot;
      if (wanted.every(([name, value]) => value === undefined || slot[name] === value)) found.push(plain(slot));
    }
    return found;
  }

  /** How often an operation took effect for a message id (or a device, for `device-create` and the like). */
  executions(operation: string, id: string): number {
    return this.#executions.get(`${operation} ${id}`) ?? 0;
  }

  /** The same over all operations, or of one: how often anything took effect for an id. */
  executionsOf(id: string, operation?: string): number {
    const names = operation === undefined ? [...this.#operations] : [operation];
    return names.reduce((sum, name) => sum + this.executions(name, id), 0);
  }

  clear(): void {
    this.#ring = [];
    this.#count = 0;
    this.#executions.clear();
  }
}

/** An entry of its own, without what it does not have. */
function plain(slot: Slot): LogEntry {
  return Object.fromEntries(Object.entries(slot).filter(([, value]) => value !== undefined)) as unknown as LogEntry;
}
