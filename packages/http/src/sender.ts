import { type AnyDeviceCloudError, isDeviceCloudError } from '@faultmap/core';
import {
  type Attempt,
  conclude,
  endAtOnce,
  type FaultEvents,
  isCancellation,
  isHopeless,
  type OperationOptions,
  redact,
  runOperation,
  systemClock,
} from '@faultmap/core/adapter';
import type { AxiosAdapter, AxiosPromise, AxiosResponse } from 'axios';
import { type AdapterOption, brand, MARK, type MarkedConfig, resolveAdapter, type Sender } from './adapter.ts';
import { isFailedRequest } from './axios-error.ts';
import { isReplayable, release } from './body.ts';
import { FreshHeaders } from './credentials.ts';
import { type AfterFailure, Flights, type Landing } from './flights.ts';
import { Gates } from './gates.ts';
import { headerOf, idempotentByHttp } from './idempotency.ts';
import { garbledError, isGarbled } from './json.ts';
import { describe } from './operation.ts';
import { type RequestOptions, type ResolvedHttpOptions, resolveRequestOptions } from './options.ts';
import { callerSignal, carrySignal, restoreSignal } from './signals.ts';
import { TypedErrors } from './typed-errors.ts';

/** A first attempt that failed, and when its request was made. */
type FirstFailure = NonNullable<OperationOptions['firstFailure']>;
type NotedFailure = FirstFailure & { readonly error: AnyDeviceCloudError };

/** Sends the requests of one attachment: the first attempt as axios would, the rest under retry. */
export class HttpSender implements Sender {
  readonly #options: ResolvedHttpOptions;
  readonly #events: FaultEvents;
  readonly #errors: TypedErrors;
  readonly #gates: Gates;
  readonly #credentials: FreshHeaders | undefined;
  /** Of a request that says nothing for itself. */
  readonly #request: RequestOptions;
  readonly #stamps: boolean;
  readonly #since: number;

