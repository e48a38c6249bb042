import { type AnyDeviceCloudError, type Clock, isDeviceCloudError } from '@faultmap/core';
import {
  type Attempt,
  conclude,
  evidence,
  isForeign,
  RETRY_DEFAULTS,
  type ResolvedRetryOptions,
  readHttpAnswer,
  resolveRetryOptions,
  runOperation,
  sleep,
} from '@faultmap/core/adapter';
import type { IPublishPacket, MqttClient } from 'mqtt';
import { type MqttAnswer, type RawAnswer, readAnswer } from './answer.ts';
import { levelOf } from './client.ts';
import { isPending, pollAfterMs, pollTopic } from './dps.ts';
import { readMqtt } from './evidence.ts';
import { defaultDeadlineMs, type Exchange, exchangeOf, matches, queryOf, withRequestId } from './exchange.ts';
import { because, ended, type Faults } from './faults.ts';
import { label } from './label.ts';
import type { ResolvedMqttOptions } from './options.ts';
import {
  type MqttRequestOptions,
  type RequestPayload,
  type ResolvedRequestOptions,
  resolveRequestOptions,
  toBytes,
} from './request-options.ts';
import { Subscriptions } from './subscriptions.ts';

export interface RequestsSetup {
  readonly client: MqttClient;
  readonly faults: Faults;
  readonly options: ResolvedMqttOptions;
  readonly clock: Clock;
  /** Is the connection up? Throws where none will come soon. */
  readonly isUp: () => boolean;
  /** Publish under the limits of the attachment; returns what calls it off. */
  readonly publish: (topic: string, payload: Buffer, options: object, done: (error: unknown) => void) => () => void;
  readonly subscribe: (filter: string) => Promise<void>;
}

/** One request on its way. */
interface Waiter {
  readonly exchange: Exchange;
  readonly settle: (outcome: { answer: RawAnswer } | { error: unknown }) => void;
  readonly isSent: () => boolean;
}

/** Requests and answers over pairs of topics. */
export class Requests {
  readonly #setup: RequestsSetup;
  readonly #subscriptions: Subscriptions;
  readonly #waiters = new Map<string, Waiter>();
  /** Those who wait for a connection. */
  readonly #offline = new Set<(error?: AnyDeviceCloudError) => void>();
  /** Tells our requests from those of an earlier session, whose answers may still come. */
  readonly #prefix = Math.random().toString(36).slice(2, 8);
  #count = 0;
  #detached = false;

  constructor(setup: RequestsSetup) {
    this.#setup = setup;
    this.#subscriptions = new Subscriptions(setup.subscribe);
  }

  get size(): number {
    return this.#waiters.size + this.#offline.size;
  }

