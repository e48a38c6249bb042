import { type Gate, pacerFor, type ResolvedRetryOptions } from '@faultmap/core/adapter';
import type { InternalAxiosRequestConfig } from 'axios';
import { beginsWithSegments, pacerKeyOf, sharedPrefixOf } from './pacer-key.ts';

/** A pacer drops keys that were not used for longer than this: a gate kept then would pace nobody. */
const FRESH_MS = 10_000;

/** Where requests pass the pacer. Keeps the last gate: programs ask for the same kind of resource in a row. */
export class Gates {
  readonly #retry: ResolvedRetryOptions;
  readonly #keyOf: (config: InternalAxiosRequestConfig) => string;
  readonly #mayKeep: boolean;
  #last: Gate | undefined;
  #usedAt = 0;
  #baseURL: string | undefined;
  #url: string | undefined;
  #prefix: string | undefined;
  #method: string | undefined;

  constructor(
    retry: ResolvedRetryOptions,
    pacerKey: ((config: InternalAxiosRequestConfig) => string | undefined) | undefined,
  ) {
    this.#retry = retry;
    this.#mayKeep = pacerKey === undefined;
    this.#keyOf = pacerKey ? (config) => pacerKey(config) ?? pacerKeyOf(config) : pacerKeyOf;
  }

  keyOf(config: InternalAxiosRequestConfig): string {
    return this.#keyOf(config);
  }

  /**
   * `undefined`: this request is not paced.
   *
   * @param at - in ms since any fixed time
   */
  gateOf(config: InternalAxiosRequestConfig, retry: ResolvedRetryOptions, at: number): Gate | undefined {
    if (retry.pacer === false || retry.disabled) return undefined;
    if (!this.#mayKeep || retry !== this.#retry) return this.#look(config, retry);
    if (this.#last === undefined || !this.#isLike(config) || at - this.#usedAt > FRESH_MS) this.#keep(config, retry);
    this.#usedAt = at;
    return this.#last;
  }

  /** Has it the key of the last one? */
  #isLike({ url, baseURL, method }: InternalAxiosRequestConfig): boolean {
    if (baseURL !== this.#baseURL || method !== this.#method) return false;
    const prefix = this.#prefix;
    return prefix === undefined ? url === this.#url : url !== undefined && beginsWithSegments(url, prefix);
  }

  #keep(config: InternalAxiosRequestConfig, retry: ResolvedRetryOptions): void {
    this.#last = this.#look(config, retry);
    this.#url = config.url;
    this.#prefix = sharedPrefixOf(config);
    this.#baseURL = config.baseURL;
    this.#method = config.method;
  }

  #look(config: InternalAxiosRequestConfig, retry: ResolvedRetryOptions): Gate {
    return (retry.pacer || pacerFor(retry.clock)).gate(this.#keyOf(config));
  }
}
