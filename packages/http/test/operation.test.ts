import type { AxiosRequestConfig } from 'axios';
import { describe, expect, test } from 'vitest';
import { client } from './support/client.ts';
import { rejection, script } from './support/script.ts';

/* What a request is called in messages and events. */

describe.each(['http', 'fetch'] as const)('on the %s adapter', (adapter) => {
  test('method and path, where the program gives no name', async () => {
    const server = await script([404, { 'iothub-errorcode': 'DeviceNotFound' }]);
    const { instance, handle } = client({}, { baseURL: `${server.url}/hub/`, adapter });
    const told: unknown[] = [];
    for (const name of ['fault', 'give-up'] as const) handle.on(name, ({ operation }) => told.push(operation));
    const error = await rejection(instance.get('/twins/d1?sig=abc', { params: { key: 'abc' } }));
    expect(error.message).toBe('[404001 DeviceNotFound] GET /hub/twins/d1');
    expect(error.operation).toBe('GET /hub/twins/d1');
    expect(told).toEqual(['GET /hub/twins/d1', 'GET /hub/twins/d1']);
  });

  test('also after repeats; its own name goes first', async () => {
    const server = await script(503);
    const { instance } = client({}, { baseURL: server.url, adapter });
    const error = await rejection(instance.delete('/devices/d1'));
    expect(error).toMatchObject({ operation: 'DELETE /devices/d1', attempts: 4 });
    const named = await rejection(instance.delete('/devices/d1', { faultmap: { operation: 'registry.delete' } }));
    expect(named.operation).toBe('registry.delete');
  });
});

const refuse = async (config: AxiosRequestConfig) => {
  const told: unknown[] = [];
  const { handle, instance } = client(
    {},
    { adapter: () => Promise.reject(Object.assign(new Error('gone'), { code: 'EPIPE' })) },
  );
  handle.on('fault', ({ operation }) => told.push(operation));
  const { operation } = await rejection(instance.request({ faultmap: { retry: false }, ...config }));
  expect(told).toEqual([operation]);
  return operation;
};

test.each<[AxiosRequestConfig, string]>([
  [{ url: 'https://u:hunter2@hub.example:8883/devices/d1?x#y' }, 'GET /devices/d1'],
  [{ baseURL: 'https://hub.example/a', url: 'https://other.example/b' }, 'GET /b'],
  [{ baseURL: 'https://hub.example' }, 'GET /'],
  [{ baseURL: 'https://hub.example/a/', url: 'b', method: 'patch' }, 'PATCH /a/b'],
  [{ baseURL: '/api', url: '/twins/d1' }, 'GET /api/twins/d1'],
  [{ url: '/x;sig=hunter2hunter2/y' }, 'GET /x;sig=[redacted]'],
  [{ url: '/a\n b' }, 'GET /a%20b'],
  [{ url: `/${'x'.repeat(500)}` }, `GET /${'x'.repeat(198)}…`],
])('%j is %s', async (config, operation) => {
  expect(await refuse(config)).toBe(operation);
});

test('masked in events of repeats too', async () => {
  const server = await script(503);
  const { instance, handle } = client({}, { baseURL: server.url });
  const told: unknown[] = [];
  for (const name of ['fault', 'retry', 'give-up'] as const) handle.on(name, ({ operation }) => told.push(operation));
  await rejection(instance.get('/x;sig=hunter2hunter2'));
  await rejection(instance.get('/', { faultmap: { operation: 'sig=hunter2hunter2' } }));
  expect(told).toHaveLength(16);
  expect(JSON.stringify(told)).not.toContain('hunter2');
});

test('an adapter given per request is named as well', async () => {
  const server = await script(404);
  const { instance } = client({}, { baseURL: server.url });
  expect((await rejection(instance.get('/twins/d1', { adapter: 'fetch' }))).operation).toBe('GET /twins/d1');
});
