import { createPacer, isDeviceCloudError } from '@faultmap/core';
import { attachHttp } from '@faultmap/http';
import axios, { AxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import oldest from 'axios-oldest';
import { describe, expect, test } from 'vitest';
import { FAST, rejection, type Step, script } from './support/script.ts';

/*
 * Where ours are the only interceptors their rounds are shortened, and axios gets no real promise.
 * Nothing of it may be seen from outside: each is held to the same with an idle interceptor of the
 * application before ours, where nothing is shortened.
 */

const retry = FAST;
const json = { 'content-type': 'application/json' };

type Prepare = (client: AxiosInstance) => void;
const before: [string, Prepare][] = [
  ['alone', () => {}],
  ['after an interceptor of the request', ({ interceptors }) => void interceptors.request.use((config) => config)],
  ['after an interceptor of the answer', ({ interceptors }) => void interceptors.response.use((answer) => answer)],
];

async function attached(prepare: Prepare, ...steps: readonly Step[]) {
  const server = await script(...steps);
  const client = axios.create({ baseURL: server.url });
  prepare(client);
  return { server, client, handle: attachHttp(client, { retry }) };
}

describe.each(before)('%s', (_, prepare) => {
  test('what fails is typed once', async () => {
    const { client, handle } = await attached(prepare, 404);
    const told: unknown[] = [];
    for (const name of ['fault', 'give-up'] as const) handle.on(name, ({ error }) => told.push(error));
    for (const call of [() => client.get('/'), () => client.post('/', { a: 1 }), () => client.delete('/')]) {
      const error = await rejection(call());
      expect(error).toMatchObject({ category: 'not-found', stopped: 'not-transient', attempts: 1 });
      expect(told.splice(0)).toEqual([error, error]);
    }
  });

  test('what is repeated is typed once', async () => {
    const { client, server } = await attached(prepare, 503);
    expect(await rejection(client.get('/'))).toMatchObject({ category: 'server', stopped: 'attempts', attempts: 4 });
    expect(server.count()).toBe(4);
  });

  test('so is what waited for its turn', async () => {
    const server = await script([429, { 'retry-after-ms': '20' }, ''], 404);
    const client = axios.create({ baseURL: server.url });
    prepare(client);
    const pacer = createPacer();
    const handle = attachHttp(client, { retry: { ...FAST, pacer } });
    const calls: Promise<Error>[] = [];
    handle.on('fault', () => {
      // Under the pace that the first one's fault has set.
      if (calls.length < 3) calls.push(rejection(client.get('/twins/1')));
    });
    calls.push(rejection(client.get('/twins/0')));
    await calls[0];
    expect(pacer.keys().map((key) => pacer.state(key).mode)).toEqual(['pacing']);
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ category: 'not-found' });
  });

  test('those after ours see typed errors, and answers', async () => {
    const { client } = await attached(prepare, [200, json, '{"a":1}'], 404);
    const met: unknown[] = [];
    client.interceptors.response.use(
      (answer) => {
        met.push(answer.data);
        return answer;
      },
      (error) => {
        met.push(error);
        throw error;
      },
    );
    await client.get('/');
    const error = await rejection(client.get('/'));
    expect(met).toEqual([{ a: 1 }, error]);
    expect(isDeviceCloudError(error)).toBe(true);
  });

  test("what a transform throws passes, an error of axios' is typed", async () => {
    const { client } = await attached(prepare, [200, json, '{}'], [200, json, '{}'], 404, 404);
    const mistake = new RangeError('mine');
    const refused = new AxiosError('mine', 'ERR_BAD_RESPONSE');
    for (const thrown of [mistake, refused, mistake, refused]) {
      const transformResponse = () => {
        throw thrown;
      };
      const error = await rejection(client.get('/', { transformResponse }));
      if (thrown === mistake) expect(error).toBe(mistake);
      else expect(error).toMatchObject({ category: expect.any(String), attempts: 1 });
    }
  });

  test('an error of axios before the adapter is typed', async () => {
    const { client, server } = await attached(prepare, 200);
    const config = { headers: { 'content-type': 'multipart/form-data' } };
    const deep: object = Array.from({ length: 200 }).reduce<object>((inner) => ({ inner }), {});
    expect(await rejection(client.post('/', deep, config))).toMatchObject({
      category: 'bad-request',
      reason: 'RefusedByClient',
    });
    expect(server.count()).toBe(0);
  });

  test('so is that of a transform of the request, and of an adapter that is not known', async () => {
    const { client, server } = await attached(prepare, 200);
    const transformRequest = () => {
      throw new AxiosError('mine', 'ERR_BAD_REQUEST');
    };
    expect(await rejection(client.get('/', { transformRequest }))).toMatchObject({ reason: 'RefusedByClient' });
    expect(server.count()).toBe(0);
    for (const library of [axios, oldest as unknown as typeof axios]) {
      const unknown = library.create({ adapter: 'carrier-pigeon' });
      prepare(unknown);
      attachHttp(unknown, { retry });
      for (const call of [() => unknown.get('/'), () => unknown.post('/', {})])
        expect(isDeviceCloudError(await rejection(call()))).toBe(true);
    }
  });

  test('cancelled is cancelled', async () => {
    const { client } = await attached(prepare, 503);
    const controller = new AbortController();
    const pending = rejection(client.get('/', { signal: controller.signal }));
    controller.abort();
    expect(axios.isCancel(await pending)).toBe(true);
    expect(axios.isCancel(await rejection(client.get('/', { signal: controller.signal })))).toBe(true);
  });

  test('an adapter of the request alone is none of ours, its errors are', async () => {
    const { client, server } = await attached(prepare, 503);
    for (const adapter of ['http', axios.getAdapter('fetch')] as const)
      expect(await rejection(client.get('/', { adapter }))).toMatchObject({ category: 'server', stopped: 'disabled' });
    expect(server.count()).toBe(2);
  });

  test('an adapter that throws is one that rejects', async () => {
    let calls = 0;
    const client = axios.create({
      adapter: (config) => {
        calls++;
        throw new AxiosError('socket hang up', 'ECONNRESET', config);
      },
    });
    prepare(client);
    attachHttp(client, { retry });
    expect(await rejection(client.get('/'))).toMatchObject({ category: 'network', attempts: 4 });
    expect(calls).toBe(4);
  });

  test('options of a request that are none are said', async () => {
    const { client } = await attached(prepare, 200);
    expect(await rejection(client.get('/', { faultmap: { idempotent: 'yes' } as never }))).toMatchObject({
      name: 'TypeError',
      message: 'config.faultmap: option idempotent: expected a boolean, got "yes"',
    });
  });
});

