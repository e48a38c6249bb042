import type { ISubscribePacket } from 'mqtt-packet';
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

const filtersOf = ({ subscriptions }: ISubscribePacket) => subscriptions.map(({ topic }) => topic);

/** A server that closes at a filter, as IoT Hub does at topics that are not its own. */
const closing = (at: readonly string[] = ['poison'], how: (link: Link) => unknown = (link) => link.fin()): Script => ({
  subscribe: (link, packet) => (filtersOf(packet).some((filter) => at.includes(filter)) ? how(link) : false),
});

/** What each connection was asked to subscribe to. */
const asked = (stage: Stage) => stage.peer.links.map((link) => link.of('subscribe').flatMap(filtersOf));
const last = (stage: Stage) => asked(stage).at(-1);
const convicted = (stage: Stage) => stage.givenUp(/^subscribe/);
const remembered = ({ client }: Stage) => Object.keys(Reflect.get(client, '_resubscribeTopics'));
const conviction = (stage: Stage) => until(() => convicted(stage).length > 0, 'it is taken back');
const back = (stage: Stage) => until(() => stage.client.connected, 'it is back');

/** One more message, so that whatever goes before it has been written. */
async function goesOn({ client }: Stage): Promise<void> {
  expect(await outcome(client.publishAsync('good', 'x', { qos: 1 }))).toHaveProperty('value');
}

