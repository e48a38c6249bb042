import { describe, expect, test } from 'vitest';
import { run } from './run.ts';

/** What axios 1.x writes of itself by `JSON.stringify`: the status, and nothing of the answer. */
const written = (status: number, code = 'ERR_BAD_REQUEST') => ({
  message: `Request failed with status code ${status}`,
  name: 'AxiosError',
  stack: `AxiosError: Request failed with status code ${status}\n    at settle (settle.js:19:12)`,
  config: { method: 'get', url: '/devices/d1', headers: { Authorization: 'SharedAccessSignature sr=h&sig=SECRETX1' } },
  code,
  status,
});

describe('faultmap explain, of an error that a logger wrote', () => {
  test.each([
    ['axios, by JSON.stringify', written(404), 'not-found'],
    ['axios, refused credentials', written(401), 'unauthorized'],
    ['axios, throttled', written(429), 'throttled'],
    ['axios, of the server', written(503, 'ERR_BAD_RESPONSE'), 'server'],
    ['axios, under err of pino', { level: 50, msg: 'boom', err: { type: 'AxiosError', ...written(404) } }, 'not-found'],
    [
      'axios with its answer, under err of pino',
      { level: 50, err: { ...written(404), response: { status: 404, headers: {}, data: '{"errorCode":404103}' } } },
      'offline',
    ],
    [
      'the system, under err of pino',
      { level: 50, err: { type: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:1', code: 'ECONNREFUSED' } },
      'network',
    ],
  ])('%s', async (_what, logged, category) => {
    const { exitCode, out } = await run(['explain', '--json', JSON.stringify(logged)]);
    expect(JSON.parse(out)).toMatchObject({ category });
    expect(out).not.toContain('SECRETX1');
    expect(exitCode).toBe(0);
  });
});

test('no secret comes back in the id of a line, nor in what is said of an option', async () => {
  const id = 'HostName=h;SharedAccessKey=SECRETX1abc';
  const lines = [{ id }, { id, transport: 'http' }, { id, transport: 'log', input: { text: '404103' } }];
  const { out } = await run(['explain', '--jsonl'], lines.map((line) => JSON.stringify(line)).join('\n'));
  expect(out.trim().split('\n')).toHaveLength(3);
  expect(out).not.toContain('SECRETX1');
  expect(out).toContain('[redacted]');
  const { exitCode, err } = await run(['emulator', '--port', 'pwd=SECRETX1']);
  expect(exitCode).toBe(2);
  expect(err).not.toContain('SECRETX1');
});
