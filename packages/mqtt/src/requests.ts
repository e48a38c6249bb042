import { type AnyDeviceCloudError, type Clock, isDeviceCloudError } from '@faultmap/core';
import {
  type Attempt,
  conclude,
  isForeign,
  optionError,
  RETRY_DEFAULTS,
  type ResolvedRetryOptions,
  resolveRetryOptions,
  runOperation,
  sleep,
} from '@faultmap/core/adapter';
import type { IPublishPacket, MqttClient } from 'mqtt';
import type { MqttAnswer } from './answer.ts';
import { levelOf } from './client.ts';
import { isPending, pollAfterMs, pollTopic } from './dps.ts';
import { defaultDeadlineMs, type Exchange, exchangeOf, isAnswerTopic, withRequestId } from './exchange.ts';
import { because, ended, type Faults } from './faults.ts';
import { judgeAnswer } from './judge-answer.ts';
import { label } from './label.ts';
import type { ResolvedMqttOptions } from './options.ts';
import { abortable, Readiness } from './readiness.ts';
import {
  type MqttRequestOptions,
  type RequestPayload,
  type ResolvedRequestOptions,
  resolveRequestOptions,
  toBytes,
} from './request-options.ts';
import { Subscriptions } from './subscriptions.ts';
import { isTopic } from './topics.ts';
import { Waiters } from './waiters.ts';

export interface RequestsSetup {
  readonly client: MqttClient;
  readonly faults: Faults;
  readonly options: ResolvedMqttOptions;
  readonly clock: Clock;
  readonly isUp: () => boolean;
  /** Publish under the limits of the attachment; returns what takes it back. */
  readonly publish: (topic: string, payload: Buffer, options: object, done: (error: unknown) => void) => () => void;
  readonly subscribe: (filter: string) => Promise<void>;
}

/** A call of `request`, over all its attempts and polls. */
interface Call {
  readonly exchange: Exchange;
  readonly operation: string;
  readonly options: ResolvedRequestOptions;
  readonly retry: ResolvedRetryOptions;
  readonly deadlineAt: number;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Aborted by the caller, and when nothing can come of it any more. */
  readonly controller: AbortController;
  /** Was anything of it written? */
  sent: boolean;
}

/** Requests and answers over pairs of topics. */
export class Requests {
  readonly #setup: RequestsSetup;
  readonly #subscriptions: Subscriptions;
  readonly #waiters: Waiters;
  readonly #readiness: Readiness;
  readonly #calls = new Set<Call>();
  #closed: 'Detached' | undefined;

  constructor(setup: RequestsSetup) {
    this.#setup = setup;
    this.#subscriptions = new Subscriptions(setup.subscribe);
    this.#waiters = new Waiters(setup.clock);
    this.#readiness = new Readiness(setup.isUp);
  }

  get size(): number {
    return this.#calls.size;
  }

  async request<T>(topic: string, payload: RequestPayload, given?: MqttRequestOptions): Promise<MqttAnswer<T>> {
    const call = this.#open(topic, resolveRequestOptions(given, this.#setup.options.attemptTimeoutMs));
    const { signal } = call;
    const forward = () => call.controller.abort(signal?.reason);
    this.#calls.add(call);
    signal?.addEventListener('abort', forward, { once: true });
    if (signal?.aborted) forward();
    try {
      const answer = await this.#run<T>(call, topic, toBytes(payload));
      return call.exchange.service === 'dps' ? await this.#poll(call, answer) : answer;
    } finally {
      this.#calls.delete(call);
      signal?.removeEventListener('abort', forward);
    }
  }

