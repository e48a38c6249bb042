import { type AmqpHandle, type AmqpOptions, attachAmqp } from '@faultmap/amqp';
import type { Clock, FaultEvent } from '@faultmap/core';
import rhea, { type Connection, type Container } from 'rhea';
import { cleanup } from './cleanup.ts';

export interface Client {
  readonly container: Container;
  readonly connection: Connection;
  readonly handle: AmqpHandle;
  readonly faults: FaultEvent[];
  readonly retries: FaultEvent[];
  readonly givenUp: FaultEvent[];
  readonly recovered: FaultEvent[];
  /** Names of the events the application's listeners saw, in order. */
  readonly heard: string[];
}

/** Quick, so that tests are: no timing is asserted. */
export const QUICK = { baseDelayMs: 5, maxDelayMs: 20, throttledBaseDelayMs: 5, connectTimeoutMs: 5_000 } as const;

const EVENTS = [
  'connection_open',
  'connection_error',
  'connection_close',
  'disconnected',
  'protocol_error',
  'error',
  'session_open',
  'session_error',
  'session_close',
  'sender_open',
  'sender_error',
  'sender_close',
  'receiver_open',
  'receiver_error',
  'receiver_close',
  'rejected',
  'released',
  'modified',
  'accepted',
  'settled',
];

export interface ClientOptions {
  readonly connection?: object;
  readonly attach?: AmqpOptions;
  /** The application listens to everything on its container. @default true */
  readonly listen?: boolean;
}

/** A connection of rhea with faultmap attached, and all that is heard of it. */
export function startClient(port: number, { connection: given, attach, listen = true }: ClientOptions = {}): Client {
  const container = rhea.create_container();
  const heard: string[] = [];
  if (listen) for (const name of EVENTS) container.on(name, () => heard.push(name));
  const connection = container.connect({ host: '127.0.0.1', port, ...given } as never);
  const handle = attachAmqp(connection, { reconnect: QUICK, random: () => 0.5, ...attach });
  const faults: FaultEvent[] = [];
  const retries: FaultEvent[] = [];
  const givenUp: FaultEvent[] = [];
  const recovered: FaultEvent[] = [];
  handle.on('fault', (event) => faults.push(event));
  handle.on('retry', (event) => retries.push(event));
  handle.on('give-up', (event) => givenUp.push(event));
  handle.on('recovered', (event) => recovered.push(event));
  cleanup(async () => {
    handle.detach();
    end(connection);
  });
  return { container, connection, handle, faults, retries, givenUp, recovered, heard };
}

/** End a connection whatever state it is in. */
export function end(connection: Connection): void {
  connection.options.reconnect = false;
  clearTimeout(connection.scheduled_reconnect);
  connection.on('disconnected', () => {});
  connection.on('error', () => {});
  connection.socket?.on('error', () => {});
  connection.socket?.destroy();
  for (const timer of ['heartbeat_in', 'heartbeat_out', 'abort_idle']) clearTimeout(connection[timer]);
}

/** The system's time, but running faster: for waits of seconds. */
export function fastClock(times: number): Clock {
  const start = performance.now();
  return {
    now: () => 1_800_000_000_000 + (performance.now() - start) * times,
    after(ms, run) {
      const timer = setTimeout(run, ms / times);
      return () => clearTimeout(timer);
    },
  };
}

/** Wait until it holds; bounded. */
export async function until(holds: () => unknown, what = 'a condition', ms = 5_000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Let everything that is on its way arrive: nothing more should come. */
export async function quiet(ms = 60): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
