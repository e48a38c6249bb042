import { describe, expect, test, vi } from 'vitest';
import { mosquittoPath, startMosquitto } from './support/mosquitto.ts';
import type { Link, Script } from './support/peer.ts';
import {
  connected,
  type Library,
  outcome,
  quick,
  rejection,
  type Stage,
  setStage,
  stagedQuick as staged,
  until,
} from './support/stage.ts';

vi.setConfig({ maxConcurrency: 16 });

/** A broker that closes at one topic, as those of 3.1.1 do. */
const closing = (at = 'poison', how: (link: Link) => void = (link) => link.fin()): Script => ({
  publish: (link, { topic }) => (topic === at ? how(link) : false),
});

const topics = (stage: Stage) => stage.peer.links.map((link) => link.of('publish').map(({ topic }) => topic));

describe.concurrent.each<Library>(['newest', 'oldest'])(
  'a publish that the server closes at (%s mqtt.js)',
  (library) => {
    test.each([1, 2] as const)('is taken back after three connections, and the next one lives (QoS %d)', (qos) =>
      staged({ library, peer: { script: closing() } }, async (stage) => {
        const error = await rejection(stage.client.publishAsync('poison', 'x', { qos }));
        expect(error).toMatchObject({
          category: 'unknown',
          reason: 'PublishClosesConnection',
          advice: 'never',
          executed: 'unknown',
          operation: 'publish poison',
          attempts: 3,
          stopped: 'not-transient',
        });
        expect(error.message).toBe('[PublishClosesConnection] publish poison: 3 connections in a row closed on it');
        expect(error.fix).toContain('not sent again');
        expect(stage.givenUp(/^publish/)).toMatchObject([{ operation: 'publish poison', attempt: 3 }]);
        expect(stage.of('fault')).toHaveLength(3);
        expect(await outcome(stage.client.publishAsync('good', 'x', { qos }))).toHaveProperty('value');
        expect(topics(stage)).toEqual([['poison'], ['poison'], ['poison'], ['good']]);
        expect(Object.keys(stage.client.outgoing)).toEqual([]);
      }),
    );

    test('also by a reset, by DISCONNECT of MQTT 5, and where nobody waits', () =>
      staged({ library, level: 5, peer: { script: closing('poison', (link) => link.reset()) } }, async (stage) => {
        stage.client.publish('poison', 'x', { qos: 1 });
        await until(() => stage.givenUp(/^publish poison$/).length === 1, 'it is given up');
        stage.peer.script(closing('worse', (link) => [link.send({ cmd: 'disconnect', reasonCode: 0x82 }), link.fin()]));
        expect(await rejection(stage.client.publishAsync('worse', 'x', { qos: 1 }))).toMatchObject({
          reason: 'PublishClosesConnection',
          category: 'protocol',
          reasonCode: 0x82,
        });
        expect(topics(stage).flat()).toEqual(['poison', 'poison', 'poison', 'worse', 'worse', 'worse']);
      }));

    test('does not take the messages around it with it', () =>
      staged({ library, peer: { script: closing() } }, async (stage) => {
        await connected(stage);
        const sent = ['a', 'b', 'poison', 'c', 'd'].map((topic) =>
          outcome(stage.client.publishAsync(topic, 'x', { qos: 1 })),
        );
        const subscribed = outcome(stage.client.subscribeAsync('news'));
        const ends = await Promise.all(sent);
        expect(ends.map((end) => (end === 'pending' ? end : 'error' in end ? 'rejected' : 'fulfilled'))).toEqual([
          'fulfilled',
          'fulfilled',
          'rejected',
          'fulfilled',
          'fulfilled',
        ]);
        await subscribed;
        // The first connection had several in flight: it accuses nobody.
        expect(topics(stage).filter((all) => all.includes('poison'))).toHaveLength(4);
      }));

    test("nor do two of them stand in each other's way", () =>
      staged(
        { library, peer: { script: { publish: (link, { topic }) => (topic === 'good' ? false : link.fin()) } } },
        async (stage) => {
          await connected(stage);
          const ends = ['poison', 'venom', 'good'].map((topic) =>
            outcome(stage.client.publishAsync(topic, 'x', { qos: 1 })),
          );
          expect(await ends[0]).toHaveProperty('error.reason', 'PublishClosesConnection');
          expect(await ends[1]).toHaveProperty('error.reason', 'PublishClosesConnection');
          expect(await ends[2]).toHaveProperty('value');
        },
      ));

    test('as often as `withdrawAfterCloses` says, or for ever', () =>
      staged(
        { library, peer: { script: closing() }, attach: { withdrawAfterCloses: Infinity, reconnect: quick } },
        async (stage) => {
          const pending = outcome(stage.client.publishAsync('poison', 'x', { qos: 1 }), 8_000);
          await until(() => stage.peer.links.length > 8, 'it is sent for ever');
          stage.peer.script({});
          expect(await pending).toHaveProperty('value');
        },
      ));

    test('is not one that a server was merely down for: who closes without PINGRESP proves nothing', () => {
      const down: Script = { publish: (link) => link.fin(), pingreq: (link) => link.fin() };
      return staged({ library, peer: { script: down } }, async (stage) => {
        const pending = outcome(stage.client.publishAsync('good', 'x', { qos: 1 }), 8_000);
        await until(() => stage.peer.links.length > 8, 'the server is down for long');
        expect(topics(stage).flat()).toEqual(['good']);
        stage.peer.script({});
        expect(await pending).toHaveProperty('value');
        expect(stage.givenUp(/^publish/)).toEqual([]);
      });
    });

    test('is not one that was acknowledged in between', () => {
      let times = 0;
      return staged(
        { library, peer: { script: { publish: (link) => (++times % 3 === 0 ? false : link.fin()) } } },
        async (stage) => {
          for (let at = 0; at < 4; at++)
            expect(await outcome(stage.client.publishAsync('good', String(at), { qos: 1 }))).toHaveProperty('value');
          expect(stage.givenUp(/^publish/)).toEqual([]);
        },
      );
    });

    test('is not one beside a QoS 0 publish, or a SUBSCRIBE, that may be to blame', () =>
      staged({ library, peer: { script: { publish: () => {}, subscribe: (link) => link.fin() } } }, async (stage) => {
        await connected(stage);
        const pending = outcome(stage.client.publishAsync('good', 'x', { qos: 1 }));
        await rejection(stage.client.subscribeAsync('closes'));
        await until(() => stage.peer.links.length === 2, 'it comes back');
        stage.peer.script({});
        stage.peer.links[1]?.fin();
        expect(await pending).toHaveProperty('value');
      }));

    test('waits no longer than detach, or the end of the client', () =>
      staged({ library, peer: { script: closing() } }, async (stage) => {
        const pending = outcome(stage.client.publishAsync('poison', 'x', { qos: 1 }));
        await stage.heard('fault');
        stage.peer.script({ pingreq: () => {} });
        await until(
          () => stage.peer.links.length === 2 && (stage.peer.links[1]?.of('pingreq').length ?? 0) > 0,
          'asks',
        );
        expect(stage.peer.links[1]?.of('publish')).toEqual([]);
        stage.handle.detach();
        expect(await pending).toHaveProperty('value');
        expect(Object.hasOwn(stage.client.outgoingStore, 'createStream')).toBe(false);
      }));
  },
);

