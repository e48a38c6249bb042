import { type Gate, pacerFor, type ResolvedRetryOptions } from '@faultmap/core/adapter';
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { beginsWithSegments, pacerKeyOf, sharedPrefixOf } from './pacer-key.ts';

/** A pacer drops keys that were not used for longer than this: a gate kept then would pace nobody. */
const FRESH_MS = 10_000;

/** Where a request passes, and what tells there that it succeeded. */
export interface Passage {
  readonly gate: Gate;
  readonly succeeded: (response: AxiosResponse) => AxiosResponse;
}

/** Where requests pass the pacer. Keeps the last passage: programs ask for the same kind of resource in a row. */
export class Gates {
  readonly #retry: ResolvedRetryOptions;
  readonly #keyOf: (config: InternalAxiosRequestConfig) => string;
  readonly #mayKeep: boolean;
  readonly #since: number;
  readonly #passages = new WeakMap<Gate, Passage>();
  #last: Passage | undefined;
  /** In ms since `#since`. */
  #usedAt = 0;
  #baseURL: string | undefined;
  #url: string | undefined;
  #prefix: string | undefined;
  #method: string | undefined;

  /** @param since - what `at` counts from */
  constructor(
    retry: ResolvedRetryOptions,
    pacerKey: ((config: InternalAxiosRequestConfig) => string | undefined) | undefined,
    since: number,
  ) {
    this.#retry = retry;
    this.#mayKeep = pacerKey === undefined;
    this.#keyOf = pacerKey ? (config) => pacerKey(config) ?? pacerKeyOf(config) : pacerKeyOf;
    this.#since = since;
  }

  keyOf(config: InternalAxiosRequestConfig): string {
    return this.#keyOf(config);
  }

  /** `undefined`: this request is not paced. */
  passageOf(config: InternalAxiosRequestConfig, retry: ResolvedRetryOptions, at: number): Passage | undefined {
    if (retry.pacer === false || retry.disabled) return undefined;
    if (!this.#mayKeep || retry !== this.#retry) return this.#look(config, retry);
    if (this.#last === undefined || !this.#isLike(config) || at - this.#usedAt > FRESH_MS) this.#keep(config, retry);
    this.#usedAt = at;
    return this.#last;
  }

  /** Has it the key of the last one? */
  #isLike({ url, baseURL, method }: InternalAxiosRequestConfig): boolean {
    if (baseURL !== this.#baseURL || method !== this.#method) return false;
    if (url === this.#url) return true;
    const prefix = this.#prefix;
    return url !== undefined && prefix !== undefined && beginsWithSegments(url, prefix);
  }

  /** The gate of a request that has passed. */
  gateOf(config: InternalAxiosRequestConfig, retry: ResolvedRetryOptions): Gate | undefined {
    if (retry.pacer === false || retry.disabled) return undefined;
    const known = this.#mayKeep && retry === this.#retry && this.#last !== undefined && this.#isLike(config);
    return known ? this.#last?.gate : this.#look(config, retry).gate;
  }

  #keep(config: InternalAxiosRequestConfig, retry: ResolvedRetryOptions): void {
    this.#last = this.#look(config, retry);
    this.#url = config.url;
    this.#prefix = sharedPrefixOf(config);
    this.#baseURL = config.baseURL;
    this.#method = config.method;
  }

  #look(config: InternalAxiosRequestConfig, retry: ResolvedRetryOptions): Passage {
    const gate = (retry.pacer || pacerFor(retry.clock)).gate(this.#keyOf(config));
    return this.#passages.get(gate) ?? this.#open(gate);
  }

  #open(gate: Gate): Passage {
    const passage: Passage = {
      gate,
      succeeded: (response) => {
        // The exact time of its sending matters to nobody: while nothing is paced the second it
        // falls in counts, and once something is, that it was sent before.
        gate.report(gate.free ? this.#since + this.#usedAt : 0, 'success');
        return response;
      },
    };
    this.#passages.set(gate, passage);
    return passage;
  }
}
