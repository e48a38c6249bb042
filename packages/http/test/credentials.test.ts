import { attachHttp } from '@faultmap/http';
import axios from 'axios';
import { describe, expect, test, vi } from 'vitest';
import { ManualClock, until } from './support/clock.ts';
import { FAST, rejection, type Step, script } from './support/script.ts';

/** Lets in whoever has the fresh token. */
const door: Step = (response, { headers }) =>
  void response
    .writeHead(headers.authorization === 'fresh' ? 200 : 401, { 'iothub-errorcode': 'IotHubUnauthorizedAccess' })
    .end();

const stale = { headers: { Authorization: 'stale' } };

describe.each(['http', 'fetch'] as const)('on the %s adapter', (adapter) => {
  test.each(['GET', 'POST'])('a 401 is repeated once, with the fresh headers, for %s too', async (method) => {
    const server = await script(door);
    const client = axios.create({ baseURL: server.url, adapter });
    const credentials = vi.fn(() => ({ Authorization: 'fresh' }));
    attachHttp(client, { retry: FAST, credentials });
    expect((await client.request({ method, ...stale })).status).toBe(200);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['stale', 'fresh']);
    expect(credentials).toHaveBeenCalledTimes(1);
    expect(credentials).toHaveBeenCalledWith({
      error: expect.objectContaining({ code: 401002, category: 'unauthorized' }),
      attempt: 1,
      signal: expect.any(AbortSignal),
    });
  });

  test('only once: a second 401 ends the request', async () => {
    const server = await script(401);
    const client = axios.create({ baseURL: server.url, adapter });
    const credentials = vi.fn(async () => ({ authorization: 'other' }));
    attachHttp(client, { retry: FAST, credentials });
    expect(await rejection(client.get('/', stale))).toMatchObject({ category: 'unauthorized', attempts: 2 });
    expect(server.count()).toBe(2);
    expect(credentials).toHaveBeenCalledTimes(1);
  });
});

test('fresh headers take the place of basic auth', async () => {
  const server = await script(door);
  const client = axios.create({ baseURL: server.url, auth: { username: 'u', password: 'p' } });
  attachHttp(client, { retry: FAST, credentials: () => ({ Authorization: 'fresh' }) });
  expect((await client.get('/')).status).toBe(200);
});

test('not repeated when there are none, or only those that were refused', async () => {
  for (const given of [undefined, {}, { Authorization: 'stale' }]) {
    const server = await script(401);
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry: FAST, credentials: () => given });
    expect(await rejection(client.get('/', stale))).toMatchObject({
      category: 'unauthorized',
      attempts: 1,
      stopped: 'not-transient',
    });
    expect(server.count()).toBe(1);
  }
});

test('not asked for a body that cannot be sent again, nor without retry', async () => {
  const server = await script(401);
  const credentials = vi.fn(() => ({ Authorization: 'fresh' }));
  const client = axios.create({ baseURL: server.url });
  attachHttp(client, { retry: FAST, credentials });
  const data = new Blob(['x']).stream();
  expect(await rejection(client.put('/', data, { adapter: 'fetch' }))).toMatchObject({ stopped: 'not-transient' });
  expect(await rejection(client.get('/', { faultmap: { retry: false } }))).toMatchObject({ stopped: 'disabled' });
  expect(credentials).not.toHaveBeenCalled();
});

test('asked once for requests that are refused at the same time', async () => {
  const server = await script(door);
  const client = axios.create({ baseURL: server.url });
  let refused = 0;
  const credentials = vi.fn(async () => {
    await until(() => refused === 5);
    return { Authorization: 'fresh' };
  });
  const handle = attachHttp(client, { retry: FAST, credentials });
  handle.on('fault', () => refused++);
  const answers = await Promise.all(Array.from({ length: 5 }, () => client.get('/', stale)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(credentials).toHaveBeenCalledTimes(1);
});

test('a provider that fails is told as a fault, and the refusal stands', async () => {
  const server = await script(401);
  const client = axios.create({ baseURL: server.url });
  const credentials = () => Promise.reject(new Error('vault is sealed, password=hunter2'));
  const handle = attachHttp(client, { retry: FAST, credentials });
  const faults: { reason: string; message: string }[] = [];
  handle.on('fault', ({ error }) => faults.push(error));
  expect(await rejection(client.get('/', stale))).toMatchObject({ httpStatus: 401, attempts: 1 });
  expect(faults.map(({ reason }) => reason)).toEqual(['Unauthorized', 'CredentialsUnavailable']);
  expect(JSON.stringify(faults)).not.toContain('hunter2');
});

test('a provider that never answers is left after 10 s', async () => {
  const clock = new ManualClock();
  const server = await script(401);
  const client = axios.create({ baseURL: server.url });
  attachHttp(client, { retry: { ...FAST, clock }, credentials: () => new Promise(() => {}) });
  const ended = rejection(client.get('/', stale));
  await until(() => clock.pending > 0);
  clock.advance(10_000);
  expect(await ended).toMatchObject({ httpStatus: 401, attempts: 1 });
});

test('a token alone is no set of headers: said, and nothing more is sent', async () => {
  const server = await script(401);
  const client = axios.create({ baseURL: server.url });
  attachHttp(client, { retry: FAST, credentials: (() => 'a-token') as unknown as () => { Authorization: string } });
  await expect(client.get('/', stale)).rejects.toThrow(
    'attachHttp: option credentials: expected it to give an object of headers, got a string',
  );
  expect(server.count()).toBe(1);
});
