import { ProtocolViolationError } from '@faultmap/core';
import axios, { type AxiosError, type AxiosRequestConfig } from 'axios';
import oldest from 'axios-oldest';
import { describe, expect, test } from 'vitest';
import { client } from './support/client.ts';
import { rejection, type Step, script } from './support/script.ts';

/* Garbage under a status that says success. */

const json = { 'content-type': 'application/json; charset=utf-8' };
const page = '<html>sign in, hunter2</html>';
const half = '{"deviceId":"d1","tags":{"a":1}';

type Answer = readonly [status: number, headers: Record<string, string>, body: string];

describe.each(['http', 'fetch'] as const)('on the %s adapter', (adapter) => {
  test.each<[string, Answer, AxiosRequestConfig]>([
    ['a page, where JSON was asked for', [200, { 'content-type': 'text/html' }, page], { responseType: 'json' }],
    ['a page that says it is JSON', [200, json, page], {}],
    ['half an answer', [200, json, half], {}],
    ['JSON by a suffix', [201, { 'content-type': 'application/problem+json' }, half], {}],
    ['parsed strictly', [200, json, page], { responseType: 'json', transitional: { silentJSONParsing: false } }],
  ])('%s is a fault after execution, repeated for GET only', async (_, step, config) => {
    const server = await script(step);
    const { instance } = client({}, { baseURL: server.url, adapter });
    const error = await rejection(instance.get('/twins/d1', config));
    expect(error).toBeInstanceOf(ProtocolViolationError);
    expect(error).toMatchObject({ reason: 'BrokenAnswer', executed: 'yes', attempts: 4, stopped: 'attempts' });
    expect(error.message).not.toContain('hunter2');
    expect(String(error.stack)).not.toContain('hunter2');
    expect(server.count()).toBe(4);

    const cause = error.cause as AxiosError;
    expect(axios.isAxiosError(cause)).toBe(true);
    expect(cause).toMatchObject({ code: 'ERR_BAD_RESPONSE', name: 'SyntaxError' });
    expect(cause.message).not.toContain('hunter2');
    expect(cause.response?.data).toBe(step[2]);
    expect((error.response as { status: number }).status).toBe(step[0]);

    const posted = await rejection(instance.post('/twins/d1', {}, config));
    expect(posted).toMatchObject({ category: 'protocol', executed: 'yes', attempts: 1, stopped: 'not-idempotent' });
  });

  test('what comes right on the repeat is parsed as usual', async () => {
    const server = await script([200, json, half], [200, json, '{"version":7}']);
    const { instance } = client({}, { baseURL: server.url, adapter });
    expect((await instance.get('/')).data).toEqual({ version: 7 });
    expect(server.count()).toBe(2);
  });

  test.each<[string, Step, AxiosRequestConfig, unknown]>([
    ['JSON', [200, json, '{"a":[1,null]}'], {}, { a: [1, null] }],
    ['null', [200, json, 'null'], {}, null],
    ['a number', [200, json, '0'], {}, 0],
    ['a text in JSON', [200, json, '"plain"'], {}, 'plain'],
    ['a text that is JSON once more', [200, json, '"{\\"a\\":1}"'], {}, '{"a":1}'],
    ['no content', 204, {}, ''],
    ['nothing', [200, { ...json, 'content-length': '0' }, ''], {}, ''],
    ['nothing, where JSON was asked for', [200, { 'content-length': '0' }, ''], { responseType: 'json' }, ''],
    ['white space', [200, json, ' \n'], {}, ' \n'],
    ['HEAD', [200, { ...json, 'content-length': '20' }, ''], { method: 'head' }, ''],
    ['a text', [200, { 'content-type': 'text/plain' }, 'fine'], {}, 'fine'],
    ['JSON without a word of it', [200, {}, '{"a":1}'], {}, { a: 1 }],
    ['lines of JSON', [200, { 'content-type': 'application/x-ndjson' }, '{}\n{}'], {}, '{}\n{}'],
    ['as text', [200, json, page], { responseType: 'text' }, page],
    ['its own transform', [200, json, page], { transformResponse: (data) => `own ${data}` }, `own ${page}`],
    [
      "axios' transform and its own",
      [200, json, page],
      { transformResponse: [axios.defaults.transformResponse as never, (data: unknown) => `own ${data}`].flat() },
      `own ${page}`,
    ],
    ['not parsed by wish', [200, json, page], { transitional: { forcedJSONParsing: false } }, page],
    ['a reviver', [200, json, '{"a":1}'], { parseReviver: (_key, value) => (value === 1 ? 2 : value) }, { a: 2 }],
    [
      'a reviver that throws',
      [200, json, '{"a":1}'],
      {
        parseReviver: () => {
          throw new Error('mine');
        },
      },
      '{"a":1}',
    ],
    ['a part', [206, { ...json, 'content-range': 'bytes 0-29/60' }, half], { headers: { Range: 'bytes=0-29' } }, half],
    ['a fault that the program takes', [404, json, page], { validateStatus: () => true }, page],
  ])('%s is as axios has it', async (_, step, config, data) => {
    const server = await script(step);
    const given = { baseURL: server.url, adapter, ...config };
    expect((await axios.create(given).request({})).data).toEqual(data);
    expect((await client({}, given).instance.request({})).data).toEqual(data);
    expect(server.count()).toBe(2);
  });

  test('bytes and streams are not looked into', async () => {
    const server = await script([200, json, page]);
    const { instance } = client({}, { baseURL: server.url, adapter });
    for (const responseType of ['arraybuffer', 'blob', 'stream'] as const)
      expect((await instance.get('/', { responseType })).status).toBe(200);
  });
});

test('checkJson: false leaves it to the program', async () => {
  const server = await script([200, json, page]);
  const { instance } = client({ checkJson: false }, { baseURL: server.url });
  expect((await instance.get('/', { responseType: 'json' })).data).toBe(page);
  expect(server.count()).toBe(1);
});

test('whoever wraps the attached adapter sees the body as it came', async () => {
  const server = await script([200, json, '{"a":1}'], [200, json, page]);
  const { instance } = client({ retry: false }, { baseURL: server.url });
  const seen: unknown[] = [];
  const ours = instance.defaults.adapter as (config: object) => Promise<{ data: unknown }>;
  instance.defaults.adapter = (async (config: object) => {
    const response = await ours(config);
    seen.push(response.data);
    return response;
  }) as never;
  expect((await instance.get('/')).data).toEqual({ a: 1 });
  expect(seen).toEqual(['{"a":1}']);
  expect(await rejection(instance.get('/'))).toMatchObject({ reason: 'BrokenAnswer' });
});

test('is told once, also where axios replaces the error and forgets the response', async () => {
  const server = await script([200, json, page]);
  const strictly = { responseType: 'json', transitional: { silentJSONParsing: false } } as const;
  for (const library of [axios, oldest as unknown as typeof axios]) {
    const { handle, instance } = client({ retry: { maxAttempts: 1 } }, { baseURL: server.url }, library);
    const told: string[] = [];
    for (const name of ['fault', 'give-up'] as const) handle.on(name, () => told.push(name));
    expect(await rejection(instance.get('/', strictly))).toMatchObject({ reason: 'BrokenAnswer', executed: 'yes' });
    expect(told).toEqual(['fault', 'give-up']);
  }
});
