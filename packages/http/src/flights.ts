import type { Gate } from '@faultmap/core/adapter';
import type { AxiosPromise, AxiosResponse } from 'axios';
import type { MarkedConfig } from './adapter.ts';

/*
 * A reaction at the adapter's promise and axios' own at ours: that is one promise more for each
 * request. So axios gets no promise but what has its methods, and what axios does next is done in
 * our reaction. Whether a body is JSON is seen then too, after axios has parsed it.
 */

/** More at once leave theirs to the garbage collector. */
const MAX_IDLE = 64;

/** What axios does with an answer. It throws where the caller cancelled meanwhile. */
type OnAnswer = ((response: AxiosResponse) => unknown) | null | undefined;
/** What axios does with what its adapter rejects with. */
type OnRefusal = ((raw: unknown) => unknown) | null | undefined;

/** Makes the typed error of what axios made of a failure. */
type Typed = ((raw: unknown) => unknown) | undefined;

/** What comes of a first attempt that failed: another one is under way, or the request ends with `raw`. */
export type AfterFailure = { readonly again: AxiosPromise } | { readonly raw: unknown };

/** What happens at the end of a first attempt. */
export interface Landing {
  /** Asked of a body that axios left as it came. */
  isBroken(config: MarkedConfig, response: AxiosResponse): boolean;
  /** @param at - when it was sent */
  broken(config: MarkedConfig, response: AxiosResponse, at: number): AfterFailure;
  failed(config: MarkedConfig, raw: unknown, at: number): AfterFailure;
  succeeded(gate: Gate | undefined, at: number): void;
}

/** One request in flight: its two reactions, and what they have to know. */
interface Flight {
  config: MarkedConfig | undefined;
  at: number;
  gate: Gate | undefined;
  onAnswer: OnAnswer;
  onRefusal: OnRefusal;
  readonly answered: (response: AxiosResponse) => unknown;
  readonly refused: (raw: unknown) => unknown;
}

/** Requests in flight. Their reactions are used again, so that a success leaves little behind. */
export class Flights {
  readonly #landing: Landing;
  readonly #typed: Typed;
  readonly #idle: Flight[] = [];

  /** @param typed - makes the error that a request ends with, where no interceptor of ours does */
  constructor(landing: Landing, typed: Typed) {
    this.#landing = landing;
    this.#typed = typed;
  }

  /** What axios gets for a request that was sent at `at`. */
  follow(sent: AxiosPromise, config: MarkedConfig, at: number, gate: Gate | undefined): AxiosPromise {
    const flight = this.#idle.pop() ?? this.#make();
    flight.config = config;
    flight.at = at;
    flight.gate = gate;
    // A thenable might call back more than once.
    return new Sent(sent instanceof Promise ? sent : Promise.resolve(sent), flight, undefined);
  }

  /** The same for one that is under retry already. */
  pass(running: AxiosPromise): AxiosPromise {
    return this.#typed ? new Sent(running, undefined, this.#typed) : running;
  }

  #make(): Flight {
    const landing = this.#landing;
    const typed = this.#typed;
    const idle = this.#idle;
    const goOn = (after: AfterFailure, onAnswer: OnAnswer, onRefusal: OnRefusal): unknown => {
      if ('again' in after) return retyped(after.again.then(onAnswer, onRefusal), typed);
      if (!onRefusal) return Promise.reject(after.raw);
      try {
        return retyped(onRefusal(after.raw), typed);
      } catch (thrown) {
        throw typed ? typed(thrown) : thrown;
      }
    };
    const flight: Flight = {
      config: undefined,
      at: 0,
      gate: undefined,
      onAnswer: undefined,
      onRefusal: undefined,
      answered(response) {
        const { at, gate, onAnswer, onRefusal } = flight;
        const config = flight.config as MarkedConfig;
        flight.config = flight.onAnswer = flight.onRefusal = undefined;
        if (idle.length < MAX_IDLE) idle.push(flight);
        const body: unknown = response?.data;
        let result: unknown;
        try {
          result = onAnswer ? onAnswer(response) : response;
        } catch (thrown) {
          if (landing.isBroken(config, response))
            return goOn(landing.broken(config, response, at), onAnswer, onRefusal);
          landing.succeeded(gate, at);
          throw typed ? typed(thrown) : thrown;
        }
        if (typeof body === 'string' && response.data === body && landing.isBroken(config, response))
          return goOn(landing.broken(config, response, at), onAnswer, onRefusal);
        landing.succeeded(gate, at);
        return result;
      },
      refused(raw) {
        const { at, onAnswer, onRefusal } = flight;
        const config = flight.config as MarkedConfig;
        flight.config = flight.onAnswer = flight.onRefusal = undefined;
        if (idle.length < MAX_IDLE) idle.push(flight);
        return goOn(landing.failed(config, raw, at), onAnswer, onRefusal);
      },
    };
    return flight;
  }
}

function retyped(result: unknown, typed: Typed): unknown {
  return typed ? Promise.resolve(result).then(undefined, (raw) => Promise.reject(typed(raw))) : result;
}

/** A promise to whoever asks it once, as axios does. */
class Sent {
  readonly #sent: AxiosPromise;
  #flight: Flight | undefined;
  #typed: Typed;

  constructor(sent: AxiosPromise, flight: Flight | undefined, typed: Typed) {
    this.#sent = sent;
    this.#flight = flight;
    this.#typed = typed;
  }

  get [Symbol.toStringTag](): 'Promise' {
    return 'Promise';
  }

  // biome-ignore lint/suspicious/noThenProperty: to be taken for a promise is what it is for.
  then(onAnswer?: OnAnswer, onRefusal?: OnRefusal): Promise<never> {
    const flight = this.#flight;
    const typed = this.#typed;
    // Asked once more it gives the first attempt as it was: nothing is done twice.
    this.#flight = undefined;
    this.#typed = undefined;
    if (flight === undefined) return retyped(this.#sent.then(onAnswer, onRefusal), typed) as Promise<never>;
    flight.onAnswer = onAnswer;
    flight.onRefusal = onRefusal;
    return this.#sent.then(flight.answered, flight.refused) as Promise<never>;
  }

  catch(onRefusal?: OnRefusal): Promise<never> {
    return this.then(undefined, onRefusal);
  }

  finally(done?: (() => void) | null): Promise<never> {
    return Promise.resolve(this as unknown as Promise<never>).finally(done);
  }
}