  constructor(options: ResolvedHttpOptions, events: FaultEvents) {
    const { credentials, catalogues, pacerKey, retry } = options;
    this.#options = options;
    this.#events = events;
    this.#request = { retry };
    this.#since = (retry.clock ?? systemClock).now();
    this.#stamps = (options.attemptHeader ?? options.requestIdHeader) !== undefined;
    this.#errors = new TypedErrors(catalogues);
    this.#gates = new Gates(retry, pacerKey);
    this.#credentials = credentials && new FreshHeaders(credentials, retry.clock);
    // Let go before the wait, not after it: others may wait for that socket.
    events.on('retry', ({ error }) => release(this.#errors.responseOf(error)?.data));
  }

  /** The adapter with the retry around it, for whoever stands between it and axios. */
  wrap(adapter: AdapterOption): AxiosAdapter {
    return brand((config: MarkedConfig) => this.#run(resolveAdapter(adapter, config), config));
  }

  /**
   * The same for axios itself, which sends nearly every request by it. What a success costs is all
   * here and in `Flights`, so both are written tight.
   *
   * @param face - what is seen of it from outside
   * @param types - its errors are typed already: no interceptor of ours comes after it
   */
  direct(adapter: AdapterOption, face: AxiosAdapter, types: boolean): AxiosAdapter {
    const { clock = systemClock } = this.#options.retry;
    const flights = new Flights(this.#landing(adapter), types ? (raw) => this.typed(raw) : undefined);
    const send = (config: MarkedConfig): AxiosPromise => {
      if (!types) {
        // For adapters that interceptors put in: they did not.
        if (config[MARK]) delete config[MARK];
        // An interceptor wrapped it.
        if (config.adapter !== acting) return this.#run(resolveAdapter(adapter, config), config);
      }
      // It may be sent again elsewhere, as `response.config`: then it is no longer ours.
      config.adapter = face;
      this.#credentials?.replace(config);
      const { retry } = this.#requestOptions(config);
      // Whole ms since a near time: a number that V8 keeps without an allocation.
      const at = Math.trunc(clock.now() - this.#since);
      const gate = this.#gates.gateOf(config, retry, at);
      const inner = resolveAdapter(adapter, config);
      if (gate?.free === false || retry.clock !== this.#request.retry.clock)
        return flights.pass(this.#run(inner, config));
      if (this.#stamps) this.#stamp(config, 1);
      const sent = call(inner, config);
      if (gate) gate.inFlight++;
      return flights.follow(sent, config, at, gate);
    };
    const acting = (config: MarkedConfig): AxiosPromise => {
      try {
        return send(config);
      } catch (thrown) {
        // Not thrown: then older axios leaves out the interceptors of the answer.
        return Promise.reject(types ? this.typed(thrown) : thrown);
      }
    };
    return brand(acting);
  }

  #landing(adapter: AdapterOption): Landing {
    const since = this.#since;
    const checks = this.#options.checkJson !== false;
    const failed: Landing['failed'] = (config, raw, at) =>
      this.#firstFailed(adapter, config, { raw, startedAt: since + at });
    return {
      failed,
      isBroken: (config, response) => checks && isGarbled(config, response),
      broken: (config, response, at) => failed(config, garbledError(config, response), at),
      succeeded: (gate, at) => gate?.report(since + at, 'success'),
    };
  }

  /** Nothing is remembered any more. */
  forget(): void {
    this.#credentials?.forget();
  }

  #requestOptions(config: MarkedConfig): RequestOptions {
    return config.faultmap === undefined ? this.#request : resolveRequestOptions(config.faultmap, this.#options.retry);
  }

  /** What an application gets instead of what axios rejected with; what is not axios' passes. */
  typed(raw: unknown): unknown {
    if (typeof raw !== 'object' || raw === null || isDeviceCloudError(raw)) return raw;
    const { config } = raw as { config?: MarkedConfig };
    if (config?.[MARK]) delete config[MARK];
    if (isCancellation(raw)) return raw;
    return this.#errors.announced(raw) ?? (isFailedRequest(raw) ? this.#late(raw) : undefined) ?? raw;
  }

  /** A failure that never came by the adapter: of one given per request, or of a transform. */
  #late(raw: object): AnyDeviceCloudError | undefined {
    const { config } = raw as { config?: MarkedConfig };
    const error = this.#errors.make(raw, config && (config.faultmap?.operation ?? describe(config)));
    if (error === undefined) return undefined;
    const { operation } = error;
    const stopped = error.transient ? 'disabled' : 'not-transient';
    conclude(error, { attempts: 1, waitsMs: [], stopped });
    this.#events.emit('fault', { error, operation, attempt: 1 });
    this.#events.emit('give-up', { error, operation, attempt: 1, stopped });
    return error;
  }

  /** Most failures end here, without a promise more than axios makes. */
  #firstFailed(adapter: AdapterOption, config: MarkedConfig, firstFailure: FirstFailure): AfterFailure {
    const { operation = describe(config), retry } = this.#requestOptions(config);
    const error = this.#errors.make(firstFailure.raw, operation);
    const { disabled, shouldRetry, throttledBaseDelayMs } = retry;
    if (error && !isHopeless(error, { disabled, shouldRetry, renew: this.#credentials }))
      return { again: this.#run(resolveAdapter(adapter, config), config, { ...firstFailure, error }) };
    const gate = this.#gates.gateOf(config, retry, firstFailure.startedAt - this.#since);
    if (error === undefined) {
      gate?.report(firstFailure.startedAt, 'void');
      return { raw: firstFailure.raw };
    }
    const options = { events: this.#events, operation: error.operation, disabled, throttledBaseDelayMs };
    endAtOnce(error, options, firstFailure.startedAt, gate);
    // Not thrown: V8 looks for the place of each `throw` (measured: a twentieth of a failing call).
    return { raw: this.#errors.announce(error) };
  }

  /** Under retry, from the first attempt's failure on, or from before it where it has to wait for its turn. */
  async #run(inner: AxiosAdapter, config: MarkedConfig, firstFailure?: NotedFailure): Promise<AxiosResponse> {
    const own = config.signal;
    const caller = callerSignal(config);
    const renewal = this.#renewal(config);
    try {
      const attempt = this.#attempts(inner, config, own);
      const options = this.#operationOptions(config, this.#requestOptions(config), firstFailure?.error);
      const response = await runOperation(attempt, {
        ...options,
        renew: renewal?.renew,
        signal: caller.signal,
        firstFailure,
      });
      renewal?.succeeded();
      return response;
    } catch (ended) {
      renewal?.failed(ended);
      throw this.#errors.announce(ended);
    } finally {
      caller.release();
      restoreSignal(config, own);
    }
  }

  /** Fresh credentials for one request, and what becomes of them. */
  #renewal(config: MarkedConfig) {
    const credentials = this.#credentials;
    if (credentials === undefined) return undefined;
    let settle: ((accepted: boolean) => void) | undefined;
    return {
      renew: async (refusal: Parameters<NonNullable<OperationOptions['renew']>>[0]) => {
        settle = await credentials.renew(config, refusal);
        return settle !== undefined;
      },
      succeeded: () => settle?.(true),
      failed: (ended: unknown) => {
        if (isDeviceCloudError(ended) && ended.advice === 'renew-credentials') settle?.(false);
      },
    };
  }

  #attempts(inner: AxiosAdapter, config: MarkedConfig, own: MarkedConfig['signal']) {
    return async (attempt: Attempt): Promise<AxiosResponse> => {
      this.#credentials?.replace(config);
      this.#stamp(config, attempt.number);
      carrySignal(config, own, attempt);
      const response = await inner(config);
      if (this.#options.checkJson !== false && isGarbled(config, response)) throw garbledError(config, response);
      return response;
    };
  }

  /** @param noted - the typed error of the first failure, which is asked for first */
  #operationOptions(
    config: MarkedConfig,
    request: RequestOptions,
    noted: AnyDeviceCloudError | undefined,
  ): OperationOptions & RequestOptions['retry'] {
    const { retry } = request;
    const operation = noted?.operation ?? redact(request.operation ?? describe(config));
    let first = noted;
    return {
      ...retry,
      operation,
      idempotent: this.#isIdempotent(config, request),
      replayable: isReplayable(config.data),
      deletes: config.method?.toLowerCase() === 'delete',
      events: this.#events,
      pacerKey: this.#gates.keyOf(config),
      classify: (raw) => {
        const error = first ?? this.#errors.make(raw, operation);
        first = undefined;
        return error;
      },
    };
  }

  /** The request's own word, then the attachment's, then HTTP's rules. */
  #isIdempotent(config: MarkedConfig, request: RequestOptions): boolean {
    if (request.idempotent !== undefined) return request.idempotent;
    const { idempotent } = this.#options;
    const said = typeof idempotent === 'function' ? idempotent(config) : idempotent;
    return said ?? request.retry.idempotent ?? idempotentByHttp(config);
  }

  /** What the cloud's side is to know of an attempt, if anything. */
  #stamp(config: MarkedConfig, attempt: number): void {
    const { attemptHeader, requestIdHeader } = this.#options;
    if (attemptHeader !== undefined) config.headers.set(attemptHeader, String(attempt));
    if (requestIdHeader !== undefined && headerOf(config, requestIdHeader) === undefined)
      config.headers.set(requestIdHeader, globalThis.crypto.randomUUID());
  }
}

/** One that throws rejects, as where it is awaited. */
function call(adapter: AxiosAdapter, config: MarkedConfig): AxiosPromise {
  try {
    return adapter(config);
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}
