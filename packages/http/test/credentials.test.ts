import { inspect } from 'node:util';
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

test('and what to do about the refusal begins with that', async () => {
  const server = await script(401);
  const client = axios.create({ baseURL: server.url });
  const credentials = () => Promise.reject(new Error('vault is sealed, password=hunter2'));
  attachHttp(client, { retry: FAST, credentials });
  const error = await rejection(client.get('/', stale));
  expect(error.fix).toMatch(/^Fresh credentials were asked for and did not come: the provider failed/);
  expect(JSON.stringify(error)).not.toContain('hunter2');
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

test('a header that is no string: said by its type, and nothing more is sent', async () => {
  const server = await script(401);
  for (const [given, expected] of [
    [{ Authorization: 5 }, 'a string as header "Authorization", got a number'],
    [{ Authorization: null }, 'a string as header "Authorization", got null'],
    [{ 'x-key': ['hunter2'] }, 'a string as header "x-key", got an array'],
  ] as const) {
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry: FAST, credentials: (() => given) as unknown as () => { Authorization: string } });
    const error = await rejection(client.get('/', stale));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`attachHttp: option credentials: expected it to give ${expected}`);
  }
  expect(server.count()).toBe(3);
});

/** Tokens that expire: the server lets in one at a time. */
async function expiring() {
  const doors = { token: 't1', asked: 0 };
  const server = await script((response, { headers }) => {
    const given = headers.authorization;
    response.writeHead(given === doors.token ? 200 : 401, { 'x-given': String(given) }).end();
  });
  const client = axios.create({ baseURL: server.url });
  const handle = attachHttp(client, {
    retry: FAST,
    credentials: () => {
      doors.asked++;
      return { Authorization: doors.token };
    },
  });
  const sent = () => server.seen.map(({ headers }) => headers.authorization);
  return { client, handle, server, doors, sent };
}

describe('fresh headers are remembered', () => {
  const old = { headers: { Authorization: 'old' } };

  test('later requests with what was refused carry them at once, until they are refused too', async () => {
    const { client, doors, sent } = await expiring();
    for (let i = 0; i < 5; i++) await client.get('/', old);
    expect(sent()).toEqual(['old', 't1', 't1', 't1', 't1', 't1']);
    doors.token = 't2';
    for (let i = 0; i < 3; i++) await client.get('/', old);
    expect(sent().slice(6)).toEqual(['t1', 't2', 't2', 't2']);
    await client.get('/', { headers: { authorization: 't1' } });
    expect(sent().at(-1)).toBe('t2');
    expect(doors.asked).toBe(2);
  });

  test('also those that carried none, and basic auth', async () => {
    for (const config of [{}, { auth: { username: 'u', password: 'p' } }]) {
      const { client, doors, sent } = await expiring();
      for (let i = 0; i < 3; i++) await client.get('/', config);
      expect(sent().slice(1)).toEqual(['t1', 't1', 't1']);
      expect(doors.asked).toBe(1);
    }
  });

  test('never over a header that differs, nor towards another server', async () => {
    const { client, sent } = await expiring();
    await client.get('/', old);
    const other = await script(200);
    await client.get(other.url, old);
    expect(other.seen[0]?.headers.authorization).toBe('old');
    await client.get('/', { headers: { Authorization: 'mine' } });
    await client.get('/', { auth: { username: 'u', password: 'p' } });
    const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
    expect(sent()).toEqual(['old', 't1', 'mine', 't1', basic, 't1']);
  });

  test('those refused at the same time share one answer, also who comes late', async () => {
    const { client, doors } = await expiring();
    await Promise.all(Array.from({ length: 8 }, () => client.get('/', old)));
    expect(doors.asked).toBe(1);
  });

  test('one refused with what was refused before does not ask again', async () => {
    const late: (() => void)[] = [];
    const server = await script((response, { url, headers }) => {
      const answer = () => void response.writeHead(headers.authorization === 'fresh' ? 200 : 401).end();
      if (url === '/late' && headers.authorization !== 'fresh') late.push(answer);
      else answer();
    });
    const client = axios.create({ baseURL: server.url });
    const credentials = vi.fn(() => ({ Authorization: 'fresh' }));
    attachHttp(client, { retry: FAST, credentials });
    const pending = client.get('/late', stale);
    await until(() => late.length === 1);
    await client.get('/', stale);
    late[0]?.();
    expect((await pending).status).toBe(200);
    expect(credentials).toHaveBeenCalledTimes(1);
  });

  test('not when they were refused as well: the next one asks again', async () => {
    const server = await script(401, 401, 401, 200);
    const client = axios.create({ baseURL: server.url });
    let asked = 0;
    attachHttp(client, { retry: FAST, credentials: () => ({ Authorization: `t${asked++}` }) });
    await rejection(client.get('/', old));
    await client.get('/', old);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['old', 't0', 'old', 't1']);
  });

  test('and forgotten at detach; nothing of them can be seen', async () => {
    const { client, handle, sent } = await expiring();
    await client.get('/', old);
    const seen = inspect([client, handle], { depth: 12, showHidden: true });
    expect(seen).not.toContain('t1');
    handle.detach();
    await rejection(client.get('/', old));
    expect(sent()).toEqual(['old', 't1', 'old']);
  });
});
