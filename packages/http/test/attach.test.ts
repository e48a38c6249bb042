import { attachHttp } from '@faultmap/http';
import axios, { type AxiosError } from 'axios';
import { describe, expect, test, vi } from 'vitest';
import { FAST, rejection, script } from './support/script.ts';

const retry = FAST;

describe('attach and detach', () => {
  test('leave an instance as it was', async () => {
    const server = await script(503);
    const client = axios.create({ baseURL: server.url });
    const { adapter } = client.defaults;
    const keys = Reflect.ownKeys(client);
    const handle = attachHttp(client);
    expect(client.defaults.adapter).not.toBe(adapter);
    handle.detach();
    expect(client.defaults.adapter).toBe(adapter);
    expect(Reflect.ownKeys(client)).toEqual(keys);
    expect(client.interceptors.request.handlers?.filter(Boolean)).toEqual([]);
    expect(client.interceptors.response.handlers?.filter(Boolean)).toEqual([]);
    expect(axios.isAxiosError(await rejection(client.get('/')))).toBe(true);
    expect(server.count()).toBe(1);
  });

  test('a second attach with the same options gives the first handle, with others a clear error', () => {
    const client = axios.create();
    const first = attachHttp(client, { retry: { maxAttempts: 2 } });
    expect(attachHttp(client, { retry: { maxAttempts: 2 } })).toBe(first);
    expect(() => attachHttp(client, { retry: { maxAttempts: 3 } })).toThrow(
      /attachHttp: this client is attached already/,
    );
    first.detach();
    const again = attachHttp(client, { retry: { maxAttempts: 3 } });
    expect(again).not.toBe(first);
  });

  test('a second detach does nothing, also after another attach', async () => {
    const server = await script(503);
    const client = axios.create({ baseURL: server.url });
    const first = attachHttp(client);
    first.detach();
    const second = attachHttp(client, { retry: { ...FAST, maxAttempts: 2 } });
    first.detach();
    expect(() => attachHttp(client)).toThrow(/attached already/);
    expect(await rejection(client.get('/'))).toMatchObject({ attempts: 2 });
    second.detach();
    expect(axios.isAxiosError(await rejection(client.get('/')))).toBe(true);
  });

  test('instances side by side run under their own options', async () => {
    const server = await script(503);
    const clients = [1, 2, 3].map((maxAttempts) => {
      const client = axios.create({ baseURL: server.url });
      attachHttp(client, { retry: { ...FAST, maxAttempts } });
      return client;
    });
    const errors = await Promise.all(clients.map((client) => rejection(client.get('/'))));
    expect(errors.map(({ attempts }) => attempts)).toEqual([1, 2, 3]);
  });

  test('a second copy of the package gives the first handle too', async () => {
    const client = axios.create();
    const first = attachHttp(client);
    vi.resetModules();
    const copy = await import('@faultmap/http');
    expect(copy.attachHttp).not.toBe(attachHttp);
    expect(copy.attachHttp(client)).toBe(first);
  });

  test('the default export can be attached, and freed again', async () => {
    const server = await script(503, 200);
    const handle = attachHttp(axios, { retry });
    try {
      expect((await axios.get(server.url)).status).toBe(200);
      expect(server.count()).toBe(2);
      const child = axios.create({ baseURL: (await script(503)).url });
      expect(axios.isAxiosError(await rejection(child.get('/')))).toBe(true);
    } finally {
      handle.detach();
    }
    const bare = await script(503);
    expect(axios.isAxiosError(await rejection(axios.get(bare.url)))).toBe(true);
  });

  test('an instance made by create() is not attached by accident', async () => {
    const server = await script(503);
    const parent = axios.create({ baseURL: server.url });
    const handle = attachHttp(parent, { retry });
    const faults = vi.fn();
    handle.on('fault', faults);
    // Instances have `create` too; it is missing in axios' own types of an instance.
    const child = (parent as unknown as typeof axios).create({ baseURL: server.url });
    expect(axios.isAxiosError(await rejection(child.get('/')))).toBe(true);
    expect(server.count()).toBe(1);
    expect(faults).not.toHaveBeenCalled();
  });

  test('one attached of its own runs under its own options, once', async () => {
    const server = await script(503);
    const parent = axios.create({ baseURL: server.url });
    const outer = attachHttp(parent, { retry: { ...FAST, maxAttempts: 5 } });
    const child = (parent as unknown as typeof axios).create({ baseURL: server.url });
    attachHttp(child, { retry: { ...FAST, maxAttempts: 2 } });
    expect(await rejection(child.get('/'))).toMatchObject({ attempts: 2 });
    expect(server.count()).toBe(2);
    outer.detach();
    expect(await rejection(child.get('/'))).toMatchObject({ attempts: 2 });
    expect(server.count()).toBe(4);
  });

  test('requests on their way at detach end as they began', async () => {
    const server = await script((response) => setTimeout(() => response.writeHead(503).end(), 30), 200);
    const client = axios.create({ baseURL: server.url });
    const handle = attachHttp(client, { retry });
    const pending = client.get('/');
    handle.detach();
    expect((await pending).status).toBe(200);
    expect(server.count()).toBe(2);
  });

  test('options are checked when attaching', () => {
    const client = axios.create();
    const bad = (options: object) => () => attachHttp(client, options);
    expect(bad({ retry: { maxAttempts: 'three' } })).toThrow(
      'attachHttp: option retry.maxAttempts: expected a whole number, 1 or more, or Infinity, got "three"',
    );
    expect(bad({ retry: { signal: new AbortController().signal } })).toThrow(
      'attachHttp: option retry.signal: expected it as config.signal',
    );
    expect(bad({ idempotnet: true })).toThrow('attachHttp: option idempotnet: expected one of the options');
    expect(bad({ credentials: 'token' })).toThrow('attachHttp: option credentials: expected a function, got "token"');
    expect(bad({ attemptHeader: 'x y' })).toThrow('attachHttp: option attemptHeader: expected the name of a header');
    expect(client.interceptors.response.handlers?.filter(Boolean)).toEqual([]);
    expect(() => attachHttp(client)).not.toThrow();
  });

  test('a misspelt option of a failed attach does not leave the instance marked', () => {
    const client = axios.create();
    const keys = Reflect.ownKeys(client);
    expect(() => attachHttp(client, { wrong: 1 } as object)).toThrow(TypeError);
    expect(Reflect.ownKeys(client)).toEqual(keys);
  });
});

