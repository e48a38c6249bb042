import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { createPacer, retry } from '@faultmap/core';
import { attachHttp, azureIotIdempotent } from '@faultmap/http';
import axios, { type AxiosRequestConfig } from 'axios';
import { describe, expect, test } from 'vitest';
import { ManualClock, until } from './support/clock.ts';
import { FAST, rejection, reset, type Step, script } from './support/script.ts';

const ADAPTERS = ['http', 'fetch'] as const;

function client(options: Parameters<typeof attachHttp>[1] = {}, config: AxiosRequestConfig = {}) {
  const instance = axios.create(config as object);
  const handle = attachHttp(instance, { retry: FAST, ...options });
  return { instance, handle };
}

describe.each(ADAPTERS)('on the %s adapter', (adapter) => {
  const attempt = async (
    steps: readonly Step[],
    config: AxiosRequestConfig,
    options?: Parameters<typeof attachHttp>[1],
  ) => {
    const server = await script(...steps);
    const { instance } = client(options, { adapter, baseURL: server.url });
    const outcome = await instance.request(config).then(
      ({ status }) => ({ status }),
      (error) => ({ error }),
    );
    return { sent: server.count(), ...outcome } as { sent: number; status?: number; error?: Record<string, unknown> };
  };

  describe('a 503 is repeated for what may run twice', () => {
    test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s', async (method) => {
      expect(await attempt([503, 503, 200], { method })).toEqual({ sent: 3, status: 200 });
    });

    test.each(['POST', 'PATCH'])('not %s, and it says what to do', async (method) => {
      const { sent, error } = await attempt([503, 200], { method, data: {} });
      expect(sent).toBe(1);
      expect(error).toMatchObject({ category: 'server', stopped: 'not-idempotent', attempts: 1, executed: 'unknown' });
      expect(error?.fix).toContain('idempotent');
    });

    test('PATCH with an If-Match tag, but not with If-Match: *', async () => {
      const patch = { method: 'PATCH', data: {} };
      expect(await attempt([503, 200], { ...patch, headers: { 'If-Match': '"AAAA="' } })).toMatchObject({ sent: 2 });
      expect(await attempt([503, 200], { ...patch, headers: { 'If-Match': '*' } })).toMatchObject({ sent: 1 });
    });

    test('POST that was declared so, by the request, the attachment or a function', async () => {
      const post = { method: 'POST', url: '/devices/query', data: { query: 'SELECT * FROM devices' } };
      expect(await attempt([503, 200], { ...post, faultmap: { idempotent: true } })).toMatchObject({ sent: 2 });
      expect(await attempt([503, 200], post, { idempotent: true })).toMatchObject({ sent: 2 });
      expect(await attempt([503, 200], post, { idempotent: azureIotIdempotent })).toMatchObject({ sent: 2 });
      expect(await attempt([503, 200], post, { idempotent: ({ url }) => url === '/devices/query' })).toMatchObject({
        sent: 2,
      });
    });

    test('not GET that was declared otherwise', async () => {
      expect(await attempt([503, 200], { faultmap: { idempotent: false } })).toMatchObject({ sent: 1 });
      expect(await attempt([503, 200], {}, { idempotent: false })).toMatchObject({ sent: 1 });
    });
  });

  test.each(['GET', 'POST', 'PATCH'])('a 429 is repeated for %s too, since nothing ran', async (method) => {
    expect(await attempt([429, 429, 201], { method, ...(method !== 'GET' && { data: {} }) })).toEqual({
      sent: 3,
      status: 201,
    });
  });

  test('what will fail again is not repeated', async () => {
    for (const status of [400, 401, 403, 404, 409, 412, 413]) {
      const { sent, error } = await attempt([status, 200], { method: 'PUT', data: {} });
      expect({ status, sent, stopped: error?.stopped }).toEqual({ status, sent: 1, stopped: 'not-transient' });
    }
  });

  test('a reset after the request was written: repeated for GET, not for POST', async () => {
    expect(await attempt([reset, 200], {})).toEqual({ sent: 2, status: 200 });
    const { sent, error } = await attempt([reset, 200], { method: 'POST', data: {} });
    expect(sent).toBe(1);
    expect(error).toMatchObject({ category: 'network', executed: 'unknown', stopped: 'not-idempotent' });
  });

  test('the final error tells attempts, waits and why it stopped', async () => {
    const { sent, error } = await attempt([503], {}, { retry: { ...FAST, maxAttempts: 3 } });
    expect(sent).toBe(3);
    expect(error).toMatchObject({
      attempts: 3,
      stopped: 'attempts',
      waitsMs: [expect.any(Number), expect.any(Number)],
    });
  });

  test('the request says more than the attachment, field by field', async () => {
    const faultmap = { retry: { maxAttempts: 2 }, operation: 'registry.get' };
    const { sent, error } = await attempt([503], { faultmap });
    expect(sent).toBe(2);
    expect(error).toMatchObject({ operation: 'registry.get', stopped: 'attempts' });
    expect(error?.message).toContain('registry.get');
    expect(await attempt([503], { faultmap: { retry: false } })).toMatchObject({
      sent: 1,
      error: { stopped: 'disabled' },
    });
    const on = await attempt([503, 200], { faultmap: { retry: { ...FAST } } }, { retry: false });
    expect(on).toEqual({ sent: 2, status: 200 });
  });

  test('its options are checked', async () => {
    const { error } = await attempt([200], { faultmap: { retry: { maxAttempts: 0 } } });
    expect(error).toBeInstanceOf(TypeError);
    expect(error?.message).toBe(
      'config.faultmap: option retry.maxAttempts: expected a whole number, 1 or more, or Infinity, got 0',
    );
  });

  test('a conflict on the repeat may be its own earlier attempt: never "not executed"', async () => {
    for (const [status, name] of [
      [409, 'DeviceAlreadyExists'],
      [412, 'PreconditionFailed'],
    ] as const) {
      const { sent, error } = await attempt([reset, [status, { 'iothub-errorcode': name }]], {
        method: 'PUT',
        data: {},
      });
      expect(sent).toBe(2);
      expect(error).toMatchObject({
        httpStatus: status,
        executed: 'unknown',
        ownEarlierAttempt: 'possible',
        attempts: 2,
      });
      expect(error?.fix).toMatch(/read the resource/i);
    }
    const gone = await attempt([reset, [404, { 'iothub-errorcode': 'DeviceNotFound' }]], { method: 'DELETE' });
    expect(gone.error).toMatchObject({ code: 404001, executed: 'unknown', ownEarlierAttempt: 'possible' });
  });

  // axios' http adapter takes node streams only, fetch both
  const streams: readonly (readonly [name: string, make: () => unknown])[] = [
    ['a node stream', () => Readable.from(['one', 'two'])],
    ...(adapter === 'fetch' ? [['a web stream', () => new Blob(['one']).stream()] as const] : []),
  ];
  test.each(streams)('a body that is used up is never repeated: %s', async (_, body) => {
    for (const step of [503, 429] as const) {
      const config = { method: 'PUT', data: body(), headers: { 'content-type': 'text/plain' } };
      const { sent, error } = await attempt([step, 200], config);
      expect({ sent, stopped: error?.stopped }).toEqual({ sent: 1, stopped: 'body' });
    }
  });

  test.each([
    ['JSON', { a: 1 }],
    ['a string', 'text'],
    ['bytes', Buffer.from('bytes')],
    ['a form', new URLSearchParams({ a: '1' })],
  ])('a body that can be sent again is, whole: %s', async (_, data) => {
    const server = await script(503, 200);
    const { instance } = client({}, { adapter, baseURL: server.url });
    await instance.put('/', data);
    expect(server.seen).toHaveLength(2);
    expect(server.seen[1]?.body).toBe(server.seen[0]?.body);
    expect(server.seen[1]?.body).not.toBe('');
    expect(server.seen[1]?.headers['content-type']).toBe(server.seen[0]?.headers['content-type']);
  });

  test('interceptors and transforms run once, whatever the number of attempts', async () => {
    const server = await script(503, 503, 200);
    const { instance } = client({}, { adapter, baseURL: server.url });
    const ran = { request: 0, transformed: 0, response: 0 };
    instance.interceptors.request.use((config) => {
      ran.request++;
      return config;
    });
    instance.interceptors.response.use((response) => {
      ran.response++;
      return response;
    });
    const transformRequest = [(data: unknown) => `${ran.transformed++}:${data}`];
    await instance.put('/', 'x', { transformRequest });
    expect(ran).toEqual({ request: 1, transformed: 1, response: 1 });
    expect(server.seen.map(({ body }) => body)).toEqual(['0:x', '0:x', '0:x']);
  });

  test('an abort ends a wait at once, with the error axios has for it', async () => {
    const server = await script(503);
    const clock = new ManualClock();
    const { instance } = client(
      { retry: { clock, pacer: false, random: () => 0.5 } },
      { adapter, baseURL: server.url },
    );
    const controller = new AbortController();
    const pending = instance.get('/', { signal: controller.signal });
    const ended = rejection(pending);
    await until(() => clock.pending > 0);
    controller.abort();
    const error = await ended;
    expect(axios.isCancel(error)).toBe(true);
    expect(server.count()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('a cancel token ends a wait at once too', async () => {
    const server = await script(503);
    const clock = new ManualClock();
    const { instance } = client(
      { retry: { clock, pacer: false, random: () => 0.5 } },
      { adapter, baseURL: server.url },
    );
    const source = axios.CancelToken.source();
    const ended = rejection(instance.get('/', { cancelToken: source.token }));
    await until(() => clock.pending > 0);
    source.cancel('enough');
    const error = await ended;
    expect(axios.isCancel(error)).toBe(true);
    expect(error.message).toBe('enough');
    expect(clock.pending).toBe(0);
  });

  test('an abort during an attempt is passed through as it is', async () => {
    const server = await script(() => {});
    const { instance, handle } = client({}, { adapter, baseURL: server.url });
    const faults: unknown[] = [];
    handle.on('fault', (event) => faults.push(event));
    const controller = new AbortController();
    const ended = rejection(instance.get('/', { signal: controller.signal }));
    await until(() => server.count() > 0);
    controller.abort();
    expect(axios.isCancel(await ended)).toBe(true);
    expect(faults).toEqual([]);
  });

  test('a repeat is cut at the deadline, a first attempt is not', async () => {
    const clock = new ManualClock();
    const server = await script(503, () => {});
    const { instance } = client({ retry: { ...FAST, clock, deadlineMs: 1_000 } }, { adapter, baseURL: server.url });
    const ended = rejection(instance.get('/'));
    await until(() => clock.pending > 0);
    clock.advance(5);
    await until(() => server.count() === 2);
    clock.advance(1_000);
    expect(await ended).toMatchObject({
      category: 'timeout',
      reason: 'DeadlineExceeded',
      stopped: 'deadline',
      attempts: 2,
      executed: 'unknown',
    });

    const slow = await script((response) => setTimeout(() => response.end('late'), 30));
    const other = client({ retry: { ...FAST, clock, deadlineMs: 1 } }, { adapter, baseURL: slow.url });
    const pending = other.instance.get('/');
    await until(() => slow.count() === 1);
    clock.advance(10_000);
    expect((await pending).data).toBe('late');
  });

  test('the time-out of axios is of each attempt', async () => {
    const server = await script(
      () => {},
      () => {},
      200,
    );
    const { instance } = client({}, { adapter, baseURL: server.url, timeout: 40 });
    expect((await instance.get('/')).status).toBe(200);
    expect(server.count()).toBe(3);
  });
});

describe('a wait that the cloud asks for', () => {
  const HINTS: readonly (readonly [
    name: string,
    headers: Record<string, string>,
    body: string | undefined,
    ms: number,
  ])[] = [
    ['seconds', { 'retry-after': '7' }, undefined, 7_000],
    ['an HTTP date', { 'retry-after': new Date(Date.now() + 20_000).toUTCString() }, undefined, 18_000],
    ['an RFC 850 date', { 'retry-after': rfc850(new Date(Date.now() + 20_000)) }, undefined, 18_000],
    ['an asctime date', { 'retry-after': asctime(new Date(Date.now() + 20_000)) }, undefined, 18_000],
    ['retry-after-ms', { 'retry-after-ms': '1500' }, undefined, 1_500],
    ['x-ms-retry-after-ms', { 'x-ms-retry-after-ms': '2500' }, undefined, 2_500],
    [
      'prose',
      {},
      '{"Message":"ErrorCode:ThrottlingBacklogTimeout;Wait 10 seconds and try again. Operation type: CRUD"}',
      10_000,
    ],
  ];

  test.each(HINTS)('%s: never earlier', async (_, headers, body, ms) => {
    const clock = new ManualClock();
    const server = await script([429, headers, body ?? '{}'], 200);
    const { instance } = client({ retry: { clock, pacer: false } }, { baseURL: server.url });
    const pending = instance.post('/', {});
    await until(() => clock.pending > 0);
    expect(clock.nextMs).toBeGreaterThanOrEqual(ms);
    expect(clock.nextMs).toBeLessThanOrEqual(ms * 1.5 + 2_000);
    clock.advance(ms - 1);
    await new Promise((next) => setTimeout(next, 10));
    expect(server.count()).toBe(1);
    clock.advance(ms);
    expect((await pending).status).toBe(200);
  });

  test('one that is longer than allowed ends the request at once, and says so', async () => {
    const server = await script([429, { 'retry-after': '61' }]);
    const { instance } = client({ retry: { ...FAST } }, { baseURL: server.url });
    expect(await rejection(instance.get('/'))).toMatchObject({
      stopped: 'hint-too-long',
      attempts: 1,
      retryAfterMs: 61_000,
    });
  });

  test('one that does not fit the deadline ends the request at once, and says so', async () => {
    const server = await script([503, { 'retry-after': '5' }]);
    const { instance } = client({ retry: { ...FAST, deadlineMs: 4_000 } }, { baseURL: server.url });
    expect(await rejection(instance.get('/'))).toMatchObject({ stopped: 'deadline', attempts: 1 });
  });

  test('one that no timer can hold is not at once', async () => {
    const clock = new ManualClock();
    const server = await script([429, { 'retry-after': '10000000' }], 200);
    const retry = { clock, pacer: false as const, maxRetryAfterMs: Infinity, deadlineMs: Infinity };
    const { instance } = client({ retry }, { baseURL: server.url });
    const pending = instance.get('/');
    await until(() => clock.pending > 0);
    for (let day = 0; day < 120 && server.count() === 1; day++) clock.advance(86_400_000);
    expect(clock.now() - 1_700_000_000_000).toBeGreaterThanOrEqual(10_000_000_000);
    await until(() => server.count() === 2);
    expect((await pending).status).toBe(200);
  });

  test.each(['abc', '-1', '1e3', '0x10'])('%s is none: backoff', async (value) => {
    const server = await script([429, { 'retry-after': value }], 200);
    const { instance } = client({ retry: FAST }, { baseURL: server.url });
    expect((await instance.get('/')).status).toBe(200);
  });
});

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

function rfc850(date: Date): string {
  const day = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][date.getUTCDay()];
  const [, dd, month, year, time] = /^..., (\d\d) (...) \d\d(\d\d) (\S+)/.exec(date.toUTCString()) as RegExpExecArray;
  return `${day}, ${dd}-${month}-${year} ${time} GMT`;
}

function asctime(date: Date): string {
  const [, day, dd, month, year, time] = /^(...), (\d\d) (...) (\d{4}) (\S+)/.exec(
    date.toUTCString(),
  ) as RegExpExecArray;
  return `${day} ${month} ${String(Number(dd)).padStart(2, ' ')} ${time} ${year}`;
}