describe.concurrent.each<Library>(['newest', 'oldest'])(
  'a subscription that the server closes at (%s mqtt.js)',
  (library) => {
    test('is taken back after three connections, by its name, and the next one lives', () =>
      staged({ library, peer: { script: closing() } }, async (stage) => {
        const rejected = await rejection(stage.client.subscribeAsync('poison'));
        expect(rejected).toMatchObject({ category: 'unknown', operation: 'subscribe poison', executed: 'unknown' });
        await until(() => convicted(stage).length === 2, 'it is taken back');
        const [first, { error, attempt, stopped } = {}] = convicted(stage);
        expect(first?.error).toBe(rejected);
        expect({ attempt, stopped }).toEqual({ attempt: 3, stopped: 'not-transient' });
        expect(error).toMatchObject({
          category: 'unknown',
          reason: 'SubscribeClosesConnection',
          advice: 'never',
          executed: 'unknown',
          operation: 'subscribe poison',
        });
        expect(error?.message).toBe(
          '[SubscribeClosesConnection] subscribe poison: 3 connections in a row closed on it',
        );
        expect(error?.fix).toContain('taken out');
        await goesOn(stage);
        expect(asked(stage)).toEqual([['poison'], ['poison'], ['poison'], []]);
        expect(remembered(stage)).toEqual([]);
        expect(stage.of('fault')).toHaveLength(3);
      }));

    test('is found among those that mqtt.js remembers, which are made again, each once', () =>
      staged({ library }, async (stage) => {
        const good = Array.from({ length: 40 }, (_, at) => `good/${at}`);
        await stage.client.subscribeAsync([...good.slice(0, 17), 'poison', ...good.slice(17)], { qos: 1 });
        stage.peer.script(closing());
        stage.peer.links[0]?.fin();
        await conviction(stage);
        await back(stage);
        await goesOn(stage);
        expect(convicted(stage)).toMatchObject([
          { operation: 'subscribe poison', error: { reason: 'SubscribeClosesConnection' } },
        ]);
        expect(last(stage)?.toSorted()).toEqual(good.toSorted());
        expect(remembered(stage).toSorted()).toEqual(good.toSorted());
        // All, a group of three, three by itself: not one for each of the forty.
        expect(stage.peer.links.length).toBeLessThanOrEqual(7);
        for (const filters of asked(stage).slice(1)) expect(new Set(filters).size).toBe(filters.length);
      }));

    test('one of several is found after the other', () =>
      staged({ library, peer: { script: closing(['poison', 'venom']) } }, async (stage) => {
        await rejection(stage.client.subscribeAsync(['a', 'poison', 'b', 'venom', 'c']));
        const found = () => convicted(stage).filter(({ error }) => error.reason === 'SubscribeClosesConnection');
        await until(() => found().length === 2, 'both are taken back');
        await back(stage);
        await goesOn(stage);
        expect(found().map(({ operation }) => operation)).toEqual(['subscribe poison', 'subscribe venom']);
        expect(last(stage)?.toSorted()).toEqual(['a', 'b', 'c']);
      }));

    test('is rejected at once from then on, and the rest of the call is made', () =>
      staged({ library, peer: { script: closing() } }, async (stage) => {
        // As programs do: at each connection anew.
        const ends: Promise<unknown>[] = [];
        stage.client.on('connect', () => ends.push(outcome(stage.client.subscribeAsync(['a', 'poison', 'b']))));
        stage.client.on('connect', () => void stage.client.subscribe('poison'));
        await until(() => convicted(stage).some(({ error }) => error.executed === 'no'), 'it is refused');
        await goesOn(stage);
        expect(last(stage)?.toSorted()).toEqual(['a', 'b']);
        expect(await ends.at(-1)).toMatchObject({
          error: { reason: 'SubscribeClosesConnection', operation: 'subscribe poison', executed: 'no' },
        });
        const before = stage.peer.links.length;
        const error = await rejection(stage.client.subscribeAsync('poison'));
        expect(error).toMatchObject({ executed: 'no', advice: 'never', attempts: 0 });
        expect(error.cause).toMatchObject({ reason: 'SubscribeClosesConnection', executed: 'unknown' });
        await rejection(stage.client.subscribeAsync({ poison: { qos: 1 }, c: { qos: 1 } }));
        expect(last(stage)?.toSorted()).toEqual(['a', 'b', 'c']);
        expect(stage.peer.links).toHaveLength(before);
        // Somebody has mended the server, and says so.
        stage.peer.script({});
        stage.handle.resume();
        expect(await outcome(stage.client.subscribeAsync('poison'))).toHaveProperty('value');
      }));

    test('over MQTT 5 too, by a DISCONNECT that says why; what the others carry is kept', () => {
      const refusing = closing(['poison'], (link) => [link.send({ cmd: 'disconnect', reasonCode: 0x8f }), link.fin()]);
      return staged({ library, level: 5 }, async (stage) => {
        await stage.client.subscribeAsync('a', { qos: 1, rh: 2, properties: { subscriptionIdentifier: 7 } });
        await stage.client.subscribeAsync(['b', 'poison']);
        // On the second connection it acknowledges none, so that all are on trial on the third.
        stage.peer.script({
          subscribe: (link, packet) => refusing.subscribe?.(link, packet) !== false || link === stage.peer.links[1],
        });
        stage.peer.links[0]?.fin();
        await conviction(stage);
        await back(stage);
        await goesOn(stage);
        expect(convicted(stage)).toMatchObject([
          { error: { reason: 'SubscribeClosesConnection', category: 'bad-request', reasonCode: 0x8f } },
        ]);
        expect(asked(stage).slice(1)).toEqual([
          ['a', 'b', 'poison'],
          ['a', 'b', 'poison'],
          ['poison'],
          ['poison'],
          ['a', 'b'],
        ]);
        for (const link of [1, 2, 5].map((at) => stage.peer.links[at]))
          expect(link?.of('subscribe')[0]).toMatchObject({
            properties: { subscriptionIdentifier: 7 },
            subscriptions: [{ topic: 'a', qos: 1, rh: 2 }],
          });
      });
    });

    test('is found beside publishes that never rest, of which none is lost', () =>
      staged({ library }, async (stage) => {
        await stage.client.subscribeAsync(['a', 'poison']);
        stage.peer.script(closing());
        const rest = setInterval(() => stage.client.publish('telemetry', 'x'), 1);
        const sent: Promise<unknown>[] = [];
        const more = setInterval(() => sent.push(outcome(stage.client.publishAsync('events', 'x', { qos: 1 }))), 3);
        stage.peer.links[0]?.fin();
        await conviction(stage);
        await back(stage);
        clearInterval(rest);
        clearInterval(more);
        await goesOn(stage);
        expect(convicted(stage)).toMatchObject([{ operation: 'subscribe poison' }]);
        expect(stage.givenUp(/^publish/)).toEqual([]);
        for (const end of await Promise.all(sent)) expect(end).toHaveProperty('value');
      }));

    test('also one that a request needs: it is told why, and the client goes on', () =>
      staged(
        { library, peer: { script: closing(['answers/#']) }, attach: { reconnect: quick, retry: { baseDelayMs: 1 } } },
        async (stage) => {
          const error = await rejection(
            stage.handle.request('ask', 'x', { responseTopic: 'answers/#', idempotent: true }),
          );
          expect(error).toMatchObject({
            reason: 'SubscribeClosesConnection',
            operation: 'request ask',
            executed: 'no',
            stopped: 'not-transient',
          });
          await goesOn(stage);
          expect(stage.peer.links).toHaveLength(4);
        },
      ));

    test('with a message that it closes at as well: both are taken back', () =>
      staged(
        {
          library,
          peer: { script: { ...closing(), publish: (l, { topic }) => (topic === 'venom' ? l.fin() : false) } },
        },
        async (stage) => {
          await connected(stage);
          const subscribed = outcome(stage.client.subscribeAsync(['a', 'poison']));
          const published = outcome(stage.client.publishAsync('venom', 'x', { qos: 1 }));
          expect(await published).toHaveProperty('error.reason', 'PublishClosesConnection');
          await subscribed;
          const found = () => convicted(stage).filter(({ error }) => error.reason === 'SubscribeClosesConnection');
          await until(() => found().length === 1, 'the subscription too');
          await back(stage);
          await goesOn(stage);
          expect(last(stage)).toEqual(['a']);
        },
      ));

    test('but never, where the program says so', () =>
      staged(
        { library, peer: { script: closing() }, attach: { withdrawAfterCloses: Infinity, reconnect: quick } },
        async (stage) => {
          await rejection(stage.client.subscribeAsync('poison'));
          await until(() => stage.peer.links.length > 8, 'it is made for ever');
          stage.peer.script({});
          await until(() => last(stage)?.[0] === 'poison' && stage.client.connected, 'it is made');
          await goesOn(stage);
          expect(remembered(stage)).toEqual(['poison']);
        },
      ));
  },
);

