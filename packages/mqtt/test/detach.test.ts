import { setTimeout as after } from 'node:timers/promises';
import { attachMqtt } from '@faultmap/mqtt';
import mqtt, { MqttClient } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { startPeer } from './support/peer.ts';
import { connected, libraries, outcome, setStage, until } from './support/stage.ts';

const EVENTS = [
  'error',
  'packetsend',
  'packetreceive',
  'message',
  'close',
  'end',
  'connect',
  'offline',
  'reconnect',
] as const;

/** Everything of a client that an attachment could change. */
function traces(client: MqttClient) {
  const stream = client.stream as unknown as { listenerCount(name: string): number };
  return {
    own: Object.getOwnPropertyNames(client).sort(),
    symbols: Object.getOwnPropertySymbols(client).map(String),
    listeners: EVENTS.map((name) => [name, client.listenerCount(name)]),
    stream: ['error', 'close'].map((name) => [name, stream.listenerCount(name)]),
    period: client.options.reconnectPeriod,
    timeout: client.options.connectTimeout,
    builder: (client as unknown as { streamBuilder: unknown }).streamBuilder,
    publish: client.publish,
    subscribe: client.subscribe,
    unsubscribe: client.unsubscribe,
    end: client.end,
  };
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe.each(['newest', 'oldest'] as const)('detach (%s mqtt.js)', (library) => {
  test('restores the client, connected', async () => {
    const peer = await startPeer();
    const client = libraries[library](peer.url, { reconnectPeriod: 777 });
    await connected({ client });
    const before = traces(client);
    const handle = attachMqtt(client, { reconnect: { connectTimeoutMs: 5 } });
    expect(traces(client)).not.toEqual(before);
    handle.detach();
    expect(traces(client)).toEqual(before);
    client.end(true);
    await peer.stop();
  });

  test('restores the client after losses, and mqtt.js goes on by itself', async () => {
    const stage = await setStage({
      library,
      client: { reconnectPeriod: 20 },
      attach: { reconnect: { baseDelayMs: 600_000 }, random: () => 0.9 },
    });
    await connected(stage);
    stage.peer.links[0]?.reset();
    await stage.heard('retry');
    stage.handle.detach();
    expect(stage.client.options.reconnectPeriod).toBe(20);
    // In 20 ms, not in the minutes that we would have waited.
    await connected(stage);
    await stage.client.publishAsync('a', 'x', { qos: 1 });
    expect(stage.of('recovered')).toEqual([]);
    await stage.close();
  });

  test.each(['fault', 'retry', 'close'] as const)(
    'in the midst of a loss leaves nothing of it (at %s)',
    async (moment) => {
      const nobody = await startPeer();
      const stage = await setStage({
        library,
        url: nobody.url,
        client: { reconnectPeriod: 20 },
        attach: { reconnect: { baseDelayMs: 600_000 }, random: () => 0.9 },
      });
      await connected(stage);
      if (moment === 'close') stage.client.once('close', () => stage.handle.detach());
      else stage.handle.on(moment, () => stage.handle.detach());
      await nobody.stop();
      await until(() => stage.client.listenerCount('packetsend') === 0, 'it is detached');
      expect(stage.client.options.reconnectPeriod).toBe(20);
      // Fails a few times first.
      await after(60);
      const again = await startPeer({ port: nobody.port });
      await connected(stage);
      await again.stop();
      await stage.close();
    },
  );

  test('with `reconnect: false` touches no timer of mqtt.js', async () => {
    const stage = await setStage({ library, client: { reconnectPeriod: 20 }, attach: { reconnect: false } });
    await connected(stage);
    stage.client.once('close', () => stage.handle.detach());
    stage.peer.links[0]?.reset();
    await until(() => stage.peer.links.length === 2, 'mqtt.js reconnects');
    await stage.close();
  });

  test('hands a reconnect that we held back to mqtt.js', async () => {
    let release = () => {};
    const stage = await setStage({
      library,
      client: { reconnectPeriod: 20 },
      attach: {
        reconnect: { baseDelayMs: 1 },
        credentials: () =>
          new Promise((resolve) => {
            release = () => resolve({});
          }),
      },
    });
    await connected(stage);
    stage.peer.links[0]?.reset();
    await stage.heard('retry');
    stage.handle.detach();
    await until(() => stage.peer.links.length === 2, 'mqtt.js reconnects');
    release();
    await stage.close();
  });

  test('leaves what is pending to mqtt.js', async () => {
    const stage = await setStage({
      library,
      peer: { script: { publish: () => {} } },
      attach: { operationTimeoutMs: 30 },
    });
    await connected(stage);
    const pending = stage.client.publishAsync('a', 'x', { qos: 1 });
    stage.handle.detach();
    await after(80);
    const [sent] = stage.peer.links[0]?.of('publish') ?? [];
    stage.peer.links[0]?.send({ cmd: 'puback', messageId: sent?.messageId });
    expect(await outcome(pending)).toHaveProperty('value');
    await stage.close();
  });

  test('leaves no timer behind, after any ending', async () => {
    const before = timers();
    const peer = await startPeer({
      script: { publish: () => {}, connect: (link) => link.connack(link.connect?.clientId === 'no' ? 5 : 0) },
    });
    for (const clientId of ['yes', 'no']) {
      const client = libraries[library](peer.url, { clientId, keepalive: 0 });
      const handle = attachMqtt(client, { operationTimeoutMs: 600_000, offlineTimeoutMs: 600_000 });
      const pending = client.publishAsync('a', 'x', { qos: 1 }).catch(() => {});
      const request = handle.request('$iothub/twin/GET/').catch(() => {});
      await after(50);
      if (clientId === 'yes') client.end(true);
      handle.detach();
      if (clientId === 'no') client.end(true);
      await Promise.race([Promise.all([pending, request]), after(100)]);
    }
    await peer.stop();
    await until(() => timers() <= before, 'the timers are gone');
  });
});

test('a client that is dead already is told, and connected again', async () => {
  const peer = await startPeer({ script: { connect: (link) => link.connack(5) } });
  const client = mqtt.connect(peer.url);
  await new Promise<void>((resolve) => client.once('close', () => resolve()));
  peer.script({});
  const handle = attachMqtt(client, { reconnect: { baseDelayMs: 1 } });
  const faults: unknown[] = [];
  handle.on('fault', ({ error }) => faults.push(error));
  expect(await outcome(client.publishAsync('a', 'x', { qos: 1 }))).toHaveProperty('value');
  expect(faults).toMatchObject([{ category: 'unknown', reason: 'ConnectionClosed' }]);
  handle.detach();
  client.end(true);
  await peer.stop();
});

test('a second attach gives the first handle; other options are refused', async () => {
  const stage = await setStage({ attach: { operationTimeoutMs: 5_000 } });
  expect(attachMqtt(stage.client, { operationTimeoutMs: 5_000 })).toBe(stage.handle);
  expect(() => attachMqtt(stage.client, { operationTimeoutMs: 6_000 })).toThrow(
    /attachMqtt: this client is attached already/,
  );
  stage.handle.detach();
  expect(attachMqtt(stage.client)).not.toBe(stage.handle);
  await stage.close();
});

test('options are checked, by name, expectation and what came', async () => {
  const client = mqtt.connect('mqtt://127.0.0.1:1', { manualConnect: true });
  expect(() => attachMqtt(client, { operationTimeoutMs: -1 })).toThrow(
    'attachMqtt: option operationTimeoutMs: expected a number of milliseconds, 0 or more (Infinity for none), got -1',
  );
  expect(() => attachMqtt(client, { reconnect: { baseDelayMs: 'soon' as never } })).toThrow(
    /attachMqtt: option reconnect.baseDelayMs/,
  );
  expect(() => attachMqtt(client, { retry: { maxAttempts: 0 } })).toThrow(/attachMqtt: option retry.maxAttempts/);
  expect(() => attachMqtt(client, { retries: 3 } as never)).toThrow(/expected one of the options retry/);
  expect(Object.getOwnPropertySymbols(client).map(String)).not.toContain('Symbol(faultmap.attached.mqtt)');
  expect(Object.getOwnPropertyNames(client)).not.toContain('publish');
});

test('a client that nobody listens to for errors still throws them', async () => {
  const peer = await startPeer();
  const { streamBuilder } = mqtt.connect(peer.url, { manualConnect: true }) as unknown as { streamBuilder: never };
  const client = new MqttClient(streamBuilder, { manualConnect: true });
  const handle = attachMqtt(client);
  const error = new Error('Keepalive timeout');
  expect(() => client.emit('error', error)).toThrow(error);
  client.on('error', () => {});
  expect(() => client.emit('error', new Error('connack timeout'))).not.toThrow();
  handle.detach();
  await peer.stop();
});
