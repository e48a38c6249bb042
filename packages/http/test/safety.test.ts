import { once } from 'node:events';
import { Agent } from 'node:http';
import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';
import { attachHttp } from '@faultmap/http';
import axios, { type AxiosError, type AxiosRequestConfig } from 'axios';
import pino, { stdSerializers } from 'pino';
import { describe, expect, test } from 'vitest';
import { runChild } from './support/child.ts';
import { rejection, reset, type Step, script } from './support/script.ts';
import { SECRETS, secretConfig, secretsIn } from './support/secrets.mjs';
import { closedPort } from './support/servers.ts';

const json = { 'content-type': 'application/json' };

/** The cloud itself may repeat what it was sent. */
const echo = `{"Message":"ErrorCode:IotHubUnauthorizedAccess;bad token SharedAccessSignature sr=hub&sig=${SECRETS.signature}&se=1"}`;

const FAILURES: readonly (readonly [name: string, step: Step | undefined])[] = [
  [
    'an answer',
    [404, json, '{"Message":"{\\"errorCode\\":404103,\\"message\\":\\"Timed out waiting for device to connect.\\"}"}'],
  ],
  ['an answer that repeats the signature', [401, json, echo]],
  ['a reset', reset],
  ['nobody listening', undefined],
];

/** Every way in which programs print errors. */
async function views(error: Error): Promise<Record<string, string>> {
  const around = new Error('around', { cause: error });
  const among = new AggregateError([error], 'among');
  const raw = { customInspect: false, depth: 10 } as const;
  return {
    'String()': String(error),
    stack: String(error.stack),
    'JSON.stringify': JSON.stringify(error),
    'JSON.stringify of its own fields': JSON.stringify({ ...error }),
    'console.log': inspect(error),
    'console.log, deep': inspect(error, { depth: 10 }),
    'console.log in an object': inspect({ nested: { error } }, { depth: 10 }),
    'inspect without custom': inspect(error, raw),
    'as cause': inspect(around, { depth: 10 }),
    'as cause, without custom': inspect(around, raw),
    'in an AggregateError': inspect(among, { depth: 10 }),
    'in an AggregateError, without custom': inspect(among, raw),
    'JSON.stringify of its cause': JSON.stringify(error.cause),
    'JSON.stringify of a copy with its cause, as winston makes it': JSON.stringify({ ...error, cause: error.cause }),
    "pino's err": JSON.stringify(stdSerializers.err(error)),
    "pino's errWithCause": JSON.stringify(stdSerializers.errWithCause(error)),
    "pino's errWithCause, around": JSON.stringify(stdSerializers.errWithCause(around)),
    "pino's err, among": JSON.stringify(stdSerializers.err(among)),
    'a line of pino': await pinoLine(error),
    structuredClone: inspect(structuredClone(error), { depth: 10 }),
  };
}

async function pinoLine(error: Error): Promise<string> {
  const out = new PassThrough();
  const lines: string[] = [];
  out.on('data', (chunk) => lines.push(String(chunk)));
  const logger = pino({ level: 'info' }, out);
  logger.error(error, 'failed');
  logger.error({ err: error, nested: { error } }, 'failed');
  out.end();
  await once(out, 'close');
  return lines.join('');
}

describe.each(['http', 'fetch'] as const)('on the %s adapter', (adapter) => {
  test.each(FAILURES)('no secret of a request shows in any view of its error: %s', async (_, step) => {
    const url = step === undefined ? `http://127.0.0.1:${await closedPort()}` : (await script(step)).url;
    // An agent drags sockets with raw headers along.
    const httpAgent = new Agent({ keepAlive: true });
    const client = axios.create({
      adapter,
      httpAgent,
      proxy: false,
      auth: { username: 'u', password: SECRETS.password },
    });
    const handle = attachHttp(client);
    const told: unknown[] = [];
    for (const name of ['fault', 'give-up'] as const) handle.on(name, (event) => told.push(event));
    const error = await rejection(client.request(secretConfig(url) as AxiosRequestConfig));

    for (const [view, text] of Object.entries(await views(error))) {
      expect(secretsIn(text), `${view}: ${text}`).toEqual([]);
      expect(text, view).not.toContain('dev-1?');
    }
    expect(told).toHaveLength(2);
    expect(secretsIn(inspect(told, { customInspect: false, depth: 10 }))).toEqual([]);

    // And yet all of it can be reached in code.
    const cause = error.cause as AxiosError;
    expect(axios.isAxiosError(cause)).toBe(true);
    const { url: asked, headers, data } = cause.config ?? {};
    expect(secretsIn(JSON.stringify([asked, headers, data]))).toEqual(
      expect.arrayContaining(['signature', 'header', 'apiKey', 'body']),
    );
    httpAgent.destroy();
  });

  test.each(['uncaught', 'unhandled', 'cause', 'aggregate'])(
    'nor in what a process prints that dies of it: %s',
    async (way) => {
      const server = await script([404, json, '{"Message":"{\\"errorCode\\":404103,\\"message\\":\\"Timed out\\"}"}']);
      const { code, stdout, stderr } = await runChild('die.mjs', [way, adapter, server.url]);
      expect(code).toBe(1);
      expect(stderr).toContain('404103 DeviceNotOnline');
      expect(secretsIn(stdout + stderr), stderr).toEqual([]);
    },
  );
});

test('the same views of a bare axios error do show secrets: the search works', async () => {
  const server = await script(404);
  const error = await rejection(axios.request(secretConfig(server.url) as AxiosRequestConfig));
  expect(secretsIn(inspect(error, { depth: 10 }))).toEqual(
    expect.arrayContaining(['signature', 'header', 'apiKey', 'body']),
  );
  expect(secretsIn(JSON.stringify(error))).toEqual(expect.arrayContaining(['signature', 'header', 'apiKey', 'body']));
});
