import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { isDeviceCloudError } from '@faultmap/core';
import { attachHttp } from '@faultmap/http';
import axios, { type AxiosRequestConfig } from 'axios';
import oldest from 'axios-oldest';
import { describe, expect, test } from 'vitest';
import { requestTrusting } from './support/child.ts';
import { certificate, closedPort, type Served, serve, serveRaw, serveTls } from './support/servers.ts';

/*
 * What axios raises in each situation, on both adapters, from real servers: the typed error has to
 * be the same on both, but where the adapter really tells less.
 */

type Expected = Record<string, unknown>;

interface Situation {
  readonly name: string;
  readonly server?: () => Promise<Served>;
  readonly config?: AxiosRequestConfig | ((server: Served | undefined) => Promise<AxiosRequestConfig>);
  readonly expected: Expected;
  /** Where fetch tells less. */
  readonly onFetch?: Expected;
  /** Where the oldest axios tells less. */
  readonly onOldest?: Expected;
  /** Its fetch has no such option. */
  readonly onOldestFetch?: null;
}

const HUB_404 = JSON.stringify({
  Message: JSON.stringify({
    errorCode: 404103,
    trackingId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1',
    message: 'Timed out waiting for device to connect.',
  }),
  ExceptionMessage: '',
});
const json = { 'content-type': 'application/json' };

const tls = { category: 'network', executed: 'no', advice: 'never', transient: false };
const network = { category: 'network', advice: 'backoff', transient: true };