describe('in the course of time', () => {
  test('interceptors that come and go are met as axios has it', async () => {
    const { client } = await attached(() => {}, 404);
    const seen: string[] = [];
    const watch = (name: string) => (error: Error) => {
      seen.push(`${name} ${error.name}`);
      throw error;
    };
    await rejection(client.get('/'));
    const first = client.interceptors.response.use(undefined, watch('first'));
    const second = client.interceptors.response.use(undefined, watch('second'));
    await rejection(client.get('/'));
    client.interceptors.response.eject(first);
    await rejection(client.get('/'));
    client.interceptors.response.eject(second);
    const request = client.interceptors.request.use((config) => {
      seen.push('request');
      return config;
    });
    await rejection(client.get('/'));
    client.interceptors.request.eject(request);
    const error = await rejection(client.get('/'));
    expect(error).toMatchObject({ category: 'not-found' });
    expect(seen).toEqual(['first NotFoundError', 'second NotFoundError', 'second NotFoundError', 'request']);
  });

  test('cleared, ours are gone', async () => {
    const { client, server } = await attached(() => {}, 503);
    client.interceptors.response.clear();
    client.interceptors.request.clear();
    expect(axios.isAxiosError(await rejection(client.get('/')))).toBe(true);
    expect(server.count()).toBe(1);
    const seen: unknown[] = [];
    client.interceptors.response.use(undefined, (error) => {
      seen.push(error);
      throw error;
    });
    const error = await rejection(client.get('/'));
    expect(seen).toEqual([error]);
    expect(axios.isAxiosError(error)).toBe(true);
  });

  test.each([
    ['of today', axios],
    ['the oldest', oldest as unknown as typeof axios],
  ])('cleared before detach, those that came since stay: axios %s', async (_, library) => {
    const server = await script(200);
    const client = library.create({ baseURL: server.url });
    const handle = attachHttp(client, { retry });
    client.interceptors.request.clear();
    client.interceptors.response.clear();
    const seen: string[] = [];
    client.interceptors.request.use((config) => {
      seen.push('request');
      return config;
    });
    client.interceptors.response.use((answer) => {
      seen.push('answer');
      return answer;
    });
    handle.detach();
    await client.get('/');
    expect(seen).toEqual(['request', 'answer']);
  });

  test('interceptors that were copied to another instance know nothing of this one', async () => {
    const { client, server } = await attached(() => {}, 200, 404);
    await client.get('/');
    const child = (client as unknown as typeof axios).create({ baseURL: server.url });
    Object.assign(child.interceptors.request, { handlers: client.interceptors.request.handlers });
    expect(axios.isAxiosError(await rejection(child.get('/')))).toBe(true);
  });

  test('who looks at the list of interceptors finds ours', async () => {
    const { client } = await attached(() => {}, 200);
    await client.get('/');
    for (const manager of [client.interceptors.request, client.interceptors.response]) {
      const found: unknown[] = [];
      (manager as unknown as { forEach(visit: (handler: unknown) => void): void }).forEach((handler) => {
        found.push(handler);
      });
      expect(found).toHaveLength(1);
      expect(Object.keys(manager)).toEqual(['handlers']);
    }
  });

  test('detach takes the rounds off; one that somebody wrapped stays and lets pass', async () => {
    const { client, handle } = await attached(() => {}, 404);
    const { response } = client.interceptors as unknown as { response: { forEach(visit: (h: unknown) => void): void } };
    const ours = response.forEach;
    let rounds = 0;
    const theirs: typeof ours = (visit) => {
      rounds++;
      ours(visit);
    };
    response.forEach = theirs;
    expect(await rejection(client.get('/'))).toMatchObject({ category: 'not-found' });
    handle.detach();
    expect(response.forEach).toBe(theirs);
    expect(Object.hasOwn(client.interceptors.request, 'forEach')).toBe(false);
    expect(axios.isAxiosError(await rejection(client.get('/')))).toBe(true);
    expect(rounds).toBe(2);
  });
});

