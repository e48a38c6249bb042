/* What mqtt.js cannot write it throws at the caller, and keeps all the same. */
import { describe, expect, test } from 'vitest';
import { connected, type Library, outcome, staged, until } from './support/stage.ts';

const quick = { baseDelayMs: 1, maxDelayMs: 5, stableAfterMs: 0 };
const long = 't'.repeat(70_000);

describe.concurrent.each<Library>(['newest', 'oldest'])('a call that mqtt.js throws at (%s)', (library) => {
  test.each([
    ['a payload that is none', 'publish', ['t', 42 as never, { qos: 1 }]],
    ['another, at QoS 2', 'publish', ['t', { a: 1 } as never, { qos: 2 }]],
    ['a topic too long', 'publish', [long, 'x', { qos: 1 }]],
    ['a filter too long', 'subscribe', [long]],
    ['a filter too long among others', 'subscribe', [['a', long]]],
  ] as const)('%s leaves nothing behind: the client goes on, also after a reconnect', (_, verb, args) =>
    staged({ library, attach: { reconnect: quick } }, async (stage) => {
      await connected(stage);
      const { client, peer } = stage;
      await client.subscribeAsync('good');
      const call = Reflect.get(client, verb) as (...all: unknown[]) => unknown;
      expect(() => call.apply(client, [...args])).toThrow(TypeError);
      expect(() => call.apply(client, [...args, () => {}])).toThrow(TypeError);
      expect(Object.keys(client.outgoing)).toEqual([]);
      expect(Object.keys(Reflect.get(client, '_resubscribeTopics'))).toEqual(['good']);
      peer.links[0]?.fin();
      await until(() => peer.links.length === 2, 'it comes back');
      expect(await outcome(client.publishAsync('t', 'x', { qos: 1 }))).toHaveProperty('value');
      await until(() => peer.links[1]?.of('subscribe').length === 1, 'it subscribes again');
      expect(peer.links[1]?.of('subscribe')[0]?.subscriptions.map(({ topic }) => topic)).toEqual(['good']);
      expect(peer.links[1]?.of('publish').map(({ topic }) => topic)).toEqual(['t']);
    }),
  );

  test.each([42, { a: 1 }, true, new ArrayBuffer(2), () => 'x'])(
    'a payload that is none (%s) is thrown at once without a connection too, where it would end the process later',
    (payload) =>
      staged({ library, attach: { reconnect: quick } }, async (stage) => {
        const publish = () => stage.client.publish('t', payload as never, { qos: 1 });
        expect(stage.client.connected).toBe(false);
        expect(publish).toThrow(TypeError);
        expect(await outcome(stage.client.publishAsync('t', payload as never))).toMatchObject({
          error: { name: 'TypeError' },
        });
        await connected(stage);
        for (const good of ['x', Buffer.from('x'), new Uint8Array(1), '', undefined, null])
          expect(await outcome(stage.client.publishAsync('t', good as never, { qos: 1 }))).toHaveProperty('value');
        expect(stage.peer.links).toHaveLength(1);
        expect(stage.peer.links[0]?.of('publish')).toHaveLength(6);
      }),
  );

  test('is told once: by what is thrown, or by the promise', () =>
    staged({ library, attach: { reconnect: quick } }, async (stage) => {
      await connected(stage);
      const told: unknown[] = [];
      expect(() => stage.client.publish('t', 42 as never, { qos: 1 }, (error) => told.push(error))).toThrow(TypeError);
      expect(await outcome(stage.client.publishAsync('t', 42 as never, { qos: 1 }))).toMatchObject({
        error: { name: 'TypeError' },
      });
      await stage.client.publishAsync('t', 'x', { qos: 1 });
      expect(told).toEqual([]);
      expect(stage.told).toEqual([]);
      expect(stage.peer.links).toHaveLength(1);
    }));

  test('and had begun to write: nothing of it arrives, on a connection that is given up', () =>
    staged({ library, attach: { reconnect: quick } }, async (stage) => {
      await connected(stage);
      expect(await outcome(stage.client.subscribeAsync(long))).toMatchObject({ error: { name: 'TypeError' } });
      await stage.client.publishAsync('t', 'x', { qos: 1 });
      expect(stage.of('fault')).toMatchObject([{ error: { category: 'protocol', reason: 'ProtocolViolation' } }]);
      expect(stage.peer.links.map((link) => link.received.map(({ cmd }) => cmd))).toEqual([
        ['connect'],
        ['connect', 'publish'],
      ]);
    }));

  test('a filter that was there before stays', () =>
    staged({ library, attach: { reconnect: quick } }, async (stage) => {
      await connected(stage);
      await stage.client.subscribeAsync('good', { qos: 0 });
      expect(() => stage.client.subscribe({ good: { qos: 1 }, [long]: { qos: 1 } })).toThrow(TypeError);
      expect(Reflect.get(stage.client, '_resubscribeTopics')).toMatchObject({ good: { qos: 0 } });
    }));
});
