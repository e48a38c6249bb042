import { Agent } from 'node:http';
import { createPacer, retry } from '@faultmap/core';
import axios from 'axios';
import { describe, expect, test } from 'vitest';
import { client } from './support/client.ts';
import { ManualClock, until } from './support/clock.ts';
import { FAST, rejection, script } from './support/script.ts';

const ADAPTERS = ['http', 'fetch'] as const;

describe('connections', () => {
  test('the unread answer of a failed attempt is let go, so that a pool of one does not starve', async () => {
    const server = await script([503, {}, 'x'.repeat(100_000)], [503, {}, 'x'.repeat(100_000)], 200);
    const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { instance } = client({}, { adapter: 'http', baseURL: server.url, httpAgent });
    const response = await instance.get('/', { responseType: 'stream' });
    expect(response.status).toBe(200);
    response.data.destroy();
    httpAgent.destroy();
  });

  test('it is let go before the wait: another request gets the socket meanwhile', async () => {
    const clock = new ManualClock();
    const server = await script([503, {}, 'x'.repeat(100_000)], 200);
    const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { instance } = client(
      { retry: { clock, pacer: false, random: () => 0.9 } },
      { adapter: 'http', baseURL: server.url, httpAgent },
    );
    const pending = instance.get('/first', { responseType: 'stream' });
    await until(() => clock.pending > 0);
    expect((await axios.get(`${server.url}/second`, { httpAgent })).status).toBe(200);
    clock.advance(60_000);
    (await pending).data.destroy();
    httpAgent.destroy();
  });

  test('on fetch the unread body is cancelled', async () => {
    const server = await script([503, {}, 'x'.repeat(1_000_000)], 200);
    const { instance, handle } = client({}, { adapter: 'fetch', baseURL: server.url });
    const bodies: ReadableStream[] = [];
    handle.on('fault', ({ error }) =>
      bodies.push((error as unknown as { response: { data: ReadableStream } }).response.data),
    );
    const { data } = await instance.get('/', { responseType: 'stream' });
    await data.cancel();
    expect(await bodies[0]?.getReader().read()).toEqual({ done: true, value: undefined });
  });

  test('a signal that is none of the platform still cancels', async () => {
    const clock = new ManualClock();
    const server = await script(503, 503, 503, () => {});
    const { instance } = client({ retry: { ...FAST, clock } }, { adapter: 'http', baseURL: server.url });
    const target = new EventTarget();
    const signal = {
      aborted: false,
      addEventListener: (name: 'abort', listener: () => void) => target.addEventListener(name, listener),
      removeEventListener: (name: 'abort', listener: () => void) => target.removeEventListener(name, listener),
    };
    const ended = rejection(instance.get('/', { signal: signal as never }));
    await until(() => clock.pending > 0);
    for (let step = 0; step < 50 && server.count() < 4; step++) {
      clock.advance(5);
      await new Promise((next) => setTimeout(next, 5));
    }
    signal.aborted = true;
    target.dispatchEvent(new Event('abort'));
    expect(axios.isCancel(await ended)).toBe(true);
  });

  test('a final answer as a stream is left to the application, unread and whole', async () => {
    const server = await script([404, {}, 'the whole text']);
    for (const adapter of ADAPTERS) {
      const { instance } = client({}, { adapter, baseURL: server.url });
      const error = await rejection(instance.get('/', { responseType: 'stream' }));
      const { data } = (error as unknown as { response: { data: AsyncIterable<Uint8Array> } }).response;
      const chunks: Uint8Array[] = [];
      for await (const chunk of data) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe('the whole text');
    }
  });

  test('a pooled connection that was closed while it idled is replaced without a wait', async () => {
    const clock = new ManualClock();
    const server = await script(
      (response) => response.setHeader('x', '1').end('first'),
      (_, request) => void request.socket.destroy(),
      200,
    );
    const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { instance, handle } = client(
      { retry: { clock, pacer: false } },
      { adapter: 'http', baseURL: server.url, httpAgent },
    );
    await instance.get('/');
    const faults: unknown[] = [];
    handle.on('fault', ({ error }) =>
      faults.push({ reason: error.reason, advice: error.advice, executed: error.executed }),
    );
    expect((await instance.get('/')).status).toBe(200);
    expect(faults).toEqual([{ reason: 'ECONNRESET', advice: 'now', executed: 'unknown' }]);
    httpAgent.destroy();
  });

  test('a stream that succeeded after a repeat can still be aborted by its caller', async () => {
    const server = await script(503, (response) => void response.write('begun'));
    for (const adapter of ADAPTERS) {
      const { instance } = client({}, { adapter, baseURL: server.url });
      const controller = new AbortController();
      const { data } = await instance.get('/', { responseType: 'stream', signal: controller.signal });
      const reading = rejection(
        (async () => {
          for await (const _ of data) controller.abort();
        })(),
      );
      expect(await reading).toBeInstanceOf(Error);
    }
  });
});

