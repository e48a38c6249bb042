import { isDeviceCloudError, ServerError } from '@faultmap/core';
import { attachHttp, wrapAdapter } from '@faultmap/http';
import axios, { type AxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, test, vi } from 'vitest';
import { runCode } from './support/child.ts';
import { FAST, rejection, script } from './support/script.ts';

const retry = FAST;

describe('the place among interceptors', () => {
  test("those before see axios' own error with its data parsed, those after the typed one", async () => {
    const server = await script([
      404,
      { 'content-type': 'application/json' },
      '{"Message":"ErrorCode:DeviceNotFound;no such device"}',
    ]);
    const client = axios.create({ baseURL: server.url });
    const met: unknown[] = [];
    const watch = (error: unknown) => {
      met.push(error);
      throw error;
    };
    client.interceptors.response.use(undefined, watch);
    attachHttp(client);
    client.interceptors.response.use(undefined, watch);
    const error = await rejection(client.get('/'));
    const [before, after] = met as [AxiosError, typeof error];
    expect(axios.isAxiosError(before)).toBe(true);
    expect(before.response?.data).toEqual({ Message: 'ErrorCode:DeviceNotFound;no such device' });
    expect(before.config?.url).toBe('/');
    expect(after).toBe(error);
    expect(error).toMatchObject({ category: 'not-found', code: 404001 });
    expect(error.cause).toBe(before);
  });

  test('what interceptors of the application throw passes untouched', async () => {
    const server = await script(200);
    const own = new Error('my own rule');
    for (const at of ['request', 'response'] as const) {
      const client = axios.create({ baseURL: server.url });
      client.interceptors[at].use(() => {
        throw own;
      });
      attachHttp(client, { retry });
      expect(await rejection(client.get('/'))).toBe(own);
    }
  });

  test('an error that an earlier interceptor mends is no error', async () => {
    const server = await script(404);
    const client = axios.create({ baseURL: server.url });
    client.interceptors.response.use(undefined, () => ({ data: 'mended' }) as never);
    attachHttp(client);
    expect((await client.get('/')).data).toBe('mended');
  });

  test('a config that an interceptor copies keeps its retry', async () => {
    const server = await script(503, 200);
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry });
    client.interceptors.request.use((config) => ({ ...config }) as InternalAxiosRequestConfig);
    client.interceptors.request.use(async (config) => config);
    expect((await client.get('/')).status).toBe(200);
    expect(server.count()).toBe(2);
  });

  test('a response that an earlier interceptor unwraps is not in the way', async () => {
    const server = await script(503, [200, { 'content-type': 'application/json' }, '{"a":1}']);
    const client = axios.create({ baseURL: server.url });
    client.interceptors.response.use(({ data }) => data);
    attachHttp(client, { retry });
    expect(await client.get('/')).toEqual({ a: 1 });
  });
});

describe('code that knows axios', () => {
  test('reads error.response as before, and no logger sees it', async () => {
    const server = await script([404, { 'content-type': 'application/json' }, '{"a":1}']);
    const client = axios.create({ baseURL: server.url });
    attachHttp(client);
    const error = (await rejection(client.get('/'))) as unknown as { response: { status: number; data: unknown } };
    expect(error.response.status).toBe(404);
    expect(error.response.data).toEqual({ a: 1 });
    expect(Object.keys(error)).not.toContain('response');
    expect(JSON.stringify(error)).not.toContain('"response"');
  });

  test('finds its own frames in the stack', async () => {
    const server = await script([404, {}, '{}'], (_, request) => void request.socket.destroy());
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry: false });
    for (let step = 0; step < 2; step++) {
      const { stack, name, message } = await rejection(client.get('/'));
      expect(stack?.startsWith(`${name}: ${message}\n    at `)).toBe(true);
      expect(stack).toContain('attach.test.ts');
    }
  });

  test('finds no response where there was none', async () => {
    const server = await script((_, request) => void request.socket.destroy());
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry: false });
    expect((await rejection(client.get('/'))).response).toBeUndefined();
  });
});

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