describe.concurrent('a connection is told to have recovered', () => {
  test('when the server acknowledged something, not whenever it accepts', () =>
    staged(
      { peer: { script: closing() }, client: { reconnectPeriod: 5 }, attach: { reconnect: false } },
      async (stage) => {
        await rejection(stage.client.publishAsync('poison', 'x', { qos: 1 }));
        await until(() => stage.peer.links.length === 4 && stage.client.connected, 'it is back');
        expect(stage.of('recovered')).toEqual([]);
        await stage.client.publishAsync('good', 'x', { qos: 1 });
        expect(stage.of('recovered')).toMatchObject([{ attempt: 3, operation: 'mqtt.connect' }]);
      },
    ));

  test('or when it held for `stableAfterMs`', () =>
    staged({ attach: { reconnect: { ...quick, stableAfterMs: 60 } } }, async (stage) => {
      await connected(stage);
      stage.peer.links[0]?.fin();
      await until(() => stage.peer.links.length === 2, 'it is back');
      expect(stage.of('recovered')).toEqual([]);
      await stage.heard('recovered');
      expect(stage.of('fault')).toHaveLength(1);
    }));
});

test.skipIf(!mosquittoPath)('mosquitto and a message above its limit: withdrawn, and the client goes on', async () => {
  const broker = await startMosquitto({ more: ['max_packet_size 2000'] });
  const stage = await setStage({ url: broker.url, attach: { reconnect: quick } });
  const error = await rejection(stage.client.publishAsync('a', Buffer.alloc(4_000), { qos: 1 }));
  expect(error).toMatchObject({ reason: 'PublishClosesConnection', executed: 'unknown', attempts: 3 });
  expect(await outcome(stage.client.publishAsync('a', 'small', { qos: 1 }))).toHaveProperty('value');
  expect(stage.of('fault')).toHaveLength(3);
  await stage.close();
  await broker.stop();
});
