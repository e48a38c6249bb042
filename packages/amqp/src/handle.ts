import { type AnyDeviceCloudError, type FaultEventName, type FaultListener, isDeviceCloudError } from '@faultmap/core';
import { type FaultEvents, optionError, resolveRetryOptions, runOperation } from '@faultmap/core/adapter';
import type { Delivery, Message, Sender } from 'rhea';
import type { AttachedConnection } from './connection.ts';
import {
  AMQP_RETRY_DEFAULTS,
  type RequestOptions,
  type ResolvedOptions,
  resolveCallOptions,
  type SendOptions,
} from './options.ts';
import { isIdempotentRequest } from './request.ts';
import { addressOf, asLink, has, type RheaDelivery } from './rhea.ts';
import { type Call, sendOnce } from './send.ts';
import type { SettleOutcome } from './settlement.ts';

/** A sender of rhea, or of rhea-promise (which wraps one). */
export type AnySender = Sender | { readonly _link: unknown };

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
   * @throws a `DeviceCloudError` 412002 when the lock is lost and the message will come again
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

export function createHandle(setup: HandleSetup): AmqpHandle {
  const { events } = setup;
  return {
    on: (name, listener) => events.on(name, listener),
    off: (name, listener) => events.off(name, listener),
    send: async (sender, message, options) => {
      const link = asLink(sender);
      if (!link?.is_sender()) throw optionError('send', 'sender', 'a sender of rhea', sender);
      const attached = setup.of(link.connection);
      const operation = `send ${addressOf(link) ?? link.name}`;
      const call = resolveCall('send', setup.options, options, operation, false);
      const once = (attempt: Parameters<typeof sendOnce>[4]) =>
        sendOnce(attached.sending(), link, message, call, attempt);
      return (await run(setup, call, once, pacerKey(attached, 'send', addressOf(link)))) as unknown as Delivery;
    },
    settle: async (delivery, outcome) => {
      const link = has(delivery) ? asLink(delivery.link) : undefined;
      if (!link) throw optionError('settle', 'delivery', 'a delivery of rhea', delivery);
      return setup.of(link.connection).settlements.settle(delivery as unknown as RheaDelivery, outcome);
    },
    request: async (address, message, options) => {
      if (typeof address !== 'string' || address === '') throw optionError('request', 'address', 'an address', address);
      const attached = setup.any();
      const body = message as Record<string, unknown>;
      const call = resolveCall('request', setup.options, options, `request ${address}`, isIdempotentRequest(body));
      const once = (attempt: Parameters<typeof sendOnce>[4]) =>
        attached.requests.once(address, body, options ?? {}, call, attempt);
      return (await run(setup, call, once, pacerKey(attached, 'request', address))) as unknown as Message;
    },
    resume: setup.resume,
    detach: setup.detach,
  };
}

function run<T>(
  { events }: HandleSetup,
  { operation, retry }: Call,
  once: (attempt: Parameters<typeof sendOnce>[4]) => Promise<T>,
  key: string,
): Promise<T> {
  return runOperation(once, { ...retry, operation, events, pacerKey: key, hardDeadline: true, classify: typedOnly });
}

/** What is typed is a fault; all else (an abort, a mistake of the program) passes through. */
function typedOnly(raw: unknown): AnyDeviceCloudError | undefined {
  return isDeviceCloudError(raw) ? raw : undefined;
}

function resolveCall(
  owner: 'send' | 'request',
  attached: ResolvedOptions,
  given: RequestOptions | undefined,
  operation: string,
  idempotent: boolean,
): Call {
  const call = resolveCallOptions(owner, given);
  const ofAttachment = resolveRetryOptions('attachAmqp', attached.retry, { ...AMQP_RETRY_DEFAULTS, idempotent });
  const retry = resolveRetryOptions(owner, call.retry, ofAttachment);
  return {
    operation: call.operation ?? operation,
    creditTimeoutMs: call.creditTimeoutMs ?? attached.creditTimeoutMs,
    attemptTimeoutMs: call.attemptTimeoutMs ?? attached.attemptTimeoutMs,
    retry: {
      ...retry,
      idempotent: call.idempotent ?? retry.idempotent,
      signal: call.signal ?? retry.signal,
      clock: retry.clock ?? attached.clock,
      random: retry.random ?? attached.random,
    },
  };
}

/** Target and kind of operation: the cloud throttles each of them apart. */
function pacerKey({ target }: AttachedConnection, kind: string, address: string | undefined): string {
  const first = address?.split('/').find((part) => part !== '') ?? '';
  return `${target} amqp ${kind} ${first}`;
}
