import { type AnyDeviceCloudError, type FaultEventName, type FaultListener, isDeviceCloudError } from '@faultmap/core';
import {
  type Attempt,
  type FaultEvents,
  type OperationOptions,
  optionError,
  type ResolvedRetryOptions,
  resolveRetryOptions,
  runOperation,
} from '@faultmap/core/adapter';
import type { Delivery, Message, Sender } from 'rhea';
import type { AttachedConnection } from './connection.ts';
import {
  AMQP_RETRY_DEFAULTS,
  type RequestOptions,
  type ResolvedOptions,
  resolveCallOptions,
  type SendOptions,
} from './options.ts';
import type { SettleOutcome } from './outcome.ts';
import { isIdempotentRequest } from './request.ts';
import { addressOf, asLink, has, type RheaDelivery } from './rhea.ts';
import { type Call, sendOnce } from './send.ts';

/** A sender of rhea, or of rhea-promise (which wraps one). */
export type AnySender = Sender | { isOpen(): boolean; sendable(): boolean };

/** What `attachAmqp` returns. */
export interface AmqpHandle {
  /** `fault`, `retry`, `give-up`, `recovered`. */
  on(name: FaultEventName, listener: FaultListener): void;
  off(name: FaultEventName, listener: FaultListener): void;
  /**
   * Send a message and wait for its outcome. Waits for an open link with credit, repeats what is
   * safe to repeat, attaches the link again when the peer detached it for a passing reason.
   *
   * @returns the accepted delivery; for a pre-settled link (`snd_settle_mode: 1`) at once
   * @throws a `DeviceCloudError`: rejected, released, modified, or lost with the link, session or
   *   connection (`executed` says whether it may have arrived); `signal.reason` when aborted
   */
  send(sender: AnySender, message: Message, options?: SendOptions): Promise<Delivery>;
  /**
   * Settle a received message.
   *
   * @returns when it is settled; with `rcv_settle_mode: 1`, when the peer has confirmed it
   * @throws a `DeviceCloudError` 412002 when the lock is lost and the message will come again; TypeError
   *   when it was settled otherwise before, by `autoaccept` (rhea's default) for instance
   */
  settle(delivery: Delivery, outcome: SettleOutcome): Promise<void>;
  /**
   * Send a request to a node that answers (`$cbs`, a management node, a twin) and wait for the
   * answer. Links are opened on first use and kept.
   *
   * @returns the answer message, of a status below 300 or without one
   * @throws a `DeviceCloudError` for a status of failure, or when no answer can come any more
   */
  request(address: string, message: Message | object, options?: RequestOptions): Promise<Message>;
  /** Connect at once instead of waiting, and after giving up. */
  resume(): void;
  /** Take everything off; what still waits is rejected with an `AbortError`. */
  detach(): void;
}

/** Finds the attachment of a connection, for what is to be done on it. */
export interface HandleSetup {
  readonly events: FaultEvents;
  readonly options: ResolvedOptions;
  readonly of: (connection: unknown) => AttachedConnection;
  readonly any: () => AttachedConnection;
  readonly resume: () => void;
  readonly detach: () => void;
}

type Once<T> = (attempt: Attempt) => Promise<T>;

export function createHandle(setup: HandleSetup): AmqpHandle {
  const { events, resume, detach } = setup;
  const calls = new Calls(setup);
  return {
    on: (name, listener) => events.on(name, listener),
    off: (name, listener) => events.off(name, listener),
    send: (sender, message, options) => calls.send(sender, message, options),
    request: (address, message, options) => calls.request(address, message, options),
    settle: (delivery, outcome) => calls.settle(delivery, outcome),
    resume,
    detach,
  };
}

/** The operations of a handle, each under retry. */
class Calls {
  readonly #setup: HandleSetup;
  readonly #retry: ResolvedRetryOptions;

  constructor(setup: HandleSetup) {
    this.#setup = setup;
    this.#retry = resolveRetryOptions('attachAmqp', setup.options.retry, AMQP_RETRY_DEFAULTS);
  }

  async send(sender: unknown, message: unknown, options: SendOptions | undefined): Promise<Delivery> {
    const link = asLink(sender);
    if (!link?.is_sender()) throw optionError('send', 'sender', 'a sender of rhea', sender);
    const connection = this.#setup.of(link.connection);
    const address = addressOf(link);
    const call = this.#call('send', options, `send ${address ?? link.name}`, false);
    const once: Once<RheaDelivery> = (attempt) => sendOnce(connection.sending(), link, message, call, attempt);
    const delivery = await this.#run(call, once, pacerKeyOf(connection, 'send', address), connection.renew);
    return delivery as unknown as Delivery;
  }

  async request(address: unknown, message: unknown, options: RequestOptions | undefined): Promise<Message> {
    if (typeof address !== 'string' || address === '') throw optionError('request', 'address', 'an address', address);
    if (!has(message)) throw optionError('request', 'message', 'a message', message);
    const connection = this.#setup.any();
    const call = this.#call('request', options, `request ${address}`, isIdempotentRequest(message));
    const once: Once<object> = (attempt) => connection.requests.once(address, message, options ?? {}, call, attempt);
    // The token that `$cbs` refuses is in the message itself.
    const renew = address === '$cbs' ? undefined : connection.renew;
    return (await this.#run(call, once, pacerKeyOf(connection, 'request', address), renew)) as Message;
  }

  async settle(delivery: unknown, outcome: SettleOutcome): Promise<void> {
    const link = has(delivery) ? asLink(delivery.link) : undefined;
    if (!link?.is_receiver()) throw optionError('settle', 'delivery', 'a received delivery of rhea', delivery);
    return this.#setup.of(link.connection).settlements.settle(delivery as unknown as RheaDelivery, outcome);
  }

  #run<T>(call: Call, once: Once<T>, pacerKey: string, renew: OperationOptions['renew']): Promise<T> {
    return runOperation(once, {
      ...call.retry,
      operation: call.operation,
      events: this.#setup.events,
      pacerKey,
      renew,
      hardDeadline: true,
      classify: typedOnly,
    });
  }

  /** Options of one call over those of the attachment. */
  #call(owner: 'send' | 'request', given: RequestOptions | undefined, operation: string, safe: boolean): Call {
    const attached = this.#setup.options;
    const call = resolveCallOptions(owner, given);
    const retry = resolveRetryOptions(owner, call.retry, this.#retry);
    return {
      operation: call.operation ?? operation,
      creditTimeoutMs: call.creditTimeoutMs ?? attached.creditTimeoutMs,
      attemptTimeoutMs: call.attemptTimeoutMs ?? attached.attemptTimeoutMs,
      retry: {
        ...retry,
        idempotent: call.idempotent ?? retry.idempotent ?? safe,
        signal: call.signal ?? retry.signal,
        clock: retry.clock ?? attached.clock,
        random: retry.random ?? attached.random,
      },
    };
  }
}

/** What is typed is a fault; all else (an abort, a mistake of the program) passes through. */
function typedOnly(raw: unknown): AnyDeviceCloudError | undefined {
  return isDeviceCloudError(raw) ? raw : undefined;
}

/** Target and kind of operation: the cloud throttles each of them apart. */
function pacerKeyOf({ target }: AttachedConnection, kind: string, address: string | undefined): string {
  const first = address?.split('/').find((part) => part !== '') ?? '';
  return `${target} amqp ${kind} ${first}`;
}