describe('events', () => {
  test('errors under way at the same time are not mixed up', async () => {
    const server = await script((response, request) => {
      setTimeout(
        () => response.writeHead(404, { 'x-ms-request-id': request.url?.slice(1) ?? '' }).end(),
        Math.random() * 20,
      );
    });
    const client = axios.create({ baseURL: server.url });
    const slow = new Promise((next) => setTimeout(next, 5));
    client.interceptors.response.use(undefined, async (error) => {
      await slow;
      throw error;
    });
    attachHttp(client, { retry });
    const ids = Array.from({ length: 40 }, (_, i) => `0a1b2c3d4e5f60718293a4b5c6d7e8${10 + i}`);
    const errors = await Promise.all(ids.map((id) => rejection(client.get(`/${id}`))));
    expect(errors.map(({ trackingId }) => trackingId)).toEqual(ids);
    for (const error of errors) expect((error.cause as AxiosError).response).toBe(error.response);
  });

  test('with retry: false each failure is one fault and one give-up', async () => {
    const server = await script(503, 404);
    const client = axios.create({ baseURL: server.url });
    const handle = attachHttp(client, { retry: false });
    const told: unknown[] = [];
    for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const)
      handle.on(name, ({ error, stopped }) => told.push([name, error.httpStatus, stopped]));
    await rejection(client.get('/'));
    await rejection(client.get('/'));
    expect(told).toEqual([
      ['fault', 503, undefined],
      ['give-up', 503, 'disabled'],
      ['fault', 404, undefined],
      ['give-up', 404, 'disabled'],
    ]);
  });

  test('fault for each failure, retry before each wait, recovered once', async () => {
    const server = await script(503, 429, 200);
    const client = axios.create({ baseURL: server.url });
    const handle = attachHttp(client, { retry });
    const told: unknown[] = [];
    for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const)
      handle.on(name, ({ error, attempt, operation }) => told.push([name, attempt, error.httpStatus, operation]));
    await client.get('/', { faultmap: { operation: 'twin.get' } });
    expect(told).toEqual([
      ['fault', 1, 503, 'twin.get'],
      ['retry', 1, 503, 'twin.get'],
      ['fault', 2, 429, 'twin.get'],
      ['retry', 2, 429, 'twin.get'],
      ['recovered', 3, 429, 'twin.get'],
    ]);
  });

  test('give-up once, and off() ends it; a listener that throws does not reach the request', async () => {
    const server = await script(404);
    const client = axios.create({ baseURL: server.url });
    const handle = attachHttp(client, { retry });
    const warned = new Promise((said) => process.once('warning', said));
    const gaveUp = vi.fn(() => {
      throw new Error('listener');
    });
    handle.on('give-up', gaveUp);
    expect(await rejection(client.get('/'))).toMatchObject({ category: 'not-found' });
    handle.off('give-up', gaveUp);
    await rejection(client.get('/'));
    expect(gaveUp).toHaveBeenCalledTimes(1);
    expect(await warned).toMatchObject({ code: 'FAULTMAP_LISTENER' });
  });
});
