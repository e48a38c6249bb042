import { isDeviceCloudError } from '@faultmap/core';
import { attachMqtt } from '@faultmap/mqtt';
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import type { Link } from './support/peer.ts';
import { startPeer } from './support/peer.ts';
import { connected, until } from './support/stage.ts';

const MESSAGES = 10_000;
/** Waited for at the same time. */
const WINDOW = 100;
const SEED = Number(process.env.FAULTMAP_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Of one message each. */
const CHANCES = { resetBefore: 0.002, resetAfter: 0.002, drop: 0.001, delay: 0.02, double: 0.02 };

/** A broker that resets, delays, drops and doubles; it keeps what it has received and acknowledged. */
function moody(random: () => number) {
  const received = new Map<string, number>();
  const acknowledged = new Set<string>();
  const done = { resetBefore: 0, resetAfter: 0, drop: 0, delay: 0, double: 0 };
  const pick = (): keyof typeof CHANCES | undefined => {
    let dice = random();
    for (const [name, chance] of Object.entries(CHANCES)) {
      if (dice < chance) return name as keyof typeof CHANCES;
      dice -= chance;
    }
    return undefined;
  };
  const publish = (link: Link, { payload, messageId }: { payload: string | Buffer; messageId?: number }) => {
    const text = String(payload);
    received.set(text, (received.get(text) ?? 0) + 1);
    const ack = () => {
      if (link.closed) return;
      acknowledged.add(text);
      link.send({ cmd: 'puback', messageId });
    };
    const mood = pick();
    if (mood) done[mood] += 1;
    if (mood === 'resetBefore') return link.reset();
    if (mood === 'drop') return;
    if (mood === 'delay') return void setTimeout(ack, random() * 10);
    ack();
    if (mood === 'double') ack();
    if (mood === 'resetAfter') link.reset();
  };
  return { publish, received, acknowledged, done };
}

test(`${MESSAGES} publishes at QoS 1 through a broker that resets, delays, drops and doubles`, {
  timeout: 60_000,
}, async () => {
  const broker = moody(randomFrom(SEED));
  const peer = await startPeer({ script: { publish: broker.publish } });
  const client = mqtt.connect(peer.url, { reconnectPeriod: 5 });
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const handle = attachMqtt(client, {
    operationTimeoutMs: 200,
    reconnect: { baseDelayMs: 5, maxDelayMs: 20, stableAfterMs: 0 },
  });
  const told = { fault: 0, retry: 0, 'give-up': 0, recovered: 0 };
  for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const) handle.on(name, () => void told[name]++);
  await connected({ client });
  const fulfilled = new Set<string>();
  const rejected = new Map<string, unknown>();
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < MESSAGES; at = next++) {
      const text = `m${at}`;
      await client.publishAsync('telemetry', text, { qos: 1 }).then(
        () => fulfilled.add(text),
        (error: unknown) => rejected.set(text, error),
      );
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: WINDOW }, worker));
  const seconds = (performance.now() - startedAt) / 1_000;
  handle.detach();
  const counts = {
    fulfilled: fulfilled.size,
    rejected: rejected.size,
    received: broker.received.size,
    connections: peer.links.length,
  };
  console.log(
    `soak, seed ${SEED}: ${JSON.stringify({ ...counts, ...broker.done, ...told })} in ${seconds.toFixed(1)} s`,
  );

  expect(fulfilled.size + rejected.size).toBe(MESSAGES);
  expect([...fulfilled].filter((text) => !broker.acknowledged.has(text))).toEqual([]);
  // Only a lost acknowledgement leaves the outcome open; what was acknowledged in time is never given up.
  for (const error of rejected.values()) expect(error).toMatchObject({ category: 'timeout', executed: 'unknown' });
  expect([...rejected.values()].every(isDeviceCloudError)).toBe(true);
  expect(rejected.size).toBeLessThanOrEqual(broker.done.drop + broker.done.delay + told.retry * 2);
  expect(told['give-up']).toBe(rejected.size);
  expect(told.fault).toBe(told.retry + rejected.size);
  expect(told.recovered).toBe(peer.links.length - 1);
  expect(Object.keys(client.outgoing)).toEqual([]);
  for (const name of ['packetsend', 'packetreceive', 'message', 'end'] as const)
    expect(client.listenerCount(name)).toBe(0);
  client.end(true);
  await peer.stop();
  await until(
    () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length <= before,
    'the timers are gone',
  );
});
