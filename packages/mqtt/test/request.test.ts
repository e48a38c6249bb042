import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { attach, GET, PATCH, ridOf, say, staged, twin } from './support/requests.ts';
import { rejection, setStage, until } from './support/stage.ts';

// They wait far more than they work.
vi.setConfig({ maxConcurrency: 16 });

const fault = (errorCode: number, message: string) => ({
  errorCode,
  message,
  trackingId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1',
});

describe.concurrent.each([4, 5] as const)('twin requests (level %d)', (level) => {
  test('give status, body and properties; subscribed once, and before the first request', () =>
    staged(
      {
        level,
        peer: { script: twin({ status: 200, body: { desired: { a: 1 } } }, { status: 204, query: '&$version=7' }) },
      },
      async ({ handle, peer }) => {
        const [got, patched] = [await handle.request<{ desired: object }>(GET), await handle.request(PATCH, { b: 2 })];
        expect(got).toEqual({ status: 200, payload: { desired: { a: 1 } }, properties: expect.objectContaining({}) });
        expect(got.payload.desired).toEqual({ a: 1 });
        expect(patched).toMatchObject({ status: 204, payload: undefined, properties: { $version: '7' } });
        const order = peer.links[0]?.received.map(({ cmd }) => cmd);
        expect(order?.filter((cmd) => cmd === 'subscribe' || cmd === 'publish')).toEqual([
          'subscribe',
          'publish',
          'publish',
        ]);
        expect(
          peer.links[0]?.of('publish').map(({ topic, payload }) => [topic.split('$rid=')[0], String(payload)]),
        ).toEqual([
          ['$iothub/twin/GET/?', ''],
          ['$iothub/twin/PATCH/properties/reported/?', '{"b":2}'],
        ]);
      },
    ));

  test('that are refused reject with code, tracking id and text', () =>
    staged(
      { level, peer: { script: twin({ status: 400, body: fault(400004, 'malformed patch') }) } },
      async ({ handle, of }) => {
        expect(await rejection(handle.request(PATCH, {}))).toMatchObject({
          category: 'bad-request',
          code: 400004,
          reason: 'ArgumentInvalid',
          httpStatus: 400,
          detail: 'malformed patch',
          stopped: 'not-transient',
          attempts: 1,
        });
        expect(of('fault')).toHaveLength(1);
        expect(of('give-up')).toHaveLength(1);
      },
    ));

  test('are repeated after 429, a PATCH too, with a request id of their own', () =>
    staged(
      { level, peer: { script: twin({ status: 429 }, { status: 429, body: fault(429001, 'slow') }, { status: 204 }) } },
      async ({ handle, peer, of }) => {
        expect(await handle.request(PATCH, {})).toMatchObject({ status: 204 });
        const rids = peer.links[0]?.of('publish').map(ridOf);
        expect(new Set(rids).size).toBe(3);
        expect(of('fault').map(({ error }) => error.code)).toEqual([undefined, 429001]);
        expect(of('recovered')).toHaveLength(1);
      },
    ));

  test('wait at least as long as the answer asks for', () =>
    staged(
      { level, peer: { script: twin({ status: 429, query: '&retry-after=1' }, { status: 200, body: {} }) } },
      async ({ handle, of }) => {
        await handle.request(GET);
        expect(of('retry')[0]?.delayMs).toBeGreaterThanOrEqual(1_000);
      },
    ));

  test('are repeated after 5xx where that is safe: a GET is, a PATCH is not', () =>
    staged(
      { level, peer: { script: twin({ status: 500 }, { status: 200, body: {} }, { status: 500 }) } },
      async ({ handle }) => {
        expect(await handle.request(GET)).toMatchObject({ status: 200 });
        expect(await rejection(handle.request(PATCH, {}))).toMatchObject({
          category: 'server',
          stopped: 'not-idempotent',
        });
      },
    ));

  test('declared idempotent are repeated after 5xx', () =>
    staged({ level, peer: { script: twin({ status: 503 }, { status: 204 }) } }, async ({ handle }) => {
      expect(await handle.request(PATCH, {}, { idempotent: true })).toMatchObject({ status: 204 });
    }));

  test('with `retry: false` are not repeated', () =>
    staged({ level, peer: { script: twin({ status: 429 }, { status: 200, body: {} }) } }, async ({ handle }) => {
      expect(await rejection(handle.request(GET, undefined, { retry: false }))).toMatchObject({
        category: 'throttled',
        stopped: 'disabled',
      });
    }));

  test('answered by a page that is no JSON are a violation', () =>
    staged({ level, peer: { script: twin({ status: 200, body: '<html>Bad gateway</html>' }) } }, async ({ handle }) => {
      expect(await rejection(handle.request(PATCH, {}))).toMatchObject({
        category: 'protocol',
        reason: 'BrokenAnswer',
      });
    }));

  test('never answered end by their time, and say how often they were sent', () =>
    staged({ level, peer: { script: { publish: () => {} } } }, async ({ handle, of }) => {
      const error = await rejection(
        handle.request(GET, undefined, { attemptTimeoutMs: 40, retry: { maxAttempts: 2 } }),
      );
      expect(error).toMatchObject({ category: 'timeout', executed: 'unknown', attempts: 2, stopped: 'attempts' });
      expect(of('fault')).toHaveLength(2);
    }));

  test('end hard at their deadline, the first attempt too', () =>
    staged({ level, peer: { script: { publish: () => {} } } }, async ({ handle }) => {
      const error = await rejection(handle.request(GET, undefined, { retry: { deadlineMs: 60 } }));
      expect(error).toMatchObject({ category: 'timeout', reason: 'DeadlineExceeded', stopped: 'deadline' });
    }));

  test('ignore late and double answers, and answers to others', () =>
    staged(
      {
        level,
        peer: {
          script: {
            publish: (link, packet) => {
              say(link, '$iothub/twin/res/200/?$rid=somebody-else', { wrong: true });
              for (const n of [1, 2]) say(link, `$iothub/twin/res/200/?$rid=${ridOf(packet)}`, { n });
            },
          },
        },
      },
      async ({ handle, peer, of }) => {
        expect((await handle.request(GET)).payload).toEqual({ n: 1 });
        peer.script({
          publish: (link, packet) =>
            void setTimeout(() => say(link, `$iothub/twin/res/500/?$rid=${ridOf(packet)}`, ''), 80),
        });
        await rejection(handle.request(GET, undefined, { attemptTimeoutMs: 20, retry: false }));
        await after(120);
        expect(of('fault').map(({ error }) => error.category)).toEqual(['timeout']);
      },
    ));

  test('aborted reject with the reason of the signal', () =>
    staged({ level, peer: { script: { publish: () => {} } } }, async ({ handle, told }) => {
      const controller = new AbortController();
      const pending = handle.request(GET, undefined, { signal: controller.signal });
      const reason = new Error('enough');
      setTimeout(() => controller.abort(reason), 20);
      expect(await rejection(pending)).toBe(reason);
      expect(told).toEqual([]);
    }));

  test('whose connection is lost are asked again on the next, where that is safe', () =>
    staged({ level, peer: { script: { publish: (link) => link.reset() } } }, async ({ handle, peer, of }) => {
      const [get, patch] = [handle.request(GET), handle.request(PATCH, {}).catch((error: unknown) => error)];
      await until(() => of('fault').length > 0, 'the connection is lost');
      peer.script(twin({ status: 200, body: { again: true } }));
      expect((await get).payload).toEqual({ again: true });
      expect(await patch).toMatchObject({ reason: 'ECONNRESET', executed: 'unknown', stopped: 'not-idempotent' });
      expect(of('fault')).toHaveLength(1);
    }));

  test('made without a connection wait for it, and are subscribed first', async () => {
    const stage = await setStage({
      level,
      attach,
      peer: {
        script: { ...twin({ status: 200, body: {} }), connect: (link) => void setTimeout(() => link.connack(0), 80) },
      },
    });
    expect(await stage.handle.request(GET)).toMatchObject({ status: 200 });
    expect(stage.peer.links[0]?.received.map(({ cmd }) => cmd)).toEqual(['connect', 'subscribe', 'publish']);
    await stage.close();
  });

  test('whose subscription was lost were not sent: a PATCH is repeated', () => {
    let lost = 0;
    const subscribe = (link: { reset(): void }) => (++lost === 1 ? link.reset() : false);
    return staged(
      {
        level,
        peer: { script: { ...twin({ status: 204 }), subscribe } },
        attach: { retry: { baseDelayMs: 1 }, reconnect: { baseDelayMs: 1 } },
      },
      async ({ handle, peer }) => {
        expect(await handle.request(PATCH, {})).toMatchObject({ status: 204 });
        expect(peer.links).toHaveLength(2);
      },
    );
  });

  test('that wait when the program detaches or ends are told so', () =>
    staged({ level, peer: { script: { publish: () => {} } } }, async ({ handle, peer }) => {
      const pending = handle.request(GET);
      await until(() => (peer.links[0]?.of('publish').length ?? 0) > 0, 'asked');
      handle.detach();
      expect(await rejection(pending)).toMatchObject({ reason: 'Detached', executed: 'unknown' });
      expect(await rejection(handle.request(GET))).toMatchObject({ reason: 'Detached', executed: 'no' });
    }));

  test('that wait when the program ends the client are told so', () =>
    staged({ level, peer: { script: { publish: () => {} } } }, async ({ handle, client, peer }) => {
      const pending = handle.request(GET);
      await until(() => (peer.links[0]?.of('publish').length ?? 0) > 0, 'it is sent');
      client.end(true);
      expect(await rejection(pending)).toMatchObject({ reason: 'ClientEnded', executed: 'unknown' });
    }));

  test('whose subscription is refused say so', () =>
    staged(
      {
        level,
        peer: {
          script: { subscribe: (link, { messageId }) => link.send({ cmd: 'suback', messageId, granted: [0x80] }) },
        },
      },
      async ({ handle, peer, of }) => {
        expect(await rejection(handle.request(GET))).toMatchObject({
          scope: 'subscription',
          reasonCode: 0x80,
          attempts: 0,
        });
        expect(of('fault')).toHaveLength(1);
        expect(peer.links[0]?.of('publish')).toEqual([]);
      },
    ));
});

test('an answer to a request that the program made by itself is a fault when it refuses', async () => {
  await staged({ peer: { script: twin({ status: 404, body: fault(404001, 'gone') }) } }, async ({ client, heard }) => {
    await client.publishAsync('$iothub/twin/GET/?$rid=mine', '');
    expect((await heard('fault')).error).toMatchObject({ code: 404001, category: 'not-found' });
  });
});
