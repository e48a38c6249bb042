/* One attached client on one scripted peer, and everything they said. */
import { setTimeout as after } from 'node:timers/promises';
import type { FaultEvent, FaultEventName } from '@faultmap/core';
import { attachMqtt, type MqttHandle, type MqttOptions } from '@faultmap/mqtt';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { connect as connectOldest } from 'mqtt-oldest';
import { type Peer, type PeerOptions, startPeer } from './peer.ts';

/** The newest mqtt.js and the oldest that is supported: they do the opposite after a refused CONNACK. */
export const libraries = {
  newest: mqtt.connect,
  oldest: connectOldest as unknown as typeof mqtt.connect,
} as const;
export type Library = keyof typeof libraries;

export interface Told extends FaultEvent {
  readonly name: FaultEventName;
}

export interface Stage {
  readonly peer: Peer;
  readonly client: MqttClient;
  readonly handle: MqttHandle;
  readonly told: Told[];
  of(name: FaultEventName): FaultEvent[];
  /** What was given up: of the connection, or of operations by their names. */
  givenUp(operation: 'mqtt.connect' | RegExp): FaultEvent[];
  /** Until `name` was told `count` times. */
  heard(name: FaultEventName, count?: number): Promise<FaultEvent>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly library?: Library;
  readonly level?: 4 | 5;
  readonly peer?: PeerOptions;
  readonly url?: string;
  readonly client?: IClientOptions;
  readonly attach?: MqttOptions;
}

/** A reconnect so late that no second attempt mixes into what a test looks at. */
export const oneAttempt: MqttOptions = { random: () => 0.999, reconnect: { baseDelayMs: 60_000 } };

export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const peer = await startPeer(options.peer);
  const client = libraries[options.library ?? 'newest'](options.url ?? peer.url, {
    protocolVersion: options.level ?? 4,
    connectTimeout: 3_000,
    ...options.client,
  });
  const handle = attachMqtt(client, options.attach ?? oneAttempt);
  const told: Told[] = [];
  for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const)
    handle.on(name, (event) => told.push({ name, ...event }));
  const of = (name: FaultEventName) => told.filter((event) => event.name === name);
  return {
    peer,
    client,
    handle,
    told,
    of,
    givenUp: (wanted) =>
      of('give-up').filter(({ operation = '' }) =>
        typeof wanted === 'string' ? operation === wanted : wanted.test(operation),
      ),
    heard: async (name, count = 1) => {
      await until(() => of(name).length >= count, `${name} was not told ${count} times`);
      return of(name)[count - 1] as FaultEvent;
    },
    close: async () => {
      handle.detach();
      client.end(true);
      await peer.stop();
    },
  };
}

/** Set the stage, run, and clear it away however that ends. */
export async function staged(options: StageOptions, run: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await setStage(options);
  try {
    await run(stage);
  } finally {
    await stage.close();
  }
}

/** At once, and without the floor of 5 s that a connection is held to which closes soon after being accepted. */
export const quick = { baseDelayMs: 1, maxDelayMs: 5, throttledBaseDelayMs: 1, stableAfterMs: 0 };

/** The same with a client that reconnects at once. */
export const stagedQuick: typeof staged = (options, run) => staged({ attach: { reconnect: quick }, ...options }, run);

/** Connected, in the sense of mqtt.js. */
export async function connected({ client }: Pick<Stage, 'client'>): Promise<void> {
  if (!client.connected) await new Promise<void>((resolve) => client.once('connect', () => resolve()));
}

export async function until(condition: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > limitMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await after(5);
  }
}

/** How a promise ended, without throwing; `pending` where it did not within the limit. */
export async function outcome<T>(
  promise: Promise<T>,
  limitMs = 5_000,
): Promise<{ value: T } | { error: unknown } | 'pending'> {
  const controller = new AbortController();
  const late = after(limitMs, 'pending' as const, { signal: controller.signal }).catch(() => 'pending' as const);
  const settled = promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return Promise.race([settled, late]).finally(() => controller.abort());
}

/** The error a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Record<string, unknown> & Error> {
  const ended = await outcome(promise);
  if (ended === 'pending') throw new Error('the promise is pending');
  if ('value' in ended) throw new Error('the promise was fulfilled');
  return ended.error as Record<string, unknown> & Error;
}
