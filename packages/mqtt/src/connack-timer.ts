import { MAX_TIMER_MS } from '@faultmap/core/adapter';
import type { MqttClient } from 'mqtt';
import { undeclared } from './client.ts';

/**
 * The limit of the attempt that is under way, in place of the one mqtt.js gave it when it began. The timer
 * is where mqtt.js clears its own, at CONNACK and at the close, and does what its own would do.
 *
 * @returns gives the attempt mqtt.js' limit, anew, if it is still under way
 */
export function limitAttempt(client: MqttClient, ms: number): () => void {
  const slot = undeclared(client);
  const { stream } = client;
  const isUnderWay = () => client.stream === stream && stream?.destroyed === false && !client.connected;
  const arm = (limitMs: number) => {
    clearTimeout(slot.connackTimer);
    const timer = setTimeout(expire, Math.min(limitMs, MAX_TIMER_MS));
    slot.connackTimer = timer;
    return timer;
  };
  const expire = () => {
    slot._cleanUp?.(true);
    client.emit('error', new Error('connack timeout'));
  };
  if (!slot.connackTimer || typeof slot._cleanUp !== 'function' || !isUnderWay()) return () => {};
  const ours = arm(ms);
  return () => {
    const { connectTimeout = 30_000 } = client.options;
    if (slot.connackTimer === ours && isUnderWay()) arm(connectTimeout);
  };
}
