import { setTimeout as after } from 'node:timers/promises';
import { isDeviceCloudError } from '@faultmap/core';
import { attachMqtt } from '@faultmap/mqtt';
import mqtt, { type IClientOptions } from 'mqtt';
import { describe, expect, test } from 'vitest';
import type { Script } from './support/peer.ts';
import { startPeer } from './support/peer.ts';
import { connected, oneAttempt, outcome, rejection, type StageOptions, setStage, until } from './support/stage.ts';

/** A broker that takes everything and acknowledges nothing. */
const mute: Script = { publish: () => {}, subscribe: () => {}, unsubscribe: () => {} };

async function staged(options: StageOptions, run: (stage: Awaited<ReturnType<typeof setStage>>) => Promise<void>) {
  const stage = await setStage(options);
  try {
    await run(stage);
  } finally {
    await stage.close();
  }
}

function everything(client: mqtt.MqttClient) {
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

async function outcomes(pending: Record<string, Promise<unknown>>): Promise<Record<string, string>> {
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

describe.concurrent('a promise of an attached client settles', () => {
  test('with the refusal, its text and the topic (PUBACK of MQTT 5)', () =>
    staged(
      {
        level: 5,
        peer: {
          script: {
            publish: (link, { messageId }) =>
              link.send({ cmd: 'puback', messageId, reasonCode: 0x97, properties: { reasonString: 'full' } }),
          },
        },
      },
      async ({ client }) => {
        const error = await rejection(client.publishAsync('t/1', 'x', { qos: 1 }));
        expect(error).toMatchObject({
          category: 'quota',
          detail: 'full',
          executed: 'no',
          operation: 'publish t/1',
        });
      },
    ));

  test('for a callback as for a promise', () =>
    staged(
      {
        level: 5,
        peer: {
          script: { publish: (link, { messageId }) => link.send({ cmd: 'puback', messageId, reasonCode: 0x87 }) },
        },
      },
      async ({ client }) => {
        const error = await new Promise((resolve) => client.publish('a', 'x', { qos: 1 }, resolve));
        expect(error).toMatchObject({ category: 'unauthorized', reasonCode: 0x87 });
      },
    ));

  test('with the first refused topic of several, and events for all of them', () =>
    staged(
      {
        peer: {
          script: {
            subscribe: (link, { messageId }) => link.send({ cmd: 'suback', messageId, granted: [0, 0x80, 0x80] }),
          },
        },
      },
      async ({ client, of }) => {
        expect(await rejection(client.subscribeAsync(['a', 'b', 'c']))).toMatchObject({
          operation: 'subscribe b',
        });
        expect(of('fault').map(({ error }) => error.operation)).toEqual(['subscribe b', 'subscribe c']);
      },
    ));

  test('with a refused UNSUBSCRIBE, which mqtt.js takes for a success', () =>
    staged(
      {
        level: 5,
        peer: {
          script: { unsubscribe: (link, { messageId }) => link.send({ cmd: 'unsuback', messageId, granted: [0x87] }) },
        },
      },
      async ({ client }) =>
        void expect(await rejection(client.unsubscribeAsync('a'))).toMatchObject({
          category: 'unauthorized',
          reasonCode: 0x87,
        }),
    ));

  test('also with a granted QoS below the one asked for, which is no fault', () =>
    staged(
      {
        peer: { script: { subscribe: (link, { messageId }) => link.send({ cmd: 'suback', messageId, granted: [0] }) } },
      },
      async ({ client, told }) => {
        expect(await client.subscribeAsync('a', { qos: 2 })).toMatchObject([{ topic: 'a', qos: 0 }]);
        expect(told).toEqual([]);
      },
    ));

  test.each([
    ['reconnecting', 1_000],
    ['with reconnectPeriod 0', 0],
  ])('at end(true) (%s)', (_, reconnectPeriod) =>
    staged({ peer: { script: mute }, client: { reconnectPeriod }, attach: {} }, async (stage) => {
      await connected(stage);
      const pending = everything(stage.client);
      stage.client.end(true);
      expect(await outcomes(pending)).toEqual({
        'QoS 0': 'fulfilled',
        'QoS 1': 'network ClientEnded unknown',
        'QoS 2': 'network ClientEnded unknown',
        subscribe: 'network ClientEnded unknown',
        unsubscribe: 'network ClientEnded unknown',
      });
      expect(stage.of('fault')).toHaveLength(1);
    }),
  );

  test('at end() without a connection', async () => {
    const peer = await startPeer();
    await peer.stop();
    await staged({ url: peer.url }, async (stage) => {
      const pending = everything(stage.client);
      await stage.heard('fault');
      stage.client.end();
      const ends = await outcomes(pending);
      expect(ends['QoS 1']).toBe('network ClientEnded no');
      expect(Object.values(ends)).not.toContain('pending');
    });
  });

  test('after end(): it was not even tried', () =>
    staged({}, async (stage) => {
      await connected(stage);
      await stage.client.endAsync();
      expect(await rejection(stage.client.publishAsync('a', 'x', { qos: 1 }))).toMatchObject({
        reason: 'ClientEnded',
        executed: 'no',
      });
      stage.client.publish('a', 'x');
      await stage.heard('fault', 2);
      expect(stage.of('fault')).toHaveLength(2);
    }));

  test.each([4, 5] as const)(
    'after a refused CONNACK that will not pass, and at once from then on (level %d)',
    (level) =>
      staged(
        {
          level,
          peer: { script: { connect: (link) => link.connack(level === 5 ? 0x8a : 2) } },
          attach: { reconnect: { onPermanentFault: 'stop' } },
        },
        async (stage) => {
          const pending = everything(stage.client);
          const ends = await outcomes(pending);
          expect(new Set(Object.values(ends)).size).toBe(1);
          expect(ends['QoS 1']).toMatch(level === 5 ? 'unauthorized Banned no' : 'bad-request Identifier rejected no');
          const late = await rejection(stage.client.publishAsync('a', 'late', { qos: 1 }));
          expect(late).toMatchObject({ category: level === 5 ? 'unauthorized' : 'bad-request', executed: 'no' });
          expect(late.cause).toBe(stage.of('fault')[0]?.error);
          expect(stage.of('fault')).toHaveLength(1);
          expect(stage.givenUp('mqtt.connect')).toMatchObject([{ stopped: 'not-transient' }]);
        },
      ),
  );

  test.each(['newest', 'oldest'] as const)('when mqtt.js itself will not reconnect (reconnect: false, %s)', (library) =>
    staged({ library, client: { reconnectPeriod: 0 }, peer: { script: mute }, attach: {} }, async (stage) => {
      await connected(stage);
      const pending = everything(stage.client);
      await until(() => (stage.peer.links[0]?.of('unsubscribe').length ?? 0) > 0, 'all is written');
      stage.peer.links[0]?.reset();
      expect(await outcomes(pending)).toMatchObject({
        'QoS 1': 'network ECONNRESET unknown',
        subscribe: 'network ECONNRESET unknown',
      });
      expect(stage.of('fault')).toHaveLength(1);
      expect(stage.givenUp('mqtt.connect')).toMatchObject([{ stopped: 'disabled' }]);
    }),
  );

  test('when the connection is lost under a subscription: its cause is that loss', () =>
    staged({ peer: { script: mute } }, async (stage) => {
      await connected(stage);
      const pending = [stage.client.subscribeAsync('a'), stage.client.unsubscribeAsync('b')];
      await until(() => (stage.peer.links[0]?.of('unsubscribe').length ?? 0) > 0, 'both are written');
      stage.peer.links[0]?.reset();
      for (const promise of pending)
        expect(await rejection(promise)).toMatchObject({
          reason: 'ECONNRESET',
          executed: 'unknown',
          cause: stage.of('fault')[0]?.error,
        });
      expect(stage.of('fault')).toHaveLength(1);
    }));

  test('without a connection, where QoS 0 is not queued', async () => {
    const peer = await startPeer();
    await peer.stop();
    await staged({ url: peer.url, client: { queueQoSZero: false } }, async (stage) => {
      await stage.heard('fault');
      expect(await rejection(stage.client.publishAsync('a', 'x'))).toMatchObject({
        category: 'network',
        executed: 'no',
      });
      expect(stage.of('fault')).toHaveLength(1);
    });
  });

  test('for a topic that is none', () =>
    staged({}, async (stage) => {
      expect(isDeviceCloudError(await rejection(stage.client.subscribeAsync('a/#/b')))).toBe(true);
      expect(stage.of('fault')).toHaveLength(1);
    }));
});

describe.concurrent('operationTimeoutMs', () => {
  const attach = { ...oneAttempt, operationTimeoutMs: 120 };

  test('ends what is never acknowledged, and takes it back first', () =>
    staged({ peer: { script: mute }, attach }, async (stage) => {
      await connected(stage);
      const { 'QoS 0': _, ...pending } = everything(stage.client);
      const ends = await outcomes(pending);
      expect(new Set(Object.values(ends))).toEqual(new Set(['timeout RequestTimeout unknown']));
      expect(stage.of('fault')).toHaveLength(4);
      expect(Object.keys(stage.client.outgoing)).toEqual([]);
    }));

  test('rejected means: not sent again on the next connection', () =>
    staged(
      { peer: { script: mute }, attach: { operationTimeoutMs: 120, reconnect: { baseDelayMs: 1, stableAfterMs: 0 } } },
      async (stage) => {
        await connected(stage);
        await rejection(stage.client.publishAsync('a', 'x', { qos: 1 }));
        stage.peer.links[0]?.reset();
        await stage.heard('recovered');
        stage.peer.script({});
        await stage.client.publishAsync('a', 'y', { qos: 1 });
        expect(stage.peer.links[1]?.of('publish').map(({ payload }) => String(payload))).toEqual(['y']);
      },
    ));

  test('counts the second half of a QoS 2 publish too, also on the next connection', () =>
    staged(
      {
        peer: { script: { pubrel: (link) => link.reset() } },
        attach: { operationTimeoutMs: 300, reconnect: { baseDelayMs: 1, stableAfterMs: 0 } },
      },
      async (stage) => {
        const [first, second] = [0, 1].map(() => stage.client.publishAsync('a', 'x', { qos: 2 }));
        const failed = rejection(second as Promise<unknown>);
        await stage.heard('fault');
        let released = 0;
        stage.peer.script({ pubrel: () => (released++ === 0 ? false : undefined) });
        expect(await outcome(first as Promise<unknown>)).toHaveProperty('value');
        expect(await failed).toMatchObject({ category: 'timeout', executed: 'unknown' });
        expect(Object.keys(stage.client.outgoing)).toEqual([]);
      },
    ));

  test('starts anew when mqtt.js sends it again', () =>
    staged(
      {
        peer: { script: mute },
        attach: { operationTimeoutMs: 1_600, reconnect: { baseDelayMs: 1, stableAfterMs: 0 } },
      },
      async (stage) => {
        await connected(stage);
        const pending = stage.client.publishAsync('a', 'x', { qos: 1 });
        await after(1_000);
        stage.peer.links[0]?.reset();
        await until(() => (stage.peer.links[1]?.of('publish').length ?? 0) > 0, 'it is sent again');
        await after(1_000);
        stage.peer.links[1]?.send({ cmd: 'puback', messageId: stage.peer.links[1]?.of('publish')[0]?.messageId });
        expect(await outcome(pending)).toHaveProperty('value');
      },
    ));

  test('does not run without a connection: store and forward goes on working', async () => {
    const first = await startPeer();
    await first.stop();
    await staged(
      { url: first.url, attach: { operationTimeoutMs: 400, reconnect: { baseDelayMs: 30, maxDelayMs: 30 } } },
      async (stage) => {
        const pending = ['a', 'b', 'c'].map((payload) => stage.client.publishAsync('t', payload, { qos: 1 }));
        await stage.heard('fault', 3);
        await after(450);
        const second = await startPeer({ port: first.port });
        await Promise.all(pending);
        expect(second.links[0]?.of('publish').map(({ payload }) => String(payload))).toEqual(['a', 'b', 'c']);
        await second.stop();
      },
    );
  });

  test('lets a long store drain, one by one, past its own limit', async () => {
    const first = await startPeer();
    await first.stop();
    const slow: Script = {
      publish: (link, { messageId }) => void setTimeout(() => link.send({ cmd: 'puback', messageId }), 60),
    };
    await staged(
      { url: first.url, attach: { operationTimeoutMs: 500, reconnect: { baseDelayMs: 10, maxDelayMs: 10 } } },
      async (stage) => {
        const pending = Array.from({ length: 12 }, (_, n) => stage.client.publishAsync('t', String(n), { qos: 1 }));
        await stage.heard('fault');
        const second = await startPeer({ port: first.port, script: slow });
        await Promise.all(pending);
        expect(second.links[0]?.of('publish')).toHaveLength(12);
        await second.stop();
      },
    );
  });

  test('moves on past a stored message that is never acknowledged', async () => {
    const first = await startPeer();
    await first.stop();
    const deaf: Script = {
      publish: (_, { payload }) => (String(payload) === 'poison' ? undefined : false),
    };
    await staged(
      { url: first.url, attach: { operationTimeoutMs: 500, reconnect: { baseDelayMs: 10, maxDelayMs: 10 } } },
      async (stage) => {
        const poison = stage.client.publishAsync('t', 'poison', { qos: 1 });
        const good = stage.client.publishAsync('t', 'good', { qos: 1 });
        await stage.heard('fault');
        const second = await startPeer({ port: first.port, script: deaf });
        expect(await rejection(poison)).toMatchObject({ category: 'timeout', executed: 'unknown' });
        expect(await outcome(good)).toHaveProperty('value');
        await second.stop();
      },
    );
  });
});

describe('offlineTimeoutMs', () => {
  test('ends what waits without a connection, with the reason why there is none', async () => {
    const peer = await startPeer();
    await peer.stop();
    await staged({ url: peer.url, attach: { ...oneAttempt, offlineTimeoutMs: 120 } }, async (stage) => {
      const ends = await outcomes({
        'QoS 0': stage.client.publishAsync('a', 'x'),
        'QoS 1': stage.client.publishAsync('a', 'x', { qos: 1 }),
      });
      expect(new Set(Object.values(ends))).toEqual(new Set(['network ECONNREFUSED no']));
      expect(stage.of('fault')).toHaveLength(1);
      expect(stage.client.queue).toEqual([]);
      expect(Object.keys(stage.client.outgoing)).toEqual([]);
    });
  });
});

describe('nothing else changes', () => {
  test('the program sees the same events in the same order, attached or not', async () => {
    const seen = async (attached: boolean) => {
      const peer = await startPeer({ script: { publish: (link) => link.reset() } });
      const events: string[] = [];
      const options: IClientOptions = { reconnectPeriod: 30 };
      const client = mqtt.connect(peer.url, options);
      const handle = attached ? attachMqtt(client, { reconnect: { baseDelayMs: 30 } }) : undefined;
      for (const name of ['connect', 'error', 'close', 'offline', 'reconnect', 'message'] as const)
        client.on(name as 'close', () => events.push(name));
      await connected({ client });
      client.publish('a', 'x');
      await until(() => events.filter((name) => name === 'connect').length === 2, 'it reconnects');
      handle?.detach();
      client.end(true);
      await peer.stop();
      return events.slice(0, 6);
    };
    expect(await seen(true)).toEqual(await seen(false));
  });

  test('a listener that throws loses no packet and harms nobody', () =>
    staged({}, async (stage) => {
      const warnings: string[] = [];
      const onWarning = (warning: Error) => warnings.push(warning.message);
      process.on('warning', onWarning);
      await connected(stage);
      stage.handle.on('fault', () => {
        throw new Error('the listener is broken');
      });
      const messages: string[] = [];
      stage.client.on('message', (_, payload) => messages.push(String(payload)));
      const link = stage.peer.links[0];
      link?.send({
        cmd: 'publish',
        topic: '$iothub/twin/res/500/?$rid=x',
        payload: '',
        qos: 0,
        dup: false,
        retain: false,
      });
      for (const payload of ['1', '2', '3'])
        link?.send({ cmd: 'publish', topic: 'a', payload, qos: 0, dup: false, retain: false });
      await until(() => messages.length === 4, 'all messages arrive');
      await until(() => warnings.length > 0, 'the mistake is said');
      process.off('warning', onWarning);
      expect(stage.of('fault')).toHaveLength(1);
      expect(warnings[0]).toContain('the listener is broken');
    }));
});
