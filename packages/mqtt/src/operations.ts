import { type AnyDeviceCloudError, type Clock, isDeviceCloudError, type Stopped } from '@faultmap/core';
import { conclude } from '@faultmap/core/adapter';
import type { MqttClient, Packet } from 'mqtt';
import type { Acks } from './acks.ts';
import { because, ended, type Faults } from './faults.ts';
import { label } from './label.ts';
import { callCleanly, checkPayload } from './leftovers.ts';
import { PacketOwners } from './owners.ts';
import { type Callback, type Pending, PendingList } from './pending.ts';
import { topicsOf } from './topics.ts';
import { withdraw } from './withdraw.ts';

type Kind = Pending['kind'];

export interface OperationsSetup {
  readonly client: MqttClient;
  readonly faults: Faults;
  readonly acks: Acks;
  readonly clock: Clock;
  readonly operationTimeoutMs: number;
  readonly offlineTimeoutMs: number;
  /** Why the present connection ended, or is about to, where that is known. */
  readonly fault: () => AnyDeviceCloudError | undefined;
  /** Is another connection to be expected? */
  readonly willReconnect: () => boolean;
  /** The fault of having been ended by the program with something pending. */
  readonly endFault: () => AnyDeviceCloudError;
}

/**
 * Follows every publish, subscribe and unsubscribe that somebody waits for, until mqtt.js or a limit
 * ends it. Where mqtt.js is sure to say something, it says it; the rest is what it leaves open.
 */
export class Operations {
  readonly #setup: OperationsSetup;
  readonly #pending: PendingList;
  readonly #owners: PacketOwners;
  /** Why nothing is accepted at present. */
  #givenUp: AnyDeviceCloudError | undefined;
  #lastFault: AnyDeviceCloudError | undefined;
  #detached = false;

