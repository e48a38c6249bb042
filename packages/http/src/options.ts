import type { Catalogue, RetryOptions } from '@faultmap/core';
import {
  type Credentials,
  type OptionRule,
  type ResolvedRetryOptions,
  resolveOptions,
  resolveRetryOptions,
  rules,
} from '@faultmap/core/adapter';
import type { InternalAxiosRequestConfig } from 'axios';
import type { HttpCredentials } from './credentials.ts';

declare module 'axios' {
  // biome-ignore lint/suspicious/noExplicitAny: the type parameter has to be axios' own
  interface AxiosRequestConfig<D = any> {
    /** What this request says about its retries, for an instance that is attached to. */
    faultmap?: RequestFaultmapOptions | undefined;
  }
}

/** How requests are repeated: core's options. The signal is axios' own, `config.signal`. */
export type HttpRetryOptions = Omit<RetryOptions, 'signal'>;

/** May this request run twice without harm? `undefined` leaves it to the next who knows. */
export type Idempotent = boolean | ((config: InternalAxiosRequestConfig) => boolean | undefined);

/** Options of {@link attachHttp}. */
export interface AttachHttpOptions {
  /** How requests are repeated; `false`: typed errors only. @default see `HttpRetryOptions` */
  readonly retry?: HttpRetryOptions | false | undefined;
  /**
   * Which requests may run twice without harm. Where it says nothing, HTTP's own rules hold: GET,
   * HEAD, OPTIONS, TRACE, QUERY, PUT, DELETE and requests with an `If-Match` tag may, POST and
   * PATCH may not. See {@link azureIotIdempotent}.
   */
  readonly idempotent?: Idempotent | undefined;
  /**
   * Fresh headers after a 401, for instance `{ Authorization: newToken() }`: the request is
   * repeated once with them, if they differ from those refused. Calls at the same time share one
   * answer; it has 10 s. Once accepted they are remembered for the server: later requests that carry
   * what was refused carry them at once; a header that differs is never replaced.
   * @default none: a 401 ends the request
   */
  readonly credentials?: Credentials<HttpCredentials> | undefined;
  /**
   * Requests of one key share one pace while the cloud throttles or is down.
   * @default host, read or write, first segment of the path
   */
  readonly pacerKey?: ((config: InternalAxiosRequestConfig) => string | undefined) | undefined;
  /**
   * An answer that says success and should be JSON, by `responseType: 'json'` or its content type,
   * and is not, is a fault: `protocol`, reason `BrokenAnswer`. `false`: it is a success with a
   * string, as axios has it. Own `transformResponse` functions are left alone anyway.
   * @default true: a proxy's page is no twin
   */
  readonly checkJson?: boolean | undefined;
  /** Codes of other clouds, searched before the built-in ones. @default none */
  readonly catalogues?: readonly Catalogue[] | undefined;
  /**
   * Name of a header that carries an id of the request, the same at each attempt, for instance
   * `x-ms-client-request-id`; one that is there already stays. @default none
   */
  readonly requestIdHeader?: string | undefined;
  /** Name of a header that carries the number of the attempt, from 1. @default none */
  readonly attemptHeader?: string | undefined;
}

/** What one request may say for itself: `config.faultmap`. */
export interface RequestFaultmapOptions {
  /** Laid over the attachment's, field by field; `false`: this request is not repeated. */
  readonly retry?: HttpRetryOptions | false | undefined;
  /** May this request run twice without harm? Before the attachment's word. */
  readonly idempotent?: boolean | undefined;
  /**
   * What the program is doing, for messages and events, for instance `registry.get`.
   * @default method and path (`GET /twins/pump-7`), without host and query
   */
  readonly operation?: string | undefined;
}

/** Checked options. */
export interface ResolvedHttpOptions extends Omit<AttachHttpOptions, 'retry'> {
  readonly retry: ResolvedRetryOptions;
}

/** Under what one request runs. */
export interface RequestOptions extends Omit<RequestFaultmapOptions, 'retry'> {
  readonly retry: ResolvedRetryOptions;
}

const list: OptionRule = { expected: 'an array', ok: Array.isArray };
const headerName: OptionRule = {
  expected: 'the name of a header',
  ok: (v) => typeof v === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(v),
};
const retryRule = rules.either({ expected: 'false', ok: (v) => v === false }, rules.object);

const ATTACH_RULES: Readonly<Record<keyof AttachHttpOptions, OptionRule>> = {
  retry: retryRule,
  idempotent: rules.either(rules.boolean, rules.function),
  credentials: rules.function,
  pacerKey: rules.function,
  checkJson: rules.boolean,
  catalogues: list,
  requestIdHeader: headerName,
  attemptHeader: headerName,
};

const REQUEST_RULES: Readonly<Record<keyof RequestFaultmapOptions, OptionRule>> = {
  retry: retryRule,
  idempotent: rules.boolean,
  operation: rules.string,
};

/** @throws TypeError naming the option, what was expected and what came */
export function resolveAttachOptions(given: AttachHttpOptions): ResolvedHttpOptions {
  const checked = resolveOptions<AttachHttpOptions>('attachHttp', given, {}, ATTACH_RULES);
  return { ...checked, retry: resolveRetryOptions('attachHttp', withoutSignal('attachHttp', checked.retry)) };
}

/**
 * What one request says, laid over the attachment's options. Costs nothing where it says nothing.
 *
 * @throws TypeError naming the option, what was expected and what came
 */
export function resolveRequestOptions(
  given: RequestFaultmapOptions | undefined,
  retry: ResolvedRetryOptions,
): RequestOptions {
  if (given === undefined) return { retry };
  const owner = 'config.faultmap';
  const checked = resolveOptions<RequestFaultmapOptions>(owner, given, {}, REQUEST_RULES);
  return { ...checked, retry: resolveRetryOptions(owner, withoutSignal(owner, checked.retry), retry) };
}

/** A signal has its place in axios' config: said, not swallowed. */
function withoutSignal(
  owner: string,
  retry: HttpRetryOptions | false | undefined,
): HttpRetryOptions | false | undefined {
  if (retry && (retry as RetryOptions).signal !== undefined)
    throw new TypeError(`${owner}: option retry.signal: expected it as config.signal, which axios heeds too`);
  return retry;
}
