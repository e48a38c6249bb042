import { describe, expect, test } from 'vitest';
import { mute } from './support/everything.ts';
import { startPeer } from './support/peer.ts';
import { connected, rejection, staged, until } from './support/stage.ts';

const operations = /^(publish|subscribe|unsubscribe|request)\b/;

describe.concurrent('an operation that fails is given up once, and its error says how it ended', () => {
  test('refused by an acknowledgement', () =>
    staged(
      {
        level: 5,
        peer: {
          script: {
            publish: (link, { messageId }) => link.send({ cmd: 'puback', messageId, reasonCode: 0x87 }),
            subscribe: (link, { messageId }) => link.send({ cmd: 'suback', messageId, granted: [0x87, 0x87] }),
            unsubscribe: (link, { messageId }) => link.send({ cmd: 'unsuback', messageId, granted: [0x87] }),
          },
        },
      },
      async ({ client, givenUp, of }) => {
        const errors = [
          await rejection(client.publishAsync('t', 'x', { qos: 1 })),
          await rejection(client.subscribeAsync(['a', 'b'])),
          await rejection(client.unsubscribeAsync('a')),
        ];
        for (const error of errors)
          expect(error).toMatchObject({ attempts: 1, waitsMs: [], stopped: 'not-transient', transient: false });
        expect(givenUp(operations)).toMatchObject([
          { operation: 'publish t', attempt: 1, stopped: 'not-transient' },
          { operation: 'subscribe a', attempt: 1, stopped: 'not-transient' },
          { operation: 'unsubscribe a', attempt: 1, stopped: 'not-transient' },
        ]);
        expect(givenUp(operations).map(({ error }) => error)).toEqual(errors);
        expect(of('fault')).toHaveLength(4);
      },
    ));

  test('refused where nobody waits', () =>
    staged(
      {
        level: 5,
        peer: {
          script: { publish: (link, { messageId }) => link.send({ cmd: 'puback', messageId, reasonCode: 0x97 }) },
        },
      },
      async ({ client, givenUp, heard }) => {
        client.publish('t', 'x', { qos: 1 });
        await heard('give-up');
        expect(givenUp(/^publish t$/)).toMatchObject([{ attempt: 1, error: { attempts: 1, reasonCode: 0x97 } }]);
      },
    ));

  test('never answered', () =>
    staged({ peer: { script: mute }, attach: { operationTimeoutMs: 40 } }, async ({ client, givenUp }) => {
      expect(await rejection(client.publishAsync('t', 'x', { qos: 2 }))).toMatchObject({
        category: 'timeout',
        attempts: 1,
        stopped: 'deadline',
      });
      expect(givenUp(operations)).toMatchObject([{ operation: 'publish t', attempt: 1, stopped: 'deadline' }]);
    }));

  test('written again and again, counted', () =>
    staged(
      {
        peer: { script: { publish: (link) => link.reset() } },
        attach: { reconnect: { baseDelayMs: 1, maxDelayMs: 2, stableAfterMs: 0 } },
      },
      async ({ client, peer, givenUp }) => {
        const written = () => peer.links.flatMap((link) => link.of('publish')).length;
        const failed = rejection(client.publishAsync('t', 'x', { qos: 1 }));
        await until(() => written() >= 2, 'it is sent again');
        client.end(true);
        expect((await failed).attempts).toBeGreaterThanOrEqual(2);
        expect(givenUp(/^publish t$/)).toHaveLength(1);
      },
    ));

  test('ended with the client, or called after it', () =>
    staged({ peer: { script: mute } }, async (stage) => {
      await connected(stage);
      const pending = rejection(stage.client.publishAsync('t', 'x', { qos: 1 }));
      await until(() => (stage.peer.links[0]?.of('publish').length ?? 0) > 0, 'it is written');
      stage.client.end(true);
      expect(await pending).toMatchObject({ attempts: 1, stopped: 'not-transient', executed: 'unknown' });
      expect(await rejection(stage.client.publishAsync('u', 'x'))).toMatchObject({ attempts: 0, executed: 'no' });
      expect(stage.givenUp(operations).map(({ operation, attempt }) => [operation, attempt])).toEqual([
        ['publish t', 1],
        ['publish u', 0],
      ]);
    }));

  test('when nothing is connected any more, before it and after it', () =>
    staged(
      {
        peer: { script: { connect: (link) => link.connack(5) } },
        attach: { reconnect: { onPermanentFault: 'stop', baseDelayMs: 1 } },
      },
      async ({ client, handle, givenUp }) => {
        const before = rejection(client.publishAsync('t', 'x', { qos: 1 }));
        const request = rejection(handle.request('$iothub/twin/GET/'));
        expect(await before).toMatchObject({ attempts: 0, stopped: 'not-transient', executed: 'no' });
        expect(await rejection(client.publishAsync('u', 'x', { qos: 1 }))).toMatchObject({ attempts: 0 });
        await request;
        expect(
          givenUp(operations)
            .map(({ operation }) => operation)
            .sort(),
        ).toEqual(['publish t', 'publish u', 'request $iothub/twin/GET/']);
      },
    ));
});