  constructor(setup: OperationsSetup, connected: boolean) {
    this.#setup = setup;
    const { clock, operationTimeoutMs, offlineTimeoutMs } = setup;
    const expired = (one: Pending, why: 'unanswered' | 'offline') => this.#expire(one, why);
    this.#pending = new PendingList({ clock, operationTimeoutMs, offlineTimeoutMs, expired }, connected);
    this.#owners = new PacketOwners(setup.client, this.#pending);
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Does somebody wait for the answer to this message id? */
  isAwaited(id: number): boolean {
    return this.#owners.byId(id) !== undefined;
  }

  /**
   * A call of the program, or for a request of ours; one without a callback is not followed: nobody waits.
   */
  call(
    kind: Kind,
    original: (...args: never[]) => unknown,
    args: readonly unknown[],
    by: 'program' | 'request' = 'program',
  ): unknown {
    const { client } = this.#setup;
    const at = args.findIndex((arg, index) => index > 0 && typeof arg === 'function');
    const pass = original as (...args: unknown[]) => unknown;
    if (this.#detached) return pass.apply(client, [...args]);
    if (kind === 'publish') checkPayload(args[1]);
    if (at < 0) return callCleanly(client, kind, () => pass.apply(client, [...args]));
    const callback = args[at] as Callback;
    const submit = (): unknown => pass.apply(client, args.with(at, one.callback));
    const operation = label(kind, topicsOf(args[0])[0]);
    const one = this.#open({ kind, operation, answer: callback, submit, forRequest: by === 'request' }, args);
    if (!this.#givenUp || client.disconnecting) return this.#submit(one);
    this.#reject(one, because(this.#givenUp, { operation, executed: 'no' }));
    return client;
  }

  sent(packet: Packet): void {
    const one = this.#owners.of(packet);
    if (one) this.#pending.wrote(one);
  }

  accepted(): void {
    this.#givenUp = undefined;
    this.#pending.connected();
  }

  /** The connection is gone. QoS 1 and 2 wait for the next; QoS 0 that was written is in doubt. */
  lost(fault: AnyDeviceCloudError): void {
    this.#lastFault = fault;
    const inDoubt = [...this.#pending].filter(
      (one) => one.kind === 'publish' && one.qos === 0 && one.writtenAt !== undefined,
    );
    this.#pending.disconnected();
    for (const one of inDoubt) this.#reject(one, because(fault, { operation: one.operation, executed: 'unknown' }));
  }

  /** No connection for a long time, or ever: nobody is left waiting. */
  gaveUp(fault: AnyDeviceCloudError): void {
    this.#givenUp = fault;
    for (const one of [...this.#pending]) {
      this.#takeBack(one);
      this.#fail(one, because(fault, { operation: one.operation, executed: executedOf(one) }));
    }
  }

  /** The connection closes at this filter, again and again: nobody waits for it any more. */
  convictFilter(filter: string, error: AnyDeviceCloudError, attempts: number): void {
    const waiting = [...this.#pending].filter(({ kind, topics }) => kind === 'subscribe' && topics.includes(filter));
    if (waiting.length === 0) this.#setup.faults.giveUp(error, { operation: error.operation ?? 'subscribe', attempts });
    for (const [at, one] of waiting.entries()) {
      this.#takeBack(one);
      this.#fail(one, at === 0 ? error : because(error, { operation: one.operation, executed: executedOf(one) }));
    }
  }

  /** The connection closes at this stored message, again and again: it is not sent any more. */
  convict(id: number, error: AnyDeviceCloudError, attempts: number): void {
    const one = this.#owners.byId(id);
    if (one) {
      this.#takeBack(one);
      this.#fail(one, error);
    } else {
      this.#setup.client.removeOutgoingMessage(id);
      this.#setup.faults.giveUp(error, { operation: error.operation ?? 'publish', attempts });
    }
  }

  resume(): void {
    this.#givenUp = undefined;
  }

  /** The program ended the client: mqtt.js would leave what is pending for ever. Stored messages stay stored. */
  ended(fault: AnyDeviceCloudError): void {
    for (const one of [...this.#pending])
      this.#reject(one, because(fault, { operation: one.operation, executed: executedOf(one) }));
  }

  /** The caller gave it up: it is taken back, and nobody is told. */
  callOff(callback: Callback): void {
    for (const one of this.#pending) if (one.answer === callback) this.#takeBack(one);
  }

  /** What is pending stays with mqtt.js. */
  detach(): void {
    this.#detached = true;
    this.#pending.clear();
  }

  #submit(one: Pending): unknown {
    const { client } = this.#setup;
    return this.#owners.during(one, () => callCleanly(client, one.kind, one.submit, () => this.#close(one)));
  }

  #open(
    call: Pick<Pending, 'kind' | 'operation' | 'answer' | 'submit' | 'forRequest'>,
    args: readonly unknown[],
  ): Pending {
    const options = call.kind === 'publish' ? args[2] : undefined;
    const qos = typeof options === 'object' && options !== null && 'qos' in options ? Number(options.qos) : 0;
    const one: Pending = {
      ...call,
      qos,
      topics: topicsOf(args[0]),
      since: this.#setup.clock.now(),
      messageIds: [],
      attempts: 0,
      callback: (error, ...rest) => this.#called(one, error, rest),
    };
    this.#owners.add(one);
    this.#pending.add(one);
    return one;
  }

  /** mqtt.js has an answer. */
  #called(one: Pending, raw: unknown, rest: unknown[]): unknown {
    if (this.#detached) return one.answer(raw, ...rest);
    if (!this.#pending.has(one)) return undefined; // settled by a limit
    if (!isClosed(raw)) return this.#finish(one, raw, rest);
    // It flushes before it says why, and amid its own bookkeeping: what comes of it is known a little later.
    queueMicrotask(() => {
      if (this.#detached) return void one.answer(raw, ...rest);
      if (!this.#pending.has(one)) return;
      if (this.#isForgotten(one)) this.#submit(one);
      else this.#finish(one, raw, rest);
    });
    return undefined;
  }

  /**
   * A publish that waited behind the re-sending of the store when the connection was lost again: mqtt.js
   * keeps what was published before and after, and drops this one, unsent.
   */
  #isForgotten(one: Pending): boolean {
    return (
      one.kind === 'publish' &&
      one.attempts === 0 &&
      !this.#givenUp &&
      !this.#setup.client.disconnecting &&
      this.#setup.willReconnect()
    );
  }

  #finish(one: Pending, raw: unknown, rest: unknown[]): unknown {
    this.#close(one);
    const { acks } = this.#setup;
    const packet = rest.find((given) => acks.refusalIn(given)) ?? (raw as { packet?: unknown } | undefined)?.packet;
    const error = acks.refusalIn(packet) ?? (raw ? this.#typed(one, raw) : raw);
    if (isDeviceCloudError(error)) this.#giveUp(one, error);
    return one.answer(error, ...rest);
  }

  #typed(one: Pending, raw: unknown): unknown {
    const { client, faults } = this.#setup;
    const message = raw instanceof Error ? raw.message : '';
    if (message === 'Message removed') return raw; // by the program itself
    const { operation } = one;
    // A SUBSCRIBE that is called off may be sent all the same: mqtt.js subscribes again on the next connection.
    const executed = one.attempts > 0 || one.kind === 'subscribe' ? 'unknown' : 'no';
    if (message === 'client disconnecting') return faults.tell(ended('ClientEnded', operation, executed));
    if (isClosed(raw) && client.disconnecting) return because(this.#setup.endFault(), { operation, executed });
    const reason = this.#reason();
    if (reason && (isClosed(raw) || message === 'No connection to broker' || /suback granted/.test(message)))
      return because(reason, { operation, executed });
    return faults.tell(faults.type(raw, operation));
  }

  #reason(): AnyDeviceCloudError | undefined {
    return this.#setup.fault() ?? this.#lastFault;
  }

  #expire(one: Pending, why: 'unanswered' | 'offline'): void {
    this.#takeBack(one);
    const { operation } = one;
    const executed = executedOf(one);
    const fault = why === 'offline' ? this.#reason() : undefined;
    this.#fail(one, fault ? because(fault, { operation, executed }) : this.#timeOut(one), 'deadline');
  }

  #timeOut(one: Pending): AnyDeviceCloudError {
    const { faults } = this.#setup;
    const scope = one.kind === 'publish' ? 'publish' : 'subscription';
    const error = faults.typeSeen({ timedOut: 'request', scope }, one.operation);
    return faults.tell(conclude(error, { executed: executedOf(one) }));
  }

  #reject(one: Pending, error: AnyDeviceCloudError): void {
    this.#close(one);
    this.#fail(one, error);
  }

  /** From a timer or an event of ours: an exception of the program's callback is its own, in a turn of its own. */
  #fail(one: Pending, error: AnyDeviceCloudError, stopped?: Stopped): void {
    this.#giveUp(one, error, stopped);
    queueMicrotask(() => one.answer(error));
  }

  /** The end of an operation: told once, where no request of ours tells it. */
  #giveUp({ operation, attempts, forRequest }: Pending, error: AnyDeviceCloudError, stopped?: Stopped): void {
    if (!forRequest) this.#setup.faults.giveUp(error, { operation, attempts, stopped });
  }

  #takeBack(one: Pending): void {
    withdraw(this.#setup.client, one, this.#close(one));
  }

  #close(one: Pending): number[] {
    this.#pending.done(one);
    return this.#owners.drop(one);
  }
}

function isClosed(raw: unknown): boolean {
  return raw instanceof Error && raw.message === 'Connection closed';
}

/** May a broker have seen it? */
function executedOf(one: Pending): 'no' | 'unknown' {
  return one.attempts > 0 ? 'unknown' : 'no';
}
