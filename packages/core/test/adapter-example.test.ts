import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { type FaultEvent, type FaultEventName, isDeviceCloudError } from '@faultmap/core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../test/support/ports.ts';

// The adapter that the README shows, compiled as a user compiles it, against a server on loopback.

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}dist/readme-adapter`;
const section = readFileSync(`${root}README.md`, 'utf8').split('## For authors of adapters')[1] ?? '';
const [adapter = '', program = ''] = [...section.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code as string);

type Fetch = typeof globalThis.fetch;
interface Handle {
  on(name: FaultEventName, listener: (event: FaultEvent) => void): void;
  off(name: FaultEventName, listener: (event: FaultEvent) => void): void;
  detach(): void;
}
let attachFetch: (target: { fetch: Fetch }, options?: object) => Handle;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/attach-fetch.ts`, adapter);
  writeFileSync(`${folder}/program.ts`, program);
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace('package.json', 'bin/tsc');
  const flags = '--ignoreConfig --strict --exactOptionalPropertyTypes --module nodenext --target es2023 --types node';
  const sources = [`${folder}/attach-fetch.ts`, `${folder}/program.ts`];
  await run(process.execPath, [tsc, ...flags.split(' '), ...sources], { cwd: root }).catch((failed) => {
    throw new Error(failed.stdout);
  });
  ({ attachFetch } = await import(`${folder}/attach-fetch.js`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  readonly status: number;
  readonly body?: string;
  /** The connection is reset instead, before the answer or in the middle of it. */
  readonly reset?: 'before' | 'within';
}
interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that gives these answers in turn, the last one from then on. */
async function serve(...answers: [Answer, ...Answer[]]): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? answers[0];
    const { method, url, headers } = request;
    asked.push({ method, url, headers, body });
    if (answer.reset !== 'before') response.writeHead(answer.status, answer.reset && { 'content-length': 1_000 });
    if (answer.reset === undefined) response.end(answer.body);
    else if (answer.reset === 'before') request.socket.resetAndDestroy();
    else response.write('half', () => request.socket.resetAndDestroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const hub = (code: number, message: string, status = Math.floor(code / 1_000)): Answer => ({
  status,
  body: JSON.stringify({ Message: JSON.stringify({ errorCode: code, message }) }),
});
const OFFLINE = hub(404103, 'Timed out waiting for device to connect.');
const THROTTLED = hub(429001, 'slow down');
const OK: Answer = { status: 200, body: '{"version":7}' };

/** An attachment to an object of its own that fetches as the global one does, and what it tells. */
function attached(options: object = {}) {
  const target = { fetch: globalThis.fetch };
  const quick = { baseDelayMs: 1, throttledBaseDelayMs: 1, throttledMaxDelayMs: 1, pacer: false };
  const handle = attachFetch(target, { retry: { ...quick, ...options } });
  onTestFinished(() => handle.detach());
  const told: (FaultEvent & { name: FaultEventName })[] = [];
  for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const)
    handle.on(name, (event) => told.push({ name, ...event }));
  return { target, handle, told, names: () => told.map(({ name }) => name) };
}

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    (value) => expect.unreachable(`fulfilled with ${value}`),
    (error) => error,
  );

test('the program prints what its comments say', async () => {
  const { url } = await serve(THROTTLED, OK, OFFLINE);
  const env = { ...process.env, HUB_URL: url, HUB_SAS: 'SharedAccessSignature sig=x' };
  const { stdout, stderr } = await run(process.execPath, [`${folder}/program.js`], { env, timeout: 15_000 });
  const expected = [...program.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, comment]) => comment);
  expect(expected).toHaveLength(3);
  expect(stdout.trimEnd().split('\n')).toEqual(expected);
  expect(stderr).toBe('');
});

test('a refusal is one typed error', async () => {
  const { url, asked } = await serve(OFFLINE);
  const { target, names } = attached();
  const error = await rejection(target.fetch(`${url}/twins/pump-7/methods?api-version=1`, { method: 'POST' }));
  expect(isDeviceCloudError(error)).toBe(true);
  expect(error).toMatchObject({
    name: 'DeviceOfflineError',
    category: 'offline',
    code: 404103,
    executed: 'no',
    transport: 'http',
    operation: 'POST /twins/pump-7/methods',
    attempts: 1,
    stopped: 'not-transient',
  });
  expect(asked).toHaveLength(1);
  expect(names()).toEqual(['fault', 'give-up']);
});

test.each(['GET', 'POST'])('429 to a %s is repeated, with the same body', async (method) => {
  const { url, asked } = await serve(THROTTLED, THROTTLED, OK);
  const { target, told, names } = attached();
  const body = method === 'POST' ? 'reboot' : undefined;
  const answer = await target.fetch(url, { method, ...(body && { body }) });
  expect(await answer.json()).toEqual({ version: 7 });
  expect(asked.map((one) => [one.method, one.body])).toEqual(Array(3).fill([method, body ?? '']));
  expect(names()).toEqual(['fault', 'retry', 'fault', 'retry', 'recovered']);
  expect(told[0]?.error).toMatchObject({ category: 'throttled', code: 429001 });
});

