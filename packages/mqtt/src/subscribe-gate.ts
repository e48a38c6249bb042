import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import type { MqttClient } from 'mqtt';
import { undeclared } from './client.ts';
import { because, type Faults } from './faults.ts';
import { label } from './label.ts';
import type { Operations } from './operations.ts';
import type { Callback } from './pending.ts';
import { RefusedFilters } from './refused-filters.ts';
import { isSubscribingAgain, topicsOf, without } from './topics.ts';

type Method = (...args: never[]) => unknown;
type By = 'program' | 'request';

export interface SubscribeGateSetup {
  readonly client: MqttClient;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly operations: Operations;
  /** How long a filter is refused that the connection closes at. */
  readonly refuseMs: number;
  /** Is this one subscribed to on the present connection already, ahead of mqtt.js? */
  readonly isTried: (filter: string) => boolean;
}

/** Every `subscribe` goes through here: to filters that the connection closes at, none is made. */
export class SubscribeGate {
  readonly #setup: SubscribeGateSetup;
  #refused: RefusedFilters | undefined;

  constructor(setup: SubscribeGateSetup) {
    this.#setup = setup;
  }

  /** A call of the program or of mqtt.js itself, or for a request of ours. */
  call(original: Method, args: readonly unknown[], by: By): unknown {
    if (isSubscribingAgain(args)) return this.#again(original, args);
    for (const filter of this.#refused ? topicsOf(args[0]) : []) {
      const error = this.#refused?.of(filter);
      if (error) return this.#without(filter, error, original, args, by);
    }
    return this.#setup.operations.call('subscribe', original, args, by);
  }

  /** The connection closes at this one: it is taken back, whoever waits for it, and not made any more. */
  refuse(filter: string, error: AnyDeviceCloudError, closes: number): void {
    const { client, clock, operations, refuseMs } = this.#setup;
    Reflect.deleteProperty(undeclared(client)._resubscribeTopics ?? {}, filter);
    this.#refused ??= new RefusedFilters(clock, refuseMs);
    this.#refused.add(filter, error);
    operations.convictFilter(filter, error, closes);
  }

  /** From now on all are made. */
  resume(): void {
    this.#refused = undefined;
  }

  #again(original: Method, [remembered, ...more]: readonly [object, ...unknown[]]): unknown {
    const { client, isTried, operations } = this.#setup;
    const left = without(remembered, isTried);
    // As mqtt.js takes off its mark itself.
    Reflect.deleteProperty(remembered, 'resubscribe');
    return left === undefined ? client : operations.call('subscribe', original, [left, ...more]);
  }

  /** The rest of the call is made; the whole of it fails, as it does where a broker refuses one of several. */
  #without(filter: string, why: AnyDeviceCloudError, original: Method, args: readonly unknown[], by: By): unknown {
    const { client, faults } = this.#setup;
    const operation = label('subscribe', filter);
    const error = because(why, { operation, executed: 'no' });
    if (by === 'program') faults.giveUp(error, { operation, attempts: 0 });
    const failing =
      (answer: Callback) =>
      (first: unknown, ...more: unknown[]) =>
        answer(first || error, ...more);
    const given = args.slice(1).map((arg) => (typeof arg === 'function' ? failing(arg as Callback) : arg));
    const rest = without(args[0], (one) => one === filter);
    if (rest !== undefined) return this.call(original, [rest, ...given], by);
    for (const answer of given) if (typeof answer === 'function') queueMicrotask(() => answer());
    return client;
  }
}
