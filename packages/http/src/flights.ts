import type { Gate } from '@faultmap/core/adapter';
import type { AxiosPromise, AxiosResponse } from 'axios';
import type { MarkedConfig } from './adapter.ts';

/** More at once leave theirs to the garbage collector. */
const MAX_IDLE = 64;

/** What happens at the end of a request. `at` is when it was sent. */
export interface Landing {
  succeeded(
    config: MarkedConfig,
    response: AxiosResponse,
    at: number,
    gate: Gate | undefined,
  ): AxiosResponse | AxiosPromise;
  failed(config: MarkedConfig, raw: unknown, at: number): AxiosPromise;
}

/** One request in flight: its two reactions, and what they have to know. */
interface Flight {
  config: MarkedConfig | undefined;
  at: number;
  gate: Gate | undefined;
  readonly succeeded: (response: AxiosResponse) => AxiosResponse | AxiosPromise;
  readonly failed: (raw: unknown) => AxiosPromise;
}

/** Requests in flight. Their reactions are used again, so that a success leaves nothing behind. */
export class Flights {
  readonly #landing: Landing;
  readonly #idle: Flight[] = [];

  constructor(landing: Landing) {
    this.#landing = landing;
  }

  /** What comes of a request that was sent at `at`. */
  follow(sent: AxiosPromise, config: MarkedConfig, at: number, gate: Gate | undefined): AxiosPromise {
    const flight = this.#idle.pop() ?? this.#make();
    flight.config = config;
    flight.at = at;
    flight.gate = gate;
    // A thenable might call back more than once.
    return (sent instanceof Promise ? sent : Promise.resolve(sent)).then(flight.succeeded, flight.failed);
  }

  #make(): Flight {
    const landing = this.#landing;
    const idle = this.#idle;
    const flight: Flight = {
      config: undefined,
      at: 0,
      gate: undefined,
      succeeded(response) {
        const { config, at, gate } = flight;
        flight.config = undefined;
        if (idle.length < MAX_IDLE) idle.push(flight);
        return landing.succeeded(config as MarkedConfig, response, at, gate);
      },
      failed(raw) {
        const { config, at } = flight;
        flight.config = undefined;
        if (idle.length < MAX_IDLE) idle.push(flight);
        return landing.failed(config as MarkedConfig, raw, at);
      },
    };
    return flight;
  }
}
