import type { AnyDeviceCloudError, Category, FaultEvent, FaultEventName, FaultListener } from '@faultmap/core';
import { type Emulator, startEmulator } from '@faultmap/emulator';
import { attachHttp, type HttpAttachment } from '@faultmap/http';
import axios, { type AxiosInstance } from 'axios';
import type { RowKey } from './expected.ts';
import type { Outcome } from './table.ts';

/** One row of the table: how it is provoked, with real clients. */
export interface Scene {
  readonly key: RowKey;
  play(stage: Stage): Promise<Outcome>;
}

/** What all scenes share: the cloud and a service client of it. */
export interface Stage {
  readonly cloud: Emulator;
  /** A cloud whose daily quota is used up after one message. */
  readonly smallCloud: Emulator;
  readonly service: Attached;
  close(): Promise<void>;
}

/** An axios instance with faultmap attached. */
export interface Attached {
  readonly client: AxiosInstance;
  readonly faults: HttpAttachment;
}

export const API = { 'api-version': '2021-04-12' };

export async function openStage(): Promise<Stage> {
  const cloud = await startEmulator({
    devices: ['pump-7', 'fan-1', 'valve-3'],
    // Two queries a second, one at once, so that the second of two in a row is throttled by behaviour.
    throttle: { perSecond: { query: 2 }, burstS: 0.5, scale: 1_000 },
    queue: { lockMs: 200 },
  });
  const smallCloud = await startEmulator({ devices: ['pump-7'], dailyMessages: 1 });
  const service = connectHttp(cloud, cloud.serviceToken());
  return {
    cloud,
    smallCloud,
    service,
    async close() {
      service.faults.detach();
      await Promise.all([cloud.stop(), smallCloud.stop()]);
    },
  };
}

/** A client of the cloud's REST interface; its keep-alive sockets end with the cloud. */
export function connectHttp(cloud: Emulator, token: string): Attached {
  const client = axios.create({
    baseURL: cloud.httpUrl,
    params: API,
    headers: { authorization: token },
    timeout: 5_000,
  });
  return { client, faults: attachHttp(client) };
}

interface Watchable {
  on(name: FaultEventName, listener: FaultListener): void;
  off(name: FaultEventName, listener: FaultListener): void;
}

/** Run one operation and tell what the library gave and what faultmap did with it. */
export async function observe(
  watched: Watchable,
  how: { readonly transport: string; readonly raw: (error: AnyDeviceCloudError) => string },
  operation: () => Promise<unknown>,
): Promise<Outcome> {
  const seen: FaultEvent[] = [];
  const listener: FaultListener = (event) => seen.push(event);
  const retries: number[] = [];
  const onRetry: FaultListener = ({ delayMs }) => retries.push(delayMs ?? 0);
  watched.on('fault', listener);
  watched.on('retry', onRetry);
  const start = performance.now();
  try {
    await operation();
    const first = seen[0]?.error;
    if (!first) throw new Error('nothing failed');
    const ms = Math.round(performance.now() - start);
    const said = `retried ${retries.length}× → ok after ${ms} ms`;
    return { transport: how.transport, raw: how.raw(first), error: first, did: 'retried', said };
  } catch (thrown) {
    const error = asTyped(thrown);
    return { transport: how.transport, raw: how.raw(error), error, did: 'thrown', said: describe(error) };
  } finally {
    watched.off('fault', listener);
    watched.off('retry', onRetry);
  }
}

function asTyped(thrown: unknown): AnyDeviceCloudError {
  if (typeof thrown === 'object' && thrown !== null && 'category' in thrown) return thrown as AnyDeviceCloudError;
  throw thrown;
}

/** What is left to the program, in a few words. */
const LEFT_TO_DO: Partial<Record<Category, string>> = {
  'bad-request': 'mend the request',
  unauthorized: 'renew credentials',
  quota: 'drain, then send',
  'not-found': 'register it first',
  offline: 'wait for the device',
  conflict: 'look what is there',
  precondition: 'read again',
};

/** Why it was thrown, for a person. */
function describe(error: AnyDeviceCloudError): string {
  if (error.resetAt) return `thrown: until ${error.resetAt.toISOString().slice(5, 16)}Z`;
  if (error.stopped === 'not-idempotent') return 'thrown: may have run';
  return `thrown: ${LEFT_TO_DO[error.category] ?? `gave up (${error.stopped})`}`;
}

/** `AxiosError: status code 404`; its whole message, "Request failed with …", is the same for every cause. */
export function rawHttp({ cause }: AnyDeviceCloudError): string {
  const { name = '', message = '' } = (cause ?? {}) as { name?: string; message?: string };
  return `${name}: ${message.replace('Request failed with ', '')}`;
}
