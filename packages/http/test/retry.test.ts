import { Readable } from 'node:stream';
import { type AttachHttpOptions, azureIotIdempotent } from '@faultmap/http';
import axios, { type AxiosRequestConfig } from 'axios';
import { describe, expect, test } from 'vitest';
import { client } from './support/client.ts';
import { ManualClock, until } from './support/clock.ts';
import { FAST, rejection, reset, type Step, script } from './support/script.ts';

describe.each(['http', 'fetch'] as const)('on the %s adapter', (adapter) => {
  const attempt = async (steps: readonly Step[], config: AxiosRequestConfig, options?: AttachHttpOptions) => {
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
    const { instance } = client({}, { adapter, baseURL: server.url, timeout: 200 });
    expect((await instance.get('/')).status).toBe(200);
    expect(server.count()).toBe(3);
  });
});
