import { once } from 'node:events';
import { Agent } from 'node:http';
import { PassThrough } from 'node:stream';
import { attachHttp } from '@faultmap/http';
import axios, { type AxiosRequestConfig } from 'axios';
import { describe, expect, test } from 'vitest';
import winston, { format, type Logger } from 'winston';
import { rejection, reset, type Step, script } from './support/script.ts';
import { SECRETS, secretConfig, secretsIn } from './support/secrets.mjs';

/* What winston writes of an error, in the formats that programs use. */

const FORMATS = {
  json: format.json(),
  simple: format.simple(),
  'errors and json': format.combine(format.errors({ stack: true }), format.json()),
  'errors with cause and json': format.combine(format.errors({ stack: true, cause: true }), format.json()),
  'errors and simple': format.combine(format.errors({ stack: true }), format.simple()),
  'splat and json': format.combine(format.splat(), format.json()),
  'splat and simple': format.combine(format.splat(), format.simple()),
  'errors, splat, metadata and pretty print': format.combine(
    format.errors({ stack: true, cause: true }),
    format.splat(),
    format.metadata(),
    format.prettyPrint({ depth: 10 }),
  ),
};

/** Every way in which programs hand an error over. */
function log(logger: Logger, error: Error): void {
  const around = new Error('around', { cause: error });
  const among = new AggregateError([error, new Error('another')], 'among');
  for (const one of [error, around, among]) {
    logger.error(one);
    logger.error('failed', one);
    logger.error('failed', { error: one, err: one, nested: { one } });
    logger.error('failed: %s', one);
    logger.error('failed: %o %j', one, one);
    logger.error('failed: %s', 'x', one);
    logger.log({ level: 'error', message: 'failed', error: one, cause: one.cause });
    logger.log('error', one as never);
    logger.child({ error: one }).error('failed');
  }
}

async function lines(form: winston.Logform.Format, error: Error): Promise<string> {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  const logger = winston.createLogger({ format: form, transports: [new winston.transports.Stream({ stream })] });
  log(logger, error);
  logger.end();
  await once(logger, 'finish');
  stream.end();
  await once(stream, 'close');
  return text;
}

const json = { 'content-type': 'application/json' };
const FAILURES: readonly (readonly [name: string, step: Step])[] = [
  ['an answer', [404, json, '{"Message":"{\\"errorCode\\":404103,\\"message\\":\\"Timed out waiting.\\"}"}']],
  [
    'an answer that repeats the signature',
    [401, json, `{"Message":"bad token SharedAccessSignature sr=hub&sig=${SECRETS.signature}&se=1"}`],
  ],
  ['a success that is no JSON', [200, json, `<html>${SECRETS.body}</html>`]],
  ['a reset', reset],
];

async function failed(adapter: 'http' | 'fetch', step: Step, attached: boolean): Promise<Error> {
  const { url } = await script(step);
  const httpAgent = new Agent({ keepAlive: true });
  const client = axios.create({ adapter, httpAgent, auth: { username: 'u', password: SECRETS.password } });
  if (attached) attachHttp(client);
  const error = await rejection(client.request(secretConfig(url) as AxiosRequestConfig));
  httpAgent.destroy();
  return error;
}

describe.each(['http', 'fetch'] as const)('on the %s adapter', (adapter) => {
  test.each(FAILURES)('no secret of a request is in a line: %s', async (_, step) => {
    const error = await failed(adapter, step, true);
    for (const [name, form] of Object.entries(FORMATS)) {
      const text = await lines(form, error);
      expect(text).toContain(error.message);
      expect(secretsIn(text), `${name}: ${text}`).toEqual([]);
      expect(text, name).not.toContain('dev-1?');
    }
  });
});

test("the same lines of axios' own error do show secrets: the search works", async () => {
  const error = await failed('http', 404, false);
  const text = await lines(FORMATS.json, error);
  expect(secretsIn(text)).toEqual(expect.arrayContaining(['signature', 'header', 'apiKey', 'body']));
});
