import { isDeviceCloudError, ServerError } from '@faultmap/core';
import { attachHttp, wrapAdapter } from '@faultmap/http';
import axios, { type AxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, test, vi } from 'vitest';
import { FAST, rejection, script } from './support/script.ts';

const retry = FAST;

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

  test.each<[string, (config: InternalAxiosRequestConfig, client: AxiosInstance) => void]>([
    ['wrapAdapter', (config) => Object.assign(config, { adapter: wrapAdapter('fetch') })],
    ["the instance's own", (config, { defaults }) => Object.assign(config, { adapter: defaults.adapter })],
    [
      "one around the instance's own",
      (config, { defaults }) =>
        Object.assign(config, { adapter: (given: typeof config) => axios.getAdapter(defaults.adapter)(given) }),
    ],
    ['one around the one that is there', (config) => Object.assign(config, { adapter: wrapAdapter(config.adapter) })],
  ])('one given by an interceptor through %s is repeated', async (_, give) => {
    for (const copied of [false, true]) {
      const server = await script(503, 200, 503);
      const client = axios.create({ baseURL: server.url });
      attachHttp(client, { retry: { ...FAST, maxAttempts: 2 } });
      client.interceptors.request.use((config) => {
        const given = copied ? ({ ...config } as typeof config) : config;
        give(given, client);
        return given;
      });
      const { config } = await client.get('/');
      expect(server.count()).toBe(2);
      expect(axios.isAxiosError(await rejection(axios.request({ ...config, adapter: wrapAdapter('http') })))).toBe(
        true,
      );
      expect(server.count()).toBe(3);
    }
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
