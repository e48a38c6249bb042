import type { AnyDeviceCloudError, Clock, RetryOptions } from '@faultmap/core';
import { type Attempt, conclude, evidence, type FaultEvents, makeError } from '@faultmap/core/adapter';
import type { Faults } from './faults.ts';
import type { Links } from './links.ts';
import type { PendingSends } from './pending.ts';
import { addressOf, outcomeOf, type RheaDelivery, type RheaLink } from './rhea.ts';

export interface SendSetup {
  readonly faults: Faults;
  readonly links: Links;
  readonly pending: PendingSends;
  readonly events: FaultEvents;
  readonly clock: Clock;
}

export interface Limits {
  readonly creditTimeoutMs: number;
  readonly attemptTimeoutMs: number;
}

/** Checked options of one call. */
export interface Call extends Limits {
  readonly operation: string;
  readonly retry: RetryOptions & { readonly disabled?: boolean | undefined };
}

/** One attempt to send: waits for an open link with credit, writes, waits for the outcome. */
export async function sendOnce(
  setup: SendSetup,
  link: RheaLink,
  message: unknown,
  { operation, creditTimeoutMs, attemptTimeoutMs }: Pick<Call, 'operation' | keyof Limits>,
  attempt: Attempt,
): Promise<RheaDelivery> {
  attempt.unsent();
  await setup.links.usable(link, operation);
  setup.links.present(operation);
  return new Promise((resolve, reject) => {
    const sending = new Sending(setup, link, message, operation, attempt, { resolve, reject });
    sending.begin(creditTimeoutMs, attemptTimeoutMs);
  });
}

interface Ends {
  resolve(delivery: RheaDelivery): void;
  reject(reason: unknown): void;
}

class Sending {
  readonly #setup: SendSetup;
  readonly #link: RheaLink;
  readonly #message: unknown;
  readonly #operation: string;
  readonly #attempt: Attempt;
  readonly #ends: Ends;
  #attemptTimeoutMs = 0;
  /** Takes back whatever is waited for. */
  readonly #release = new Set<() => void>();

  constructor(setup: SendSetup, link: RheaLink, message: unknown, operation: string, attempt: Attempt, ends: Ends) {
    this.#setup = setup;
    this.#link = link;
    this.#message = message;
    this.#operation = operation;
    this.#attempt = attempt;
    this.#ends = ends;
  }

  begin(creditTimeoutMs: number, attemptTimeoutMs: number): void {
    this.#attemptTimeoutMs = attemptTimeoutMs;
    const { signal } = this.#attempt;
    if (signal?.aborted) {
      this.#fail(signal.reason);
      return;
    }
    const onAbort = () => this.#fail(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#release.add(() => signal?.removeEventListener('abort', onAbort));
    const cancel = this.#setup.clock.after(creditTimeoutMs, () => this.#fail(this.#noCredit(creditTimeoutMs)));
    this.#release.add(cancel);
    const leave = this.#setup.links.queue(this.#link).add({
      go: () => {
        cancel();
        this.#write();
      },
      fail: (fault) => this.#fail(this.#setup.links.refusal(fault, this.#operation)),
      stop: (reason) => this.#fail(reason),
    });
    this.#release.add(leave);
  }

  #write(): void {
    const { pending, links, clock } = this.#setup;
    let delivery: RheaDelivery;
    try {
      delivery = (this.#link.send as (message: unknown) => RheaDelivery).call(this.#link, this.#message);
    } catch (thrown) {
      this.#fail(this.#notTaken(thrown));
      return;
    }
    this.#attempt.sent();
    links.queue(this.#link).handed(delivery);
    // Pre-settled: there will be no outcome.
    if (delivery.settled) {
      this.#succeed(delivery);
      return;
    }
    const expire = () => this.#fail(this.#expired());
    this.#release.add(clock.after(this.#attemptTimeoutMs, expire));
    const forget = pending.add(delivery, (end) => {
      if (end === 'outcome') this.#settled(delivery);
      else if ('stop' in end) this.#fail(end.stop);
      else this.#fail(this.#setup.faults.follow(end.fault, { operation: this.#operation, executed: end.executed }));
    });
    this.#release.add(forget);
  }

  #settled(delivery: RheaDelivery): void {
    const outcome = outcomeOf(delivery);
    if (outcome !== 'accepted') {
      const seen = { event: outcome ?? 'settled', payload: { delivery } };
      this.#fail(this.#setup.faults.typed(seen, this.#operation));
      return;
    }
    if (this.#link.get_option('autosettle', true)) settleAccepted(delivery);
    this.#succeed(delivery);
  }

  #succeed(delivery: RheaDelivery): void {
    this.#clear();
    this.#ends.resolve(delivery);
  }

  #fail(reason: unknown): void {
    this.#clear();
    this.#ends.reject(reason);
  }

  #clear(): void {
    for (const release of this.#release) release();
    this.#release.clear();
  }

  #noCredit(ms: number): AnyDeviceCloudError {
    const seen = this.#link.is_open()
      ? { condition: 'client.sender:not-enough-link-credit', text: `the peer gave no credit within ${ms} ms` }
      : this.#notOpen(ms);
    return conclude(this.#local(seen), { executed: 'no' });
  }

  #notOpen(ms: number) {
    const { cause, because } = this.#setup.faults.behind(this.#link);
    const text = `the link was not open within ${ms} ms${because}`;
    return { condition: 'client.sender:link-not-ready', text, ...(cause && { cause }) };
  }

  #expired(): AnyDeviceCloudError {
    const text = `no outcome within ${this.#attemptTimeoutMs} ms`;
    return conclude(this.#local({ timedOut: 'request', text }), { executed: 'unknown' });
  }

  #local(fields: { condition?: string; text: string; timedOut?: 'request'; cause?: unknown }): AnyDeviceCloudError {
    const address = addressOf(this.#link);
    const place = { transport: 'amqp', scope: 'delivery', direction: 'send', local: true } as const;
    const seen = evidence({ ...place, ...(address === undefined ? {} : { address }), ...fields });
    return this.#setup.faults.typed(seen, this.#operation);
  }

  /** rhea throws at once: its buffer is full, or the message cannot be encoded. */
  #notTaken(thrown: unknown): AnyDeviceCloudError {
    const text = thrown instanceof Error ? thrown.message : '';
    if (text.startsWith('circular buffer overflow'))
      return conclude(
        this.#local({ condition: 'client.sender:not-enough-link-credit', text: 'too many deliveries are unsettled' }),
        { executed: 'no' },
      );
    // Not as the cause: its message may quote the body.
    const name = thrown instanceof Error ? thrown.name : typeof thrown;
    return makeError('bad-request', {
      reason: 'NotEncodable',
      advice: 'never',
      executed: 'no',
      transport: 'amqp',
      scope: 'delivery',
      operation: this.#operation,
      detail: `the message cannot be encoded (${name}: ${text.replace(/[:{["'].*$/s, '').trim()})`,
    });
  }
}

/**
 * Accepted, but the peer waits for this side to settle first (rcv-settle-mode second): rhea would
 * keep the delivery for ever, and 2,048 of them fill its buffer. The peer need not answer.
 */
function settleAccepted(delivery: RheaDelivery): void {
  if (delivery.remote_settled) return;
  // When the application's own listeners have seen it as it came.
  queueMicrotask(() => {
    if (delivery.remote_settled || delivery.settled) return;
    const state = delivery.remote_state as { described?: () => unknown } | undefined;
    delivery.update(true, state?.described?.());
    delivery.remote_settled = true;
  });
}