  /**
   * A message came; it is left to the program too.
   *
   * @returns it was the answer to a request of ours, though perhaps a late one
   */
  message(topic: string, payload: Buffer, packet: IPublishPacket): boolean {
    if (this.#waiters.size === 0 && !isAnswerTopic(topic)) return false;
    return this.#waiters.message(topic, payload, packet) !== 'foreign';
  }

  accepted(sessionPresent: boolean): void {
    if (!sessionPresent) this.#subscriptions.newSession();
    this.#readiness.up();
  }

  granted(filter: string): void {
    this.#subscriptions.granted(filter);
  }

  unsubscribed(filter: string): void {
    this.#subscriptions.lost(filter);
  }

  /** The connection is gone: no answer will find its way. Who waits for a connection goes on waiting. */
  lost(fault: AnyDeviceCloudError): void {
    this.#waiters.failAll((operation) => because(fault, { operation, executed: 'unknown' }));
  }

  /** No connection for a long time, or ever. */
  gaveUp(fault: AnyDeviceCloudError): void {
    this.lost(fault);
    this.#readiness.giveUp((operation) => because(fault, { operation, executed: 'no' }));
  }

  resume(): void {
    this.#readiness.hope();
  }

  /** The program ended the client. */
  ended(fault: AnyDeviceCloudError): void {
    this.#abort((call) => because(fault, { operation: call.operation, executed: call.sent ? 'unknown' : 'no' }));
  }

  detach(): void {
    this.#closed = 'Detached';
    this.#abort((call) => ended('Detached', call.operation, call.sent ? 'unknown' : 'no'));
  }

  #abort(reason: (call: Call) => AnyDeviceCloudError): void {
    for (const call of [...this.#calls]) call.controller.abort(reason(call));
  }

  #open(topic: string, options: ResolvedRequestOptions): Call {
    // A broker closes at it [MQTT-3.3.2-2], again and again, and mqtt.js lets it through.
    if (!isTopic(topic)) throw optionError('request', 'topic', 'a topic without wildcards', topic);
    const exchange = exchangeOf(topic, options.responseTopic);
    if (!exchange)
      throw new TypeError(
        'request: option responseTopic: expected where the answer comes, for a topic that is none of $iothub/twin/ or $dps/registrations/',
      );
    const operation = label('request', topic);
    const controller = new AbortController();
    const { clock, client } = this.#setup;
    const why = this.#closed ?? (client.disconnecting ? 'ClientEnded' : undefined);
    if (why) throw ended(why, operation);
    const base = this.#setup.options.retry;
    const deadlineMs = base.deadlineMs ?? defaultDeadlineMs(exchange) ?? RETRY_DEFAULTS.deadlineMs;
    const given = resolveRetryOptions('request', options.retry, { ...base, deadlineMs });
    const idempotent = options.idempotent ?? given.idempotent ?? exchange.idempotent;
    const retry = { ...given, idempotent, signal: controller.signal };
    const deadlineAt = clock.now() + (given.deadlineMs ?? deadlineMs);
    return {
      exchange,
      operation,
      options,
      retry,
      deadlineAt,
      controller,
      signal: options.signal ?? base.signal,
      sent: false,
    };
  }

  #run<T>(call: Call, topic: string, body: Buffer): Promise<MqttAnswer<T>> {
    const { faults, client, clock } = this.#setup;
    const { operation, exchange, retry } = call;
    const { host = '', port = '' } = client.options;
    const { signal } = call.controller;
    return runOperation((attempt) => this.#attempt<T>(call, topic, body, attempt), {
      ...retry,
      deadlineMs: call.deadlineAt - clock.now(),
      hardDeadline: true,
      operation,
      events: faults.events,
      pacerKey: `mqtt:${host}:${port}:${exchange.service}:${retry.idempotent ? 'read' : 'write'}`,
      classify: (raw) => {
        // Not a fault of the cloud: the caller's own doing passes through.
        if (signal.aborted && raw === signal.reason) return undefined;
        if (isDeviceCloudError(raw)) return raw;
        return isForeign(raw) ? undefined : faults.type(raw, operation);
      },
    });
  }

  async #attempt<T>(call: Call, topic: string, body: Buffer, attempt: Attempt): Promise<MqttAnswer<T>> {
    const { exchange, operation, options } = call;
    const { client, faults } = this.#setup;
    const { signal } = attempt;
    attempt.unsent();
    await this.#readiness.wait(signal, operation);
    await abortable(this.#subscribed(exchange.filter, operation), signal);
    attempt.sent();
    call.sent = true;
    const byData = exchange.service === 'other' && levelOf(client) === 5;
    const raw = await this.#waiters.wait(exchange, {
      operation,
      timeoutMs: options.attemptTimeoutMs,
      signal,
      unanswered: () => faults.typeSeen({ scope: 'request', timedOut: 'request', text: 'no answer came' }, operation),
      send: (rid, failed) => {
        const to = byData ? topic : withRequestId(topic, rid);
        const properties = byData ? withCorrelation(options.properties, exchange.filter, rid) : options.properties;
        const how = { qos: options.qos, ...(properties && { properties }) };
        return this.#setup.publish(to, body, how, (error) => error && failed(ofRequest(error, operation)));
      },
    });
    return judgeAnswer<T>(raw, exchange, faults, operation);
  }

  #subscribed(filter: string, operation: string): Promise<void> {
    // Whatever became of the SUBSCRIBE: of the request nothing was written.
    return this.#subscriptions.ensure(filter).catch((error: unknown) => {
      throw isDeviceCloudError(error) ? because(error, { operation, executed: 'no' }) : error;
    });
  }

  async #poll<T>(call: Call, first: MqttAnswer<T>): Promise<MqttAnswer<T>> {
    const { clock } = this.#setup;
    let answer = first;
    let topic: string | undefined;
    while (isPending(answer)) {
      topic = pollTopic(answer) ?? topic;
      if (topic === undefined) throw this.#unpollable(call);
      const waitMs = pollAfterMs(answer);
      if (clock.now() + waitMs >= call.deadlineAt) throw this.#late(call);
      await sleep(clock, waitMs, call.controller.signal);
      answer = await this.#run<T>(call, topic, toBytes(undefined));
    }
    return answer;
  }

  #unpollable({ operation }: Call): AnyDeviceCloudError {
    const text = 'still assigning, but without an operationId';
    return this.#giveUp(
      this.#setup.faults.typeSeen({ scope: 'request', brokenAnswer: true, text }, operation),
      'not-transient',
    );
  }

  #late({ operation }: Call): AnyDeviceCloudError {
    const text = 'still assigning when the time was over';
    return this.#giveUp(
      this.#setup.faults.typeSeen({ scope: 'request', timedOut: 'deadline', text }, operation),
      'deadline',
    );
  }

  #giveUp(error: AnyDeviceCloudError, stopped: 'deadline' | 'not-transient'): AnyDeviceCloudError {
    const { faults } = this.#setup;
    faults.tell(conclude(error, { stopped }));
    faults.events.emit('give-up', { error, operation: error.operation, stopped });
    return error;
  }
}

/** What publishing or subscribing failed with was told: the request that fails with it is no second fault. */
function ofRequest(error: unknown, operation: string): unknown {
  if (!isDeviceCloudError(error)) return error;
  return because(error, { operation, executed: error.executed === 'no' ? 'no' : 'unknown' });
}

function withCorrelation(
  properties: IPublishPacket['properties'],
  filter: string,
  rid: string,
): IPublishPacket['properties'] {
  // A response topic is a name: with wildcards, the other side knows it by itself.
  const responseTopic = isTopic(filter) ? filter : undefined;
  return {
    ...properties,
    ...(responseTopic !== undefined && { responseTopic }),
    correlationData: Buffer.from(rid, 'latin1'),
  };
}
