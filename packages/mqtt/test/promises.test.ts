import { isDeviceCloudError } from '@faultmap/core';
import { describe, expect, test } from 'vitest';
import { everything, mute, outcomes } from './support/everything.ts';
import { startPeer } from './support/peer.ts';
import { connected, rejection, staged, until } from './support/stage.ts';

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

  test('of end() itself, without a connection, with what nobody waits for', async () => {
    const peer = await startPeer();
    await peer.stop();
    await staged({ url: peer.url }, async (stage) => {
      stage.client.publish('a', 'x', { qos: 1 });
      await stage.heard('fault');
      await stage.client.endAsync();
      expect(stage.client.disconnected).toBe(true);
    });
  });

  test('of end() itself, when the connection goes that it waits on', () =>
    staged({ peer: { script: mute } }, async (stage) => {
      await connected(stage);
      const publish = rejection(stage.client.publishAsync('a', 'x', { qos: 1 }));
      const end = stage.client.endAsync();
      stage.client.stream.destroy();
      await end;
      expect(await publish).toMatchObject({ reason: 'ClientEnded', executed: 'unknown' });
    }));

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