  async request<T>(
    topic: string,
    payload: RequestPayload,
    given: MqttRequestOptions | undefined,
  ): Promise<MqttAnswer<T>> {
    const options = resolveRequestOptions(given, this.#setup.options.attemptTimeoutMs);
    const exchange = exchangeOf(topic, options.responseTopic);
    if (!exchange)
      throw new TypeError(
        'request: option responseTopic: expected where the answer comes, for a topic that is none of $iothub/twin/ or $dps/registrations/',
      );
    const { clock } = this.#setup;
    const retry = this.#retryOf(exchange, options);
    const deadlineAt = clock.now() + retry.deadlineMs;
    const run = (to: string, body: Buffer, idempotent: boolean) =>
      this.#run<T>(exchange, to, body, {
        ...options,
        retry: { ...retry, idempotent, deadlineMs: deadlineAt - clock.now() },
      });
    let answer = await run(topic, toBytes(payload), retry.idempotent ?? exchange.idempotent);
    let poll: string | undefined;
    while (exchange.service === 'dps' && isPending(answer)) {
      poll = pollTopic(answer) ?? poll;
      if (poll === undefined)
        throw this.#failure({ brokenAnswer: true }, topic, 'still assigning, but without an operationId');
      const waitMs = pollAfterMs(answer);
      if (clock.now() + waitMs >= deadlineAt) throw this.#late(topic);
      await sleep(clock, waitMs, options.signal);
      answer = await run(poll, toBytes(undefined), true);
    }
    return answer;
  }

  /** A message came; answers of requests are taken note of, everything is left to the program too. */
  message(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const known = topic.startsWith('$iothub/twin/res/') || topic.startsWith('$dps/registrations/res/');
    if (this.#waiters.size === 0 && !known) return;
    const correlation = packet.properties?.correlationData;
    const rid = correlation ? Buffer.from(correlation).toString('latin1') : queryOf(topic).$rid;
    const waiter = rid === undefined ? undefined : this.#waiters.get(rid);
    const answer: RawAnswer = { topic, payload, properties: packet.properties };
    if (waiter && matches(waiter.exchange.filter, topic)) waiter.settle({ answer });
    else if (known && !rid?.startsWith(this.#prefix)) this.#tellForeign(answer);
  }

  accepted(sessionPresent: boolean): void {
    if (!sessionPresent) this.#subscriptions.newSession();
    for (const wake of [...this.#offline]) wake();
  }

  granted(filter: string): void {
    this.#subscriptions.granted(filter);
  }

  unsubscribed(filter: string): void {
    this.#subscriptions.lost(filter);
  }

  /** The connection is gone: no answer will find its way. Who waits for a connection goes on waiting. */
  lost(fault: AnyDeviceCloudError): void {
    for (const [, waiter] of [...this.#waiters])
      waiter.settle({
        error: because(fault, { operation: 'mqtt.request', executed: waiter.isSent() ? 'unknown' : 'no' }),
      });
  }

  gaveUp(fault: AnyDeviceCloudError): void {
    this.lost(fault);
    for (const wake of [...this.#offline]) wake(because(fault, { operation: 'mqtt.request', executed: 'no' }));
  }

  detach(): void {
    this.#detached = true;
    this.gaveUp(ended('Detached', 'mqtt.connection'));
  }

  #retryOf(
    exchange: Exchange,
    { retry, idempotent }: ResolvedRequestOptions,
  ): ResolvedRetryOptions & { readonly deadlineMs: number } {
    const base = this.#setup.options.retry;
    const deadlineMs = base.deadlineMs ?? defaultDeadlineMs(exchange) ?? RETRY_DEFAULTS.deadlineMs;
    const resolved = resolveRetryOptions('request', retry, { ...base, deadlineMs });
    return {
      ...resolved,
      deadlineMs: resolved.deadlineMs ?? deadlineMs,
      ...(idempotent !== undefined && { idempotent }),
    };
  }

  #run<T>(exchange: Exchange, topic: string, body: Buffer, options: Resolved): Promise<MqttAnswer<T>> {
    const { faults, client } = this.#setup;
    const { signal } = options.retry;
    const kind = options.retry.idempotent ? 'read' : 'write';
    return runOperation((attempt) => this.#attempt<T>(exchange, topic, body, { ...options, attempt }), {
      ...options.retry,
      hardDeadline: true,
      operation: label('request', topic),
      events: faults.events,
      pacerKey: `mqtt:${client.options.host ?? ''}:${exchange.service}:${kind}`,
      classify: (raw) => {
        if (isDeviceCloudError(raw)) return raw;
        if (isForeign(raw) || (signal?.aborted && raw === signal.reason)) return undefined;
        return faults.type(raw, label('request', topic));
      },
    });
  }

  async #attempt<T>(
    exchange: Exchange,
    topic: string,
    body: Buffer,
    options: Resolved & { attempt: Attempt },
  ): Promise<MqttAnswer<T>> {
    const { attempt } = options;
    attempt.unsent();
    await this.#connection(attempt.signal);
    await abortable(this.#subscriptions.ensure(exchange.filter), attempt.signal);
    attempt.sent();
    const raw = await this.#exchange(exchange, topic, body, options);
    return this.#judge<T>(raw, exchange, topic);
  }

  #connection(signal: AbortSignal | undefined): Promise<void> {
    if (this.#detached) return Promise.reject(ended('Detached', 'mqtt.request'));
    if (this.#setup.client.disconnecting) return Promise.reject(ended('ClientEnded', 'mqtt.request'));
    if (this.#setup.isUp()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wake = (error?: AnyDeviceCloudError) => {
        this.#offline.delete(wake);
        signal?.removeEventListener('abort', onAbort);
        if (error) reject(error);
        else resolve();
      };
      const onAbort = () => {
        wake();
        reject(signal?.reason);
      };
      this.#offline.add(wake);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #exchange(
    exchange: Exchange,
    topic: string,
    body: Buffer,
    options: Resolved & { attempt: Attempt },
  ): Promise<RawAnswer> {
    const { client, clock } = this.#setup;
    const { signal } = options.attempt;
    const rid = `${this.#prefix}-${(this.#count++).toString(36)}`;
    const byData = exchange.service === 'other' && levelOf(client) === 5;
    const to = byData ? topic : withRequestId(topic, rid);
    return new Promise((resolve, reject) => {
      let sent = false;
      let callOff = () => {};
      const settle: Waiter['settle'] = (outcome) => {
        if (!this.#waiters.delete(rid)) return;
        cancel();
        signal?.removeEventListener('abort', onAbort);
        if ('answer' in outcome) return resolve(outcome.answer);
        callOff();
        reject(outcome.error);
      };
      const onAbort = () => settle({ error: signal?.reason });
      const cancel = clock.after(options.attemptTimeoutMs, () => settle({ error: this.#unanswered(topic, sent) }));
      this.#waiters.set(rid, { exchange, settle, isSent: () => sent });
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      const properties = byData ? withCorrelation(options.properties, exchange.filter, rid) : options.properties;
      callOff = this.#setup.publish(to, body, { qos: options.qos, ...(properties && { properties }) }, (error) => {
        if (error) settle({ error });
      });
      sent = true;
    });
  }

  #judge<T>(raw: RawAnswer, exchange: Exchange, topic: string): MqttAnswer<T> {
    const { faults } = this.#setup;
    const operation = label('request', topic);
    const seen = readMqtt(raw);
    if (seen) throw faults.type(seen, operation);
    let answer: MqttAnswer<T>;
    try {
      answer = readAnswer<T>(raw, exchange);
    } catch (cause) {
      throw this.#failure({ brokenAnswer: true, cause }, topic, 'the body of the answer is not JSON');
    }
    if (exchange.service !== 'other') return answer;
    const status = answer.properties.status ?? '';
    if (/^0?[1-9a-f][0-9a-f]{2}$/i.test(status) && !/^[1-5]\d\d$/.test(status))
      throw this.#failure({ statusProperty: status.toUpperCase().padStart(4, '0') }, topic, answer.properties.reason);
    const refused = readHttpAnswer({ status: answer.status, headers: answer.properties, body: raw.payload });
    if (refused)
      throw faults.type(
        evidence({
          ...refused,
          transport: 'mqtt',
          httpStatus: undefined,
          answerStatus: answer.status,
          address: raw.topic,
        }),
        operation,
      );
    return answer;
  }

  #failure(seen: object, topic: string, text: string | undefined): AnyDeviceCloudError {
    return this.#setup.faults.typeSeen(
      { scope: 'request', ...seen, ...(text !== undefined && { text }) },
      label('request', topic),
    );
  }

  #unanswered(topic: string, sent: boolean): AnyDeviceCloudError {
    return conclude(this.#failure({ timedOut: 'request' }, topic, 'no answer came'), {
      executed: sent ? 'unknown' : 'no',
    });
  }

  #late(topic: string): AnyDeviceCloudError {
    const error = conclude(this.#failure({ timedOut: 'deadline' }, topic, 'still assigning when the time was over'), {
      stopped: 'deadline',
    });
    this.#setup.faults.tell(error);
    this.#setup.faults.events.emit('give-up', { error, operation: error.operation, stopped: 'deadline' });
    return error;
  }

  /** An answer to a request that the program made by itself. */
  #tellForeign(answer: RawAnswer): void {
    const seen = readMqtt(answer);
    if (seen) this.#setup.faults.tell(this.#setup.faults.type(seen, label('answer', answer.topic)));
  }
}

type Resolved = Omit<ResolvedRequestOptions, 'retry'> & { readonly retry: ResolvedRetryOptions };

function withCorrelation(
  properties: IPublishPacket['properties'],
  filter: string,
  rid: string,
): IPublishPacket['properties'] {
  // A response topic is a name: with wildcards, the other side knows it by itself.
  const responseTopic = /[+#]/.test(filter) ? undefined : filter;
  return {
    ...properties,
    ...(responseTopic !== undefined && { responseTopic }),
    correlationData: Buffer.from(rid, 'latin1'),
  };
}

function abortable<T>(pending: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return pending;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    pending.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
