import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCode } from './support/child.ts';
import { script } from './support/script.ts';

const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');

test('the example prints what its comments say', async () => {
  const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, comment]) => comment);
  const json = { 'content-type': 'application/json' };
  const offline = '{"Message":"{\\"errorCode\\":404103,\\"message\\":\\"Timed out waiting for device to connect.\\"}"}';
  const server = await script(503, [200, json, '{"version":7}'], [404, json, offline]);
  const { stdout, stderr } = await runCode(code, { HUB_URL: server.url });
  expect(expected).toHaveLength(4);
  expect(stderr).toBe('');
  expect(stdout.trimEnd().split('\n')).toEqual(expected);
});