describe.concurrent.each<Library>(['newest', 'oldest'])('a subscription is not taken back (%s mqtt.js)', (library) => {
  test('where a server is down: who closes without PINGRESP proves nothing', () => {
    const down: Script = { subscribe: (link) => link.fin(), pingreq: (link) => link.fin() };
    return staged({ library, peer: { script: down } }, async (stage) => {
      await rejection(stage.client.subscribeAsync('good'));
      await until(() => stage.peer.links.length > 8, 'the server is down for long');
      expect(asked(stage).flat()).toEqual(['good']);
      stage.peer.script({});
      await until(() => last(stage)?.[0] === 'good', 'it is made again');
      expect(convicted(stage)).toHaveLength(1);
    });
  });

  test('where it was acknowledged in between', () => {
    let times = 0;
    return staged(
      { library, peer: { script: { subscribe: (link) => (++times % 3 === 0 ? false : link.fin()) } } },
      async (stage) => {
        await rejection(stage.client.subscribeAsync('good'));
        for (let at = 0; at < 4; at++) {
          await until(() => times === 3 * (at + 1) && stage.client.connected, 'it is made');
          await goesOn(stage);
          const links = stage.peer.links.length;
          stage.peer.links.at(-1)?.fin();
          await until(() => stage.peer.links.length > links, 'another connection');
        }
        expect(convicted(stage)).toHaveLength(1);
      },
    );
  });

  test('where the server takes no more than some at once: they are made in groups', () => {
    const few: Script = { subscribe: (link, packet) => (packet.subscriptions.length > 8 ? link.fin() : false) };
    return staged({ library }, async (stage) => {
      const all = Array.from({ length: 30 }, (_, at) => `topic/${at}`);
      await stage.client.subscribeAsync(all);
      stage.peer.script(few);
      stage.peer.links[0]?.fin();
      await until(() => stage.peer.links.length === 3 && stage.client.connected, 'it is back');
      await goesOn(stage);
      expect(last(stage)?.toSorted()).toEqual(all.toSorted());
      expect(convicted(stage)).toEqual([]);
      expect(stage.peer.links).toHaveLength(3);
    });
  });

  test('nor tried, where the session of the server still has it', () => {
    const resuming: Script = {
      connect: (link) => link.connack(0, { sessionPresent: true }),
      subscribe: (link) => link.fin(),
    };
    return staged(
      { library, level: 5, client: { clean: false, clientId: 'pump-7' }, peer: { script: resuming } },
      async (stage) => {
        await rejection(stage.client.subscribeAsync('a'));
        await back(stage);
        await goesOn(stage);
        expect(asked(stage)).toEqual([['a'], []]);
      },
    );
  });

  test('nor waited for longer than detach', () =>
    staged({ library, peer: { script: closing(['a']) } }, async (stage) => {
      await rejection(stage.client.subscribeAsync('a'));
      stage.peer.script({ subscribe: () => {} });
      await until(() => stage.peer.links[1]?.of('subscribe').length === 1, 'it is on trial');
      const pending = outcome(stage.client.publishAsync('good', 'x', { qos: 1 }));
      stage.handle.detach();
      expect(await pending).toHaveProperty('value');
      expect(Object.hasOwn(stage.client.outgoingStore, 'createStream')).toBe(false);
    }));

  test('nor waited for at all, where a server answers no SUBSCRIBE but holds the connection', () => {
    // Time runs ten times as fast.
    const clock = { now: () => 10 * performance.now(), after: (ms: number, run: () => void) => afterMs(ms / 10, run) };
    return staged({ library, peer: { script: closing(['a']) }, attach: { reconnect: quick, clock } }, async (stage) => {
      await rejection(stage.client.subscribeAsync(['a', 'b']));
      stage.peer.script({ subscribe: () => {} });
      await goesOn(stage);
      await until(() => last(stage)?.length === 3, 'the others are made');
      expect(last(stage)).toEqual(['a', 'a', 'b']);
    });
  });
});