describe.concurrent('the message of a rejected request has its topic', () => {
  const topic = '$iothub/twin/PATCH/properties/reported/';

  test('when it was lost with the connection', () =>
    staged({ peer: { script: { publish: (link) => link.reset() } } }, async ({ handle, givenUp }) => {
      const error = await rejection(handle.request(`${topic}?planted=secret`, {}));
      expect(error.message).toBe(`[ECONNRESET] request ${topic}: read ECONNRESET`);
      expect(givenUp(operations)).toMatchObject([{ operation: `request ${topic}`, stopped: 'not-idempotent' }]);
    }));

  test('when its subscription was refused, once for each that waited', () =>
    staged(
      {
        peer: {
          script: { subscribe: (link, { messageId }) => link.send({ cmd: 'suback', messageId, granted: [0x80] }) },
        },
      },
      async ({ handle, givenUp }) => {
        const how = { retry: false as const };
        const errors = await Promise.all([
          rejection(handle.request('$iothub/twin/GET/', '', how)),
          rejection(handle.request(topic, '', how)),
        ]);
        expect(errors.map(({ operation }) => operation)).toEqual(['request $iothub/twin/GET/', `request ${topic}`]);
        expect(givenUp(operations)).toHaveLength(2);
      },
    ));

  test('when nothing is connected', async () => {
    const nobody = await startPeer();
    await nobody.stop();
    const attach = { reconnect: { maxAttempts: 1, baseDelayMs: 1 } };
    await staged({ url: nobody.url, attach }, async ({ handle }) => {
      const error = await rejection(handle.request(topic, {}));
      expect(error.message).toContain(`[ECONNREFUSED] request ${topic}: connect ECONNREFUSED`);
    });
  });

  test.each([
    ['devices/d1/messages/events/', 'devices/d1/messages/events/'],
    ['devices/d1/messages/events/planted', 'devices/d1/messages/events/'],
    ['devices/d1/modules/m/messages/events/%24.sub=a&token=planted', 'devices/d1/modules/m/messages/events/'],
    ['vendor/d1/token=planted/x', 'vendor/d1/'],
    [`a/?sig=planted`, 'a/'],
  ])('and of a publish to %s, without its properties', (given, shown) =>
    staged(
      { peer: { script: { publish: () => {} } }, attach: { operationTimeoutMs: 20 } },
      async ({ client, told }) => {
        const error = await rejection(client.publishAsync(given, 'x', { qos: 1 }));
        expect(error.operation).toBe(`publish ${shown}`);
        expect(JSON.stringify([error, told]) + error.message).not.toContain('planted');
      },
    ),
  );
});
