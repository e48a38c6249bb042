import type { AnyDeviceCloudError } from '@faultmap/core';
import type { MqttClient } from 'mqtt';
import { undeclared } from './client.ts';
import { poisonous } from './faults.ts';
import type { Operations } from './operations.ts';
import type { Convict, Poison } from './poison.ts';
import type { RefusedFilters } from './refused-filters.ts';

export interface TakeBackSetup {
  readonly client: MqttClient;
  readonly poison: Poison;
  readonly operations: Operations;
  readonly refused: RefusedFilters;
  readonly unsubscribed: (filter: string) => void;
}

/** Takes back from mqtt.js what its server closes at, whoever waits for it. */
export class TakeBack {
  readonly #setup: TakeBackSetup;
  /** To be taken back once mqtt.js has reacted to the close. */
  #convict: Convict | undefined;

  constructor(setup: TakeBackSetup) {
    this.#setup = setup;
  }

  /** @returns was the close the answer to something of ours? */
  lost(fault: AnyDeviceCloudError): boolean {
    const { convict, isAnswer } = this.#setup.poison.lost(fault);
    this.#convict = convict;
    return isAnswer;
  }

  settled(fault: AnyDeviceCloudError): void {
    const convict = this.#convict;
    this.#convict = undefined;
    if (!convict) return;
    const error = poisonous(fault, convict);
    const { operations } = this.#setup;
    if (convict.kind === 'publish') operations.convict(convict.id, error, convict.closes);
    else this.#unsubscribe(convict.filter, error, convict.closes);
  }

  #unsubscribe(filter: string, error: AnyDeviceCloudError, closes: number): void {
    const { client, operations, refused, unsubscribed } = this.#setup;
    Reflect.deleteProperty(undeclared(client)._resubscribeTopics ?? {}, filter);
    unsubscribed(filter);
    refused.add(filter, error);
    operations.convictFilter(filter, error, closes);
  }
}