describe("other people's adapters", () => {
  test('around ours: theirs is kept at detach, and lets through what ours did', async () => {
    const server = await script(503, 200, 503);
    const client = axios.create({ baseURL: server.url });
    const handle = attachHttp(client, { retry });
    const ours = client.defaults.adapter as (config: InternalAxiosRequestConfig) => Promise<never>;
    const calls = vi.fn();
    const theirs = (config: InternalAxiosRequestConfig) => {
      calls();
      return ours(config);
    };
    client.defaults.adapter = theirs;
    expect((await client.get('/')).status).toBe(200);
    expect(calls).toHaveBeenCalledTimes(1);
    handle.detach();
    expect(client.defaults.adapter).toBe(theirs);
    expect(axios.isAxiosError(await rejection(client.get('/')))).toBe(true);
    expect(server.count()).toBe(3);
  });

  test('inside ours: called once for each attempt', async () => {
    const server = await script(503, 200);
    const client = axios.create({ baseURL: server.url });
    const inner = axios.getAdapter('http');
    const calls = vi.fn();
    client.defaults.adapter = (config) => {
      calls();
      return inner(config);
    };
    attachHttp(client, { retry });
    expect((await client.get('/')).status).toBe(200);
    expect(calls).toHaveBeenCalledTimes(2);
  });

  test('one that repeats around ours has each of its calls repeated by ours, not more', async () => {
    const server = await script(503);
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry: { ...FAST, maxAttempts: 2 } });
    const ours = client.defaults.adapter as (config: InternalAxiosRequestConfig) => Promise<never>;
    client.defaults.adapter = (config) => ours(config).catch(() => ours(config));
    expect(await rejection(client.get('/'))).toMatchObject({ category: 'server', attempts: 2 });
    expect(server.count()).toBe(4);
  });

  test('ours in ours does not multiply attempts', async () => {
    const server = await script(503);
    const parent = axios.create({ baseURL: server.url });
    attachHttp(parent, { retry: { ...FAST, maxAttempts: 2 } });
    const ours = parent.defaults.adapter as (config: InternalAxiosRequestConfig) => Promise<never>;
    const child = axios.create({ baseURL: server.url, adapter: (config) => ours(config) });
    attachHttp(child, { retry: { ...FAST, maxAttempts: 3 } });
    expect(await rejection(child.get('/'))).toMatchObject({ attempts: 3 });
    expect(server.count()).toBe(3);
  });

  test('one given per request: its errors are typed, not repeated, and told once', async () => {
    const server = await script(503);
    const client = axios.create({ baseURL: server.url });
    const handle = attachHttp(client, { retry });
    const told: string[] = [];
    for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const) handle.on(name, () => told.push(name));
    const error = await rejection(client.get('/', { adapter: 'fetch' }));
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ attempts: 1, stopped: 'disabled' });
    expect(server.count()).toBe(1);
    expect(told).toEqual(['fault', 'give-up']);
  });

  test('one given per request through wrapAdapter is repeated', async () => {
    const server = await script(503, 200);
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry });
    const wrapped = wrapAdapter('fetch');
    expect((await client.get('/', { adapter: wrapped })).status).toBe(200);
    expect(server.count()).toBe(2);
    expect(wrapAdapter(wrapped)).toBe(wrapped);
    expect(axios.isAxiosError(await rejection(axios.get('http://127.0.0.1:1/', { adapter: wrapped })))).toBe(true);
  });

  test('whatever they reject with is typed, mistakes of the program are not', async () => {
    const attached = (thrown: unknown): AxiosInstance => {
      const client = axios.create({ adapter: () => Promise.reject(thrown) });
      attachHttp(client, { retry });
      return client;
    };
    const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    expect(await rejection(attached(reset).get('/'))).toMatchObject({
      category: 'network',
      reason: 'ECONNRESET',
      attempts: 4,
    });
    expect(isDeviceCloudError(await rejection(attached('just text').get('/')))).toBe(true);
    expect(isDeviceCloudError(await rejection(attached(new Error('boom')).get('/')))).toBe(true);
    const mistake = new TypeError('undefined is not a function');
    expect(await rejection(attached(mistake).get('/'))).toBe(mistake);
  });

  test('an error sent again as error.config by another instance is not repeated by ours', async () => {
    const server = await script(503);
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry: { ...FAST, maxAttempts: 2 } });
    const error = await rejection(client.get('/'));
    expect(server.count()).toBe(2);
    const again = await rejection(axios.request((error.cause as AxiosError).config as InternalAxiosRequestConfig));
    expect(axios.isAxiosError(again)).toBe(true);
    expect(server.count()).toBe(3);
  });
});

describe('validateStatus', () => {
  test("is the program's: what it accepts is neither typed nor repeated", async () => {
    const server = await script(503);
    const client = axios.create({ baseURL: server.url, validateStatus: () => true });
    attachHttp(client, { retry });
    expect((await client.get('/')).status).toBe(503);
    expect(server.count()).toBe(1);
  });

  test("one that throws ends the process on axios' http adapter, with us or without", async () => {
    const server = await script(200);
    const program = (attach: string) => `
      import axios from 'axios';
      import { attachHttp } from '@faultmap/http';
      ${attach}
      await axios.get(process.env.URL, { adapter: 'http', validateStatus() { throw new Error('my mistake'); } });
    `;
    for (const attach of ['', 'attachHttp(axios);']) {
      const { code, stderr } = await runCode(program(attach), { URL: server.url });
      expect(code).toBe(1);
      expect(stderr).toContain('Error: my mistake');
    }
  });

  test('one that throws settles on fetch as it does without us', async () => {
    const server = await script(200);
    const client = axios.create({ baseURL: server.url, adapter: 'fetch' });
    attachHttp(client, { retry });
    const mistake = new TypeError('my mistake');
    const error = await rejection(
      client.get('/', {
        validateStatus: () => {
          throw mistake;
        },
      }),
    );
    expect(isDeviceCloudError(error)).toBe(false);
    expect(error).toMatchObject({ message: 'my mistake', cause: mistake });
    expect(server.count()).toBe(1);
  });
});

describe('mistakes of the program pass as they are', () => {
  test('an invalid URL', async () => {
    for (const adapter of ['http', 'fetch'] as const) {
      const client = axios.create({ adapter });
      attachHttp(client, { retry });
      const bare = await rejection(axios.get('http://:::/', { adapter }));
      const error = await rejection(client.get('http://:::/'));
      expect(isDeviceCloudError(error)).toBe(false);
      expect(error.name).toBe('TypeError');
      expect(error.message).toBe(bare.message);
    }
  });

  test('a transform that throws', async () => {
    const server = await script(200);
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry });
    const mistake = new RangeError('mine');
    const throwing = () => {
      throw mistake;
    };
    expect(await rejection(client.post('/', {}, { transformRequest: throwing }))).toBe(mistake);
    expect(await rejection(client.get('/', { transformResponse: throwing }))).toBe(mistake);
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