const SITUATIONS: readonly Situation[] = [
  {
    name: 'a 404 with a number in nested JSON',
    server: () => serve((_, res) => void res.writeHead(404, json).end(HUB_404)),
    expected: {
      category: 'offline',
      code: 404103,
      httpStatus: 404,
      executed: 'no',
      trackingId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1',
      transport: 'http',
    },
  },
  {
    name: 'a 404 with a name in a header only',
    server: () => serve((_, res) => void res.writeHead(404, { 'iothub-errorcode': 'DeviceNotFound' }).end()),
    expected: { category: 'not-found', code: 404001, reason: 'DeviceNotFound', httpStatus: 404 },
  },
  {
    name: 'a flat error of the provisioning service',
    server: () =>
      serve((_, res) => {
        const body = {
          errorCode: 429001,
          trackingId: '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9',
          message: 'Operations are being throttled',
        };
        res.writeHead(429, { ...json, 'retry-after': '90' }).end(JSON.stringify(body));
      }),
    expected: {
      category: 'throttled',
      code: 429001,
      retryAfterMs: 90_000,
      executed: 'no',
      trackingId: '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9',
    },
  },
  {
    name: 'an error answer as bytes',
    server: () => serve((_, res) => void res.writeHead(404, json).end(HUB_404)),
    config: { responseType: 'arraybuffer' },
    expected: { category: 'offline', code: 404103 },
  },
  {
    name: 'a 429',
    server: () => serve((_, res) => void res.writeHead(429, { 'retry-after': '120' }).end()),
    expected: { category: 'throttled', httpStatus: 429, executed: 'no', retryAfterMs: 120_000 },
  },
  {
    name: 'an HTML page of a gateway',
    server: () =>
      serve((_, res) => void res.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>')),
    expected: { category: 'server', httpStatus: 502, executed: 'unknown', transient: true },
  },
  {
    name: 'a redirect that is not followed',
    server: () => serve((_, res) => void res.writeHead(302, { location: 'https://elsewhere.example/x' }).end()),
    config: { maxRedirects: 0 },
    expected: {
      category: 'not-found',
      httpStatus: 302,
      serverReference: 'https://elsewhere.example/x',
      transient: false,
    },
    onOldestFetch: null,
  },
  {
    name: 'redirects without an end',
    server: () => serve((_, res) => void res.writeHead(302, { location: '/again' }).end()),
    expected: { category: 'not-found', httpStatus: 302, transient: false },
  },
  {
    name: 'a redirect to no address',
    server: () => serve((_, res) => void res.writeHead(302, { location: 'http://:::/' }).end()),
    expected: { category: 'not-found', httpStatus: 302, transient: false },
  },
  {
    name: 'no answer within the time-out',
    server: () => serve(() => {}),
    config: { timeout: 200 },
    expected: { category: 'timeout', reason: 'RequestTimeout', executed: 'unknown', transient: true },
  },
  {
    name: 'no answer within the time-out, clarified',
    server: () => serve(() => {}),
    config: { timeout: 200, transitional: { clarifyTimeoutError: true } },
    expected: { category: 'timeout', reason: 'RequestTimeout', executed: 'unknown' },
  },
  {
    name: 'the time-out during the body',
    server: () => serve((_, res) => void res.write('half')),
    config: { timeout: 200 },
    // axios' http adapter says "stream has been aborted", whoever did it
    expected: { ...network, reason: 'ECONNRESET', httpStatus: 200, executed: 'yes' },
    onFetch: { category: 'timeout', reason: 'RequestTimeout', executed: 'unknown' },
  },
  {
    name: 'a FIN in the middle of the body',
    server: () => serve((_, res) => cutShort(res, (socket) => socket.end())),
    expected: { ...network, reason: 'ECONNRESET', httpStatus: 200, executed: 'yes' },
    onFetch: { ...network, reason: 'ECONNRESET', executed: 'unknown' },
  },
  {
    name: 'a reset in the middle of the body',
    server: () => serve((_, res) => cutShort(res, (socket) => socket.resetAndDestroy())),
    expected: { ...network, reason: 'ECONNRESET', httpStatus: 200, executed: 'yes' },
    onFetch: { ...network, reason: 'ECONNRESET', executed: 'unknown' },
  },
  {
    name: 'a FIN in the middle of an error answer',
    server: () => serve((_, res) => cutShort(res, (socket) => socket.end(), 503)),
    expected: { category: 'server', httpStatus: 503, executed: 'unknown' },
    onFetch: { ...network, reason: 'ECONNRESET', executed: 'unknown' },
  },
  {
    name: 'a reset in the middle of an error answer',
    server: () => serve((_, res) => cutShort(res, (socket) => socket.resetAndDestroy(), 503)),
    expected: { category: 'server', httpStatus: 503, executed: 'unknown' },
    onFetch: { ...network, reason: 'ECONNRESET', executed: 'unknown' },
  },
  {
    name: 'a reset before an answer',
    server: () => serve((req) => void req.socket.resetAndDestroy()),
    expected: { ...network, reason: 'ECONNRESET', executed: 'unknown' },
  },
  {
    name: 'a FIN before an answer',
    server: () => serve((req) => void req.socket.end()),
    expected: { ...network, reason: 'ECONNRESET', executed: 'unknown' },
  },
  {
    name: 'nobody listens',
    config: async () => ({ url: `http://127.0.0.1:${await closedPort()}/` }),
    expected: { ...network, reason: 'ECONNREFUSED', executed: 'no' },
  },
  {
    name: 'a name that does not resolve',
    config: { url: 'http://nobody.invalid/' },
    expected: { ...network, executed: 'no', reason: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) },
  },
  {
    name: 'a peer that speaks something else',
    server: () => serveRaw((socket) => void socket.end('220 mail.example ESMTP\r\n')),
    expected: { category: 'protocol', reason: 'HPE_INVALID_CONSTANT', executed: 'unknown', transient: false },
    // The fetch of Node 24 names its parser only.
    onFetch: {
      category: 'protocol',
      reason: expect.stringMatching(/^(HPE_INVALID_CONSTANT|UND_ERR_HTTP_PARSER)$/),
      executed: 'unknown',
      transient: false,
    },
  },
  {
    name: 'an answer longer than the program takes',
    server: () => serve((_, res) => void res.end('too long')),
    config: { maxContentLength: 2 },
    expected: { category: 'protocol', reason: 'AnswerTooLarge', executed: 'yes', transient: false },
    onFetch: { category: 'protocol', reason: 'AnswerTooLarge', executed: 'unknown', transient: false },
    onOldestFetch: null,
  },
  {
    name: 'a request longer than the program sends',
    server: () => serve((_, res) => void res.end()),
    config: { method: 'post', data: 'too long', maxBodyLength: 2 },
    expected: { category: 'bad-request', reason: 'RefusedByClient', executed: 'no', transient: false },
    onOldestFetch: null,
  },
  {
    name: 'a success that is no JSON, asked for strictly',
    server: () => serve((_, res) => void res.end('{"half":')),
    config: { responseType: 'json', transitional: { silentJSONParsing: false } },
    expected: { category: 'protocol', reason: 'BrokenAnswer', httpStatus: 200, executed: 'yes' },
    // it does not keep the response
    onOldest: { category: 'protocol', reason: 'BrokenAnswer', executed: 'unknown' },
  },
  {
    name: 'an error answer that is no JSON, asked for strictly',
    server: () => serve((_, res) => void res.writeHead(502).end('<html>')),
    config: { responseType: 'json', transitional: { silentJSONParsing: false } },
    expected: { category: 'server', httpStatus: 502 },
    onOldest: { category: 'protocol', reason: 'BrokenAnswer' },
  },
  {
    name: 'a body that does not unpack',
    server: () => serve((_, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip')),
    expected: { category: 'protocol', reason: 'BrokenAnswer', httpStatus: 200, executed: 'yes' },
    onFetch: { category: 'protocol', reason: 'BrokenAnswer', executed: 'unknown' },
  },
  {
    name: 'a success that the program refuses',
    server: () => serve((_, res) => void res.end('ok')),
    config: { validateStatus: (status) => status === 204 },
    expected: { httpStatus: 200, transient: false },
  },
  {
    name: 'a failed registration in a success that the program refuses',
    server: () =>
      serve((_, res) => {
        const registrationState = { status: 'failed', errorCode: 400209, errorMessage: 'Custom allocation failed' };
        res.writeHead(200, json).end(JSON.stringify({ operationId: '1', status: 'failed', registrationState }));
      }),
    config: { validateStatus: () => false },
    expected: { code: 400209, httpStatus: 200, category: 'bad-request' },
  },
];

function cutShort(res: Parameters<Parameters<typeof serve>[0]>[1], cut: (socket: Socket) => void, status = 200) {
  res.writeHead(status, { 'content-length': '100' });
  res.write('half');
  const { socket } = res;
  // After the head has gone out: a reset overtakes what is not read yet.
  if (socket) void after(80).then(() => cut(socket));
}

const LIBRARIES = { 'axios of today': axios, 'the oldest axios': oldest as unknown as typeof axios };

async function failed(config: AxiosRequestConfig, library = axios): Promise<unknown> {
  const client = library.create();
  attachHttp(client, { retry: false });
  try {
    await client.request(config);
  } catch (error) {
    return error;
  }
  throw new Error('it succeeded');
}

describe.each(['http', 'fetch'] as const)('on the %s adapter', (adapter) => {
  const rows = Object.entries(LIBRARIES)
    .flatMap(([of, library]) => SITUATIONS.map((row) => ({ of, library, ...row })))
    .filter(({ library, onOldestFetch }) => library === axios || adapter === 'http' || onOldestFetch !== null);
  test.each(rows)('$of: $name', async ({ library, server, config, expected: usual, onFetch, onOldest }) => {
    const expected = library !== axios && onOldest ? onOldest : adapter === 'fetch' ? (onFetch ?? usual) : usual;
    const served = await server?.();
    const given = typeof config === 'function' ? await config(served) : config;
    // By the function: names are resolved by the axios that the adapter of ours finds.
    const own = library.getAdapter(adapter);
    const error = await failed({ ...(served && { url: served.url }), adapter: own, ...given }, library);
    expect(isDeviceCloudError(error), String(error)).toBe(true);
    expect(error).toMatchObject(expected);
    expect(axios.isAxiosError((error as Error).cause)).toBe(true);
    expect((error as { attempts?: number }).attempts).toBe(1);
  });

  test('a self-signed certificate is a fault of TLS, not of the network, and is not repeated', async () => {
    const served = await serveTls(await certificate('localhost'), (_req, res) => void res.end('ok'));
    const error = await failed({ url: `https://localhost:${served.port}/`, adapter });
    expect(error).toMatchObject({ ...tls, reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  test.each([
    ['a certificate for another host', 'other.example', false, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['an expired certificate', 'localhost', true, 'CERT_HAS_EXPIRED'],
  ])('%s of an authority that is trusted', async (_, name, expired, reason) => {
    const made = await certificate(name, { expired });
    const served = await serveTls(made, (_req, res) => void res.end('ok'));
    const error = await requestTrusting(made.cert, { url: `https://localhost:${served.port}/`, adapter });
    expect(error).toMatchObject({ ...tls, reason });
  });

  test('TLS towards a plain port', async () => {
    const served = await serve((_, res) => void res.end('ok'));
    const error = await failed({ url: `https://127.0.0.1:${served.port}/`, adapter });
    expect(error).toMatchObject({ category: 'network', executed: 'no', transient: false });
    expect((error as { reason: string }).reason).toMatch(/^(EPROTO|ERR_SSL_)/);
  });

  test('a connection that goes during the TLS handshake has carried nothing', async () => {
    const served = await serveRaw((socket) => void socket.once('data', () => socket.end()));
    const error = await failed({ url: `https://127.0.0.1:${served.port}/`, adapter });
    expect(error).toMatchObject({ category: 'network', reason: 'ECONNRESET', executed: 'no', transient: true });
  });

  test('several addresses of which none answers (Happy Eyeballs)', async () => {
    const port = await closedPort();
    const lookup = (_host: string, _options: object, done: (error: null, addresses: LookupAddress[]) => void) =>
      done(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]);
    // fetch has no such option: here it fails as undici does, of the same connection.
    const fetch = async () => {
      const socket = connect({ host: 'two.example', port, lookup, autoSelectFamily: true });
      const [cause] = await once(socket, 'error');
      throw new TypeError('fetch failed', { cause });
    };
    const config: AxiosRequestConfig = adapter === 'http' ? { lookup: lookup as never } : { env: { fetch } };
    const error = await failed({ url: `http://two.example:${port}/`, adapter, ...config });
    expect(error).toMatchObject({ category: 'network', reason: 'ECONNREFUSED', executed: 'no' });
    expect((error as Error).message).toContain('ECONNREFUSED');
  });
});