describe('the pace', () => {
  test('is shared: once the cloud throttles, a new request waits before its first attempt', async () => {
    const clock = new ManualClock();
    const pacer = createPacer({ clock });
    const server = await script(429, 200);
    const { instance } = client({ retry: { clock, pacer, random: () => 0.5 } }, { baseURL: server.url });
    const first = instance.get('/devices/a');
    await until(() => pacer.keys().some((key) => pacer.state(key).mode === 'pacing'));
    const second = instance.get('/devices/b');
    const other = await instance.get('/twins/a');
    expect(other.status).toBe(200);
    expect(server.seen.map(({ url }) => url)).toEqual(['/devices/a', '/twins/a']);
    const done = Promise.all([first, second]);
    let ended = false;
    void done.then(() => {
      ended = true;
    });
    for (let second_ = 0; second_ < 200 && !ended; second_++) {
      clock.advance(500);
      await new Promise((next) => setTimeout(next, 2));
    }
    expect((await done).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('counts every request down again, however it ends', async () => {
    const pacer = createPacer();
    const server = await script(200, 404, 503, 503, 200, () => {});
    const { instance } = client({ retry: { ...FAST, pacer }, pacerKey: () => 'key' }, { baseURL: server.url });
    const gate = pacer.gate('key');
    await instance.get('/');
    await rejection(instance.get('/'));
    await rejection(instance.post('/', {}));
    expect((await instance.get('/')).status).toBe(200);
    expect(gate.inFlight).toBe(0);
    const controller = new AbortController();
    const cancelled = rejection(instance.get('/', { signal: controller.signal }));
    await until(() => server.count() === 6);
    expect(gate.inFlight).toBe(1);
    controller.abort();
    await cancelled;
    await rejection(instance.get('http://:::/'));
    await rejection(instance.get('/', { adapter: 'no such adapter' }));
    expect(gate.inFlight).toBe(0);
  });

  test('has the key that the program gives', async () => {
    const pacer = createPacer();
    const server = await script(200);
    const { instance } = client(
      { retry: { pacer }, pacerKey: ({ headers }) => String(headers.get('x-tenant')) },
      { baseURL: server.url },
    );
    await instance.get('/', { headers: { 'x-tenant': 'blue' } });
    await instance.get('/', { headers: { 'x-tenant': 'green' } });
    expect(pacer.keys()).toEqual(['blue', 'green']);
  });
});

describe("a retry of core's around an attached client", () => {
  test('does not multiply attempts', async () => {
    const server = await script(503);
    const { instance } = client({}, { baseURL: server.url });
    const error = await rejection(retry(() => instance.get('/'), { ...FAST, idempotent: true }));
    expect(error).toMatchObject({ attempts: 4, stopped: 'attempts' });
    expect(server.count()).toBe(4);
    expect(await rejection(retry(() => instance.get('/'), { ...FAST }))).toMatchObject({ stopped: 'attempts' });
  });

  test('decides what the client left undecided', async () => {
    const server = await script(503, 200);
    const { instance } = client({}, { baseURL: server.url });
    const { status } = await retry(() => instance.post('/', {}), { ...FAST, idempotent: true });
    expect(status).toBe(200);
    expect(server.count()).toBe(2);
  });
});

describe('what goes on the wire', () => {
  test('the number of the attempt and a stable id of the request, if wanted', async () => {
    const server = await script(503, 503, 200);
    const { instance } = client(
      { attemptHeader: 'x-attempt', requestIdHeader: 'x-ms-client-request-id' },
      { baseURL: server.url },
    );
    await instance.get('/');
    expect(server.seen.map(({ headers }) => headers['x-attempt'])).toEqual(['1', '2', '3']);
    const ids = new Set(server.seen.map(({ headers }) => headers['x-ms-client-request-id']));
    expect(ids.size).toBe(1);
    expect([...ids][0]).toMatch(/^[\da-f-]{36}$/);
    await instance.get('/', { headers: { 'x-ms-client-request-id': 'mine' } });
    expect(server.seen.at(-1)?.headers['x-ms-client-request-id']).toBe('mine');
  });

  test('nothing, if not', async () => {
    const server = await script(200);
    const bare = await script(200);
    await client({}, { baseURL: server.url }).instance.get('/');
    await axios.get(bare.url);
    const names = ({ seen }: typeof server) => Object.keys(seen[0]?.headers ?? {}).sort();
    expect(names(server)).toEqual(names(bare));
  });
});
