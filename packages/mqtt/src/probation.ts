import type { Clock } from '@faultmap/core';
import type { MqttClient } from 'mqtt';
import { levelOf, undeclared } from './client.ts';
import { guarded } from './connection.ts';
import { holdStore } from './hold.ts';

/** A server that answers no PINGREQ, or no SUBSCRIBE, has shown by then that it holds a connection. */
const HELD_MS = 5_000;

type Method = (...args: never[]) => unknown;

export interface ProbationSetup {
  readonly client: MqttClient;
  readonly clock: Clock;
  /** mqtt.js' own. */
  readonly subscribe: Method;
  /** What to subscribe to before anything else, group by group. */
  readonly groups: readonly (readonly string[])[];
}

/**
 * A new connection after a close that something of ours may have caused: it has to answer a PINGREQ, then
 * the suspect subscriptions are made one group after the other, and only then mqtt.js sends its store and
 * the rest. So a server that is down is told from one that closes at what it is given.
 */
export class Probation {
  readonly #setup: ProbationSetup;
  readonly #restore: (() => void) | undefined;
  #settle: (healthy: boolean) => void = () => {};
  readonly #cancel: () => void;
  #next: () => void = () => {};
  #isTrying = false;
  #isWriting = false;
  #isOver = false;

  /** At the CONNACK, before mqtt.js has begun to send again. */
  constructor(setup: ProbationSetup) {
    this.#setup = setup;
    const { client, clock } = setup;
    const healthy = new Promise<boolean>((resolve) => {
      this.#settle = resolve;
    });
    this.#restore = holdStore(client, healthy);
    this.#cancel = clock.after(HELD_MS, () => this.heard());
    // Once mqtt.js knows that it is connected.
    queueMicrotask(() => guarded(() => void (client.connected && client.sendPing?.())));
  }

  /** Is what is being written a subscription on trial? */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** The server says something: it is there. */
  heard(): void {
    if (this.#isTrying || this.#isOver) return;
    this.#isTrying = true;
    this.#cancel();
    void this.#try();
  }

  /** @param healthy - what is held is sent; else the connection is gone */
  end(healthy: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#restore?.();
    this.#settle(healthy);
    this.#next();
  }

  async #try(): Promise<void> {
    // Where nothing can be held, mqtt.js has gone on by now.
    const held = this.#restore !== undefined && undeclared(this.#setup.client)._storeProcessing === true;
    for (const group of held ? this.#setup.groups : []) {
      if (!(await this.#isAnswered(group))) break;
      // mqtt.js ends a connection over an answer that is none: the close is to come.
      if (this.#setup.client.stream?.destroyed) return;
    }
    this.end(true);
  }

  /** Until the server answered, or held the connection for long enough, or that is over. */
  #isAnswered(group: readonly string[]): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#setup.clock.after(HELD_MS, () => resolve(false));
      this.#next = () => {
        cancel();
        resolve(!this.#isOver);
      };
      guarded(() => this.#subscribe(group, this.#next));
    });
  }

  /** As mqtt.js does it itself, but past its waiting line: over MQTT 5 each has properties of its own. */
  #subscribe(group: readonly string[], done: () => void): void {
    const { client, subscribe } = this.#setup;
    const slot = undeclared(client);
    const remembered = slot._resubscribeTopics ?? {};
    const calls = levelOf(client) === 5 ? group.map((one) => [one]) : [group];
    let left = calls.length;
    const answered = () => void (--left === 0 && done());
    const waiting = slot._storeProcessingQueue ?? [];
    this.#isWriting = true;
    slot._storeProcessing = false;
    slot._storeProcessingQueue = [];
    try {
      for (const filters of calls) {
        const topics = Object.fromEntries(filters.map((one) => [one, remembered[one]]));
        const { properties } = remembered[filters[0] ?? ''] ?? {};
        const given = [{ ...topics, resubscribe: true }, { properties }, answered];
        (subscribe as (...args: unknown[]) => unknown).apply(client, given);
      }
    } finally {
      this.#isWriting = false;
      slot._storeProcessing = true;
      slot._storeProcessingQueue = [...waiting, ...slot._storeProcessingQueue];
    }
  }
}
