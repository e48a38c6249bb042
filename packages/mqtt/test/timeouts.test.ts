import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { everything, mute, outcomes } from './support/everything.ts';
import { type Script, startPeer } from './support/peer.ts';
import { connected, oneAttempt, outcome, rejection, staged, until } from './support/stage.ts';

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
