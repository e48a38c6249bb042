/* One operation of each kind, and how each of them ended. */
import { isDeviceCloudError } from '@faultmap/core';
import type { MqttClient } from 'mqtt';
import type { Script } from './peer.ts';
import { outcome } from './stage.ts';

/** A broker that takes everything and acknowledges nothing. */
export const mute: Script = { publish: () => {}, subscribe: () => {}, unsubscribe: () => {} };

/** By what it is; not awaited yet. */
export function everything(client: MqttClient) {
  const pending = {
    'QoS 0': client.publishAsync('a', 'x', { qos: 0 }),
    'QoS 1': client.publishAsync('a', 'x', { qos: 1 }),
    'QoS 2': client.publishAsync('a', 'x', { qos: 2 }),
    subscribe: client.subscribeAsync('a'),
    unsubscribe: client.unsubscribeAsync('a'),
  };
  // Looked at later.
  for (const promise of Object.values<Promise<unknown>>(pending)) promise.catch(() => {});
  return pending;
}

/** In words: `category reason executed` of those that failed. */
export async function outcomes(pending: Record<string, Promise<unknown>>): Promise<Record<string, string>> {
  const ends = await Promise.all(
    Object.entries(pending).map(async ([name, promise]) => {
      const ended = await outcome(promise);
      if (ended === 'pending') return [name, 'pending'];
      if ('value' in ended) return [name, 'fulfilled'];
      const { error } = ended;
      return [name, isDeviceCloudError(error) ? `${error.category} ${error.reason} ${error.executed}` : String(error)];
    }),
  );
  return Object.fromEntries(ends);
}