test('5xx is repeated where that is safe, and is not elsewhere', async () => {
  const unavailable = hub(503001, 'busy');
  const { target } = attached();
  const get = await serve(unavailable, OK);
  expect((await target.fetch(get.url)).status).toBe(200);
  const post = await serve(unavailable, OK);
  expect(await rejection(target.fetch(post.url, { method: 'POST' }))).toMatchObject({ stopped: 'not-idempotent' });
  expect([get.asked.length, post.asked.length]).toEqual([2, 1]);
});

test('what a DELETE finds gone may be its own doing', async () => {
  const { url, asked } = await serve({ status: 0, reset: 'before' }, hub(404001, 'gone'));
  const { target } = attached();
  expect(await rejection(target.fetch(url, { method: 'DELETE' }))).toMatchObject({
    code: 404001,
    executed: 'unknown',
    ownEarlierAttempt: 'possible',
  });
  expect(asked).toHaveLength(2);
});

test('a stream is sent once only', async () => {
  const { url, asked } = await serve(THROTTLED, OK);
  const { target } = attached();
  const body = new Blob(['streamed']).stream();
  const error = await rejection(target.fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit));
  expect(error).toMatchObject({ category: 'throttled', stopped: 'body' });
  expect(asked.map((one) => one.body)).toEqual(['streamed']);
});

test('faults of the socket are read from the cause', async () => {
  const { url, asked } = await serve({ status: 0, reset: 'before' });
  const { target } = attached({ maxAttempts: 2 });
  expect(await rejection(target.fetch(url))).toMatchObject({
    category: 'network',
    transport: 'http',
    executed: 'unknown',
    attempts: 2,
    stopped: 'attempts',
  });
  expect(asked).toHaveLength(2);
  const nobody = `http://127.0.0.1:${await freePort()}`;
  expect(await rejection(target.fetch(nobody, { method: 'POST' }))).toMatchObject({
    reason: 'ECONNREFUSED',
    executed: 'no',
    attempts: 2,
    cause: expect.objectContaining({ name: 'TypeError', message: 'fetch failed' }),
  });
});

test('a body that breaks off is told, though its operation is over', async () => {
  const { url } = await serve({ status: 200, reset: 'within' });
  const { target, names } = attached();
  const answer = await target.fetch(url, { method: 'POST' });
  expect(await rejection(answer.text())).toMatchObject({ category: 'network', executed: 'yes', attempts: 1 });
  expect(names()).toEqual(['fault']);
});

test('what is no fault of a cloud passes as it is', async () => {
  const { url } = await serve(OK);
  const { target, told } = attached();
  const reason = new Error('enough');
  expect(await rejection(target.fetch(url, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  expect(await rejection(target.fetch('no url'))).toBeInstanceOf(TypeError);
  const answer = await target.fetch((await serve({ status: 200, body: 'no JSON' })).url);
  expect(await rejection(answer.json())).toBeInstanceOf(SyntaxError);
  expect(told).toEqual([]);
});

test('nothing secret is in an error or an event', async () => {
  const secret = 'c2VjcmV0LW9mLXB1bXAtNw';
  const sas = `SharedAccessSignature sr=hub&sig=${secret}%3D&se=1`;
  // A cloud that says it all back.
  const { url } = await serve(
    hub(429001, `refused ${sas}`),
    hub(401002, `Authorization: ${sas} password=${secret}`),
    { status: 0, reset: 'before' },
    { status: 200, reset: 'within' },
  );
  const { target, told } = attached({ maxAttempts: 2 });
  const init = { method: 'POST', headers: { authorization: sas }, body: `{"token":"${secret}"}` };
  const ask = () => target.fetch(`${url}/devices/sig=${secret}?sig=${secret}`, init);
  const errors = [await rejection(ask()), await rejection(ask()), await rejection((await ask()).text())];
  expect(errors.map(({ category }) => category)).toEqual(['unauthorized', 'network', 'network']);
  expect(told.length).toBeGreaterThan(4);
  for (const one of [...errors, ...errors.map(({ cause }) => cause), ...told])
    for (const text of [inspect(one, { depth: 9, showHidden: true }), JSON.stringify(one) ?? '', String(one?.stack)])
      expect(text).not.toContain(secret);
});

test('attached once, taken off as it was, and lets pass under a wrap of somebody else', async () => {
  const { url, asked } = await serve(THROTTLED);
  const before = globalThis.fetch;
  const target = { fetch: before };
  const handle = attachFetch(target);
  expect(attachFetch(target)).toBe(handle);
  expect(() => attachFetch(target, { retry: false })).toThrow(/^attachFetch: this client is attached already/);
  expect(() => attachFetch({ fetch: before }, { retry: { maxAttempts: 0 } })).toThrow(
    'attachFetch: option retry.maxAttempts: expected a whole number, 1 or more, or Infinity, got 0',
  );
  handle.detach();
  expect(target.fetch).toBe(before);
  const second = attachFetch(target);
  handle.detach();
  expect(attachFetch(target)).toBe(second);
  const ours = target.fetch;
  const theirs: Fetch = (...given) => ours(...given);
  target.fetch = theirs;
  second.detach();
  expect(target.fetch).toBe(theirs);
  expect((await target.fetch(url)).status).toBe(429);
  expect(asked).toHaveLength(1);
});