describe('what axios gets of the adapter', () => {
  test('an interceptor may call it, and ask more than once: nothing is sent twice', async () => {
    const { client, server } = await attached(() => {}, 503, [200, json, '{"a":1}'], 404);
    const finals: string[] = [];
    client.interceptors.request.use((config) => {
      const inner = config.adapter as (config: InternalAxiosRequestConfig) => Promise<never>;
      return {
        ...config,
        adapter: (given: InternalAxiosRequestConfig) => {
          const sent = inner(given);
          sent.finally(() => finals.push('over')).catch(() => finals.push('failed'));
          return sent;
        },
      } as InternalAxiosRequestConfig;
    });
    expect((await client.get('/')).data).toEqual({ a: 1 });
    expect(server.count()).toBe(2);
    expect(await rejection(client.get('/'))).toMatchObject({ category: 'not-found' });
    expect(server.count()).toBe(3);
    expect(finals).toEqual(['over', 'over', 'failed']);
  });

  test('called at once by an interceptor it is like a promise', async () => {
    const { client, server } = await attached(() => {}, [200, json, '{"a":1}'], 404);
    const results: unknown[] = [];
    client.interceptors.request.use(async (config) => {
      const adapter = config.adapter as (config: InternalAxiosRequestConfig) => Promise<{ data: unknown }>;
      const sent = adapter(config);
      results.push(Object.prototype.toString.call(sent));
      const answer = await sent.catch((error) => ({ data: error }));
      results.push(answer.data);
      const again = await sent.then(
        ({ data }) => data,
        (error) => error,
      );
      results.push(again);
      return { ...config, adapter: async () => ({ data: 'cached', status: 200, headers: {}, config }) } as never;
    });
    expect((await client.get('/')).data).toBe('cached');
    expect(results.splice(0)).toEqual(['[object Promise]', '{"a":1}', '{"a":1}']);
    await client.get('/');
    expect(results[1]).toBe(results[2]);
    expect(axios.isAxiosError(results[1])).toBe(true);
    expect(server.count()).toBe(2);
  });
});

test('the oldest axios goes the same rounds', async () => {
  const server = await script(503, [200, json, '{"a":1}'], 404);
  const client = (oldest as unknown as typeof axios).create({ baseURL: server.url });
  attachHttp(client, { retry });
  expect((await client.get('/')).data).toEqual({ a: 1 });
  expect(await rejection(client.get('/'))).toMatchObject({ category: 'not-found' });
});