function afterMs(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

test('a server that answers with too few codes is asked for one at a time, and no more than three times', () => {
  const short: Script = {
    subscribe: (link, packet) =>
      link.send({
        cmd: 'suback',
        messageId: packet.messageId,
        granted: filtersOf(packet).includes('none') ? [0, 0] : [0],
      }),
  };
  return staged({ peer: { script: short } }, async (stage) => {
    expect(await rejection(stage.client.subscribeAsync(['a', 'none', 'b']))).toMatchObject({ category: 'protocol' });
    await conviction(stage);
    const found = () => convicted(stage).filter(({ error }) => error.reason === 'SubscribeClosesConnection');
    await until(() => found().length === 1, 'it is taken back');
    await back(stage);
    await goesOn(stage);
    expect(found()).toMatchObject([{ operation: 'subscribe none', attempt: 3 }]);
    await until(() => stage.peer.links.at(-1)?.of('subscribe').length !== 0, 'the others are made');
    expect(new Set(last(stage))).toEqual(new Set(['a', 'b']));
  });
});

test('after detach nothing is refused or left out, even where somebody wrapped `subscribe` over ours', () =>
  staged({}, async (stage) => {
    const { client, peer, handle } = stage;
    await client.subscribeAsync('a');
    // On the second connection it closes at all there is; on the third, `a` is on trial.
    peer.script({ subscribe: (link) => (link === peer.links[1] ? link.fin() : false) });
    peer.links[0]?.fin();
    await until(() => asked(stage).at(2)?.length === 1, 'it is tried');
    peer.script(closing());
    await rejection(client.subscribeAsync('poison'));
    await until(() => convicted(stage).some(({ attempt }) => attempt === 3), 'it is taken back');
    await back(stage);
    const { subscribe } = client;
    client.subscribe = ((...args: Parameters<typeof subscribe>) => subscribe.apply(client, args)) as typeof subscribe;
    handle.detach();
    peer.script({});
    expect(await outcome(client.subscribeAsync('poison'))).toHaveProperty('value');
    const links = peer.links.length;
    peer.links.at(-1)?.fin();
    await until(() => peer.links.length > links && last(stage)?.length === 2, 'all is subscribed to again');
    expect(last(stage)?.toSorted()).toEqual(['a', 'poison']);
  }));

test.skipIf(!mosquittoPath)('mosquitto and a filter too deep for it: taken back, and the client goes on', async () => {
  const broker = await startMosquitto();
  const stage = await setStage({ url: broker.url, attach: { reconnect: quick } });
  const messages: string[] = [];
  stage.client.on('message', (topic, payload) => messages.push(`${topic} ${payload}`));
  await stage.client.subscribeAsync('news', { qos: 1 });
  await rejection(stage.client.subscribeAsync('deep/'.repeat(250)));
  const found = () => convicted(stage).filter(({ error }) => error.reason === 'SubscribeClosesConnection');
  await until(() => found().length === 1, 'it is taken back');
  await back(stage);
  expect(await outcome(stage.client.publishAsync('news', 'x', { qos: 1 }))).toHaveProperty('value');
  await until(() => messages.length === 1, 'the other subscription is there');
  expect(remembered(stage)).toEqual(['news']);
  await stage.close();
  await broker.stop();
});
