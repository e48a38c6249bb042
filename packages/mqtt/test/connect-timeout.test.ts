/* The limit of the attempt that was under way when we came. */

import { attachMqtt } from '@faultmap/mqtt';
import mqtt from 'mqtt';
import { describe, expect, test } from 'vitest';
import { startPeer } from './support/peer.ts';
import { type Library, libraries, setStage, until } from './support/stage.ts';

const quick = { baseDelayMs: 1, maxDelayMs: 5, stableAfterMs: 0 };

describe.concurrent.each<Library>(['newest', 'oldest'])('`connectTimeoutMs` (%s mqtt.js)', (library) => {
  test('ends the first attempt too, and each after it', async () => {
    const stage = await setStage({
      library,
      peer: { script: { connect: () => {} } },
      client: { connectTimeout: 600_000 },
      attach: { reconnect: { ...quick, connectTimeoutMs: 30 } },
    });
    const heard: unknown[] = [];
    stage.client.on('error', (error) => heard.push(error.message));
    await stage.heard('fault', 3);
    expect(stage.of('fault').map(({ error }) => error)).toMatchObject(
      Array(3).fill({ category: 'timeout', operation: 'mqtt.connect', executed: 'no' }),
    );
    expect(heard.slice(0, 3)).toEqual(Array(3).fill('connack timeout'));
    await stage.close();
  });

  test('leaves it longer than mqtt.js would', async () => {
    const stage = await setStage({
      library,
      peer: { script: { connect: (link) => void setTimeout(() => link.connack(0), 150) } },
      client: { connectTimeout: 20 },
      attach: { reconnect: { ...quick, connectTimeoutMs: 10_000 } },
    });
    await until(() => stage.client.connected, 'it is connected');
    expect(stage.told).toEqual([]);
    expect(stage.peer.links).toHaveLength(1);
    await stage.close();
  });

  test('not given, the limit is that of mqtt.js', async () => {
    const stage = await setStage({
      library,
      peer: { script: { connect: () => {} } },
      client: { connectTimeout: 30 },
      attach: { reconnect: quick },
    });
    await stage.heard('fault', 2);
    await stage.close();
  });

  test('ends with detach: mqtt.js has its own time again', async () => {
    const peer = await startPeer({ script: { connect: () => {} } });
    const client = libraries[library](peer.url, { connectTimeout: 60, reconnectPeriod: 600_000 });
    const handle = attachMqtt(client, { reconnect: { connectTimeoutMs: 600_000 } });
    await until(() => peer.links[0]?.connect !== undefined, 'CONNECT was sent');
    handle.detach();
    const [error] = await new Promise<[Error]>((resolve) => client.once('error', (...all) => resolve(all)));
    expect(error.message).toBe('connack timeout');
    client.end(true);
    await peer.stop();
  });

  test('leaves a connection alone that is there, or was refused', async () => {
    const peer = await startPeer();
    const client = libraries[library](peer.url, { reconnectPeriod: 600_000 });
    await new Promise((resolve) => client.once('connect', resolve));
    const handle = attachMqtt(client, { reconnect: { ...quick, connectTimeoutMs: 1 } });
    await client.publishAsync('a', 'x', { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(client.connected).toBe(true);
    expect(peer.links).toHaveLength(1);
    handle.detach();
    client.end(true);
    await peer.stop();
  });
});

test('is not counted twice where the program connects by itself later', async () => {
  const peer = await startPeer({ script: { connect: () => {} } });
  const client = mqtt.connect(peer.url, { connectTimeout: 600_000, manualConnect: true });
  const handle = attachMqtt(client, { reconnect: { ...quick, connectTimeoutMs: 30 } });
  const faults: unknown[] = [];
  handle.on('fault', ({ error }) => faults.push(error));
  client.connect();
  await until(() => faults.length > 0, 'a fault');
  expect(faults[0]).toMatchObject({ category: 'timeout' });
  handle.detach();
  client.end(true);
  await peer.stop();
});
