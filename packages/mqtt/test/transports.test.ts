import { setTimeout as after } from 'node:timers/promises';
import mqtt, { type IClientOptions, Store } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { makeCertificates } from './support/certificates.ts';
import type { PeerOptions, Script } from './support/peer.ts';
import { connected, oneAttempt, outcome, rejection, setStage, until } from './support/stage.ts';

const certificates = makeCertificates();
if (!certificates) console.warn('openssl is not here: mqtts and wss are skipped');

const twin: Script = {
  publish: (link, { topic }) => {
    const rid = /\$rid=(.*)/.exec(topic)?.[1];
    if (rid === undefined) return false;
    return link.send({
      cmd: 'publish',
      topic: `$iothub/twin/res/200/?$rid=${rid}`,
      payload: '{}',
      qos: 0,
      dup: false,
      retain: false,
    });
  },
};
const overs = ['mqtt', 'ws', ...(certificates ? (['mqtts', 'wss'] as const) : [])] as const;

describe.each(overs)('over %s', (over) => {
  const secure = over === 'mqtts' || over === 'wss';
  const peer: PeerOptions = { over, script: twin, ...(secure && certificates && { tls: certificates.good }) };
  const client: IClientOptions = { ...(secure && certificates && { ca: certificates.ca }) };

  test.each(['newest', 'oldest'] as const)(
    'a client works, loses its connection and comes back (%s mqtt.js)',
    async (library) => {
      const stage = await setStage({
        library,
        peer,
        client,
        attach: { reconnect: { baseDelayMs: 1, stableAfterMs: 0 } },
      });
      await connected(stage);
      expect(await outcome(stage.client.subscribeAsync('a'))).toHaveProperty('value');
      expect(await outcome(stage.client.publishAsync('a', 'x', { qos: 2 }))).toHaveProperty('value');
      expect(await stage.handle.request('$iothub/twin/GET/')).toMatchObject({ status: 200 });
      expect(stage.told).toEqual([]);
      stage.peer.links[0]?.fin();
      await stage.heard('recovered');
      expect(await stage.handle.request('$iothub/twin/GET/')).toMatchObject({ status: 200 });
      expect(stage.of('fault')).toMatchObject([
        { error: { category: 'unknown', candidates: expect.arrayContaining([400027, 403002, 429001]) } },
      ]);
      await stage.close();
    },
  );

  test('a reset is one fault', async () => {
    const stage = await setStage({ peer, client });
    await connected(stage);
    stage.peer.links[0]?.reset();
    await stage.heard('fault');
    await after(50);
    expect(stage.of('fault')).toHaveLength(1);
    expect(stage.of('fault')[0]?.error).toMatchObject({ transient: true, executed: 'unknown' });
    await stage.close();
  });
});

/** A store on something slow: a disk, a database. */
class SlowStore extends Store {
  override put(...[packet, done]: Parameters<Store['put']>): this {
    setTimeout(() => super.put(packet, done), 5);
    return this;
  }
  override del(...[packet, done]: Parameters<Store['del']>): this {
    setTimeout(() => super.del(packet, done), 5);
    return this;
  }
}

describe('with a store that takes its time', () => {
  test('acknowledged publishes are fulfilled', async () => {
    const stage = await setStage({ client: { outgoingStore: new SlowStore() } });
    await connected(stage);
    const published = Array.from({ length: 20 }, (_, n) => stage.client.publishAsync('a', `${n}`, { qos: 1 }));
    expect(await outcome(Promise.all(published))).toHaveProperty('value');
    expect(stage.told).toEqual([]);
    await stage.close();
  });

  test('those that are not are timed out, and taken back', async () => {
    const outgoingStore = new SlowStore();
    const stage = await setStage({
      client: { outgoingStore },
      peer: { script: { publish: () => {} } },
      attach: { ...oneAttempt, operationTimeoutMs: 80 },
    });
    await connected(stage);
    expect(await rejection(stage.client.publishAsync('a', 'x', { qos: 1 }))).toMatchObject({
      category: 'timeout',
      executed: 'unknown',
    });
    const kept = () =>
      new Promise((resolve) =>
        outgoingStore.get({ messageId: stage.peer.links[0]?.of('publish')[0]?.messageId } as never, (error) =>
          resolve(error === null),
        ),
      );
    await after(20);
    expect(await kept()).toBe(false);
    expect(Object.keys(stage.client.outgoing)).toEqual([]);
    await stage.close();
  });
});

test('after a reconnect the answers are subscribed to once, by whoever is first', async () => {
  const stage = await setStage({ peer: { script: twin }, attach: { reconnect: { baseDelayMs: 1, stableAfterMs: 0 } } });
  await stage.handle.request('$iothub/twin/GET/');
  stage.peer.links[0]?.reset();
  await stage.heard('recovered');
  await until(() => (stage.peer.links[1]?.of('subscribe').length ?? 0) > 0, 'mqtt.js subscribes again');
  await after(20);
  await stage.handle.request('$iothub/twin/GET/');
  expect(stage.peer.links[1]?.of('subscribe')).toHaveLength(1);
  await stage.close();
});

test('a client with a resumed session does not subscribe again', async () => {
  const sessionPresent: Script = {
    ...twin,
    connect: (link) => link.send({ cmd: 'connack', sessionPresent: link.connect?.clean === false, returnCode: 0 }),
  };
  const stage = await setStage({
    peer: { script: sessionPresent },
    client: { clean: false, clientId: 'kept' },
    attach: { reconnect: { baseDelayMs: 1, stableAfterMs: 0 } },
  });
  await stage.handle.request('$iothub/twin/GET/');
  stage.peer.links[0]?.reset();
  await stage.heard('recovered');
  await stage.handle.request('$iothub/twin/GET/');
  expect(stage.peer.links[1]?.of('subscribe')).toEqual([]);
  await stage.close();
});

test('a client that connects by hand is seen from its first connection on', async () => {
  const stage = await setStage({ client: { manualConnect: true } });
  expect(stage.peer.links).toEqual([]);
  stage.client.connect();
  await connected(stage);
  stage.peer.links[0]?.reset();
  await stage.heard('fault');
  expect(mqtt.MqttClient).toBeDefined();
  await stage.close();
});
