import { isDeviceCloudError } from '@faultmap/core';
import { attachHttp } from '@faultmap/http';
import axios, { type AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, test } from 'vitest';
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
      expect(stack).toContain('interceptors.test.ts');
    }
  });

  test('finds no response where there was none', async () => {
    const server = await script((_, request) => void request.socket.destroy());
    const client = axios.create({ baseURL: server.url });
    attachHttp(client, { retry: false });
    expect((await rejection(client.get('/'))).response).toBeUndefined();
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
