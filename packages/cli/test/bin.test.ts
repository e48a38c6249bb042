import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bin = fileURLToPath(new URL('../bin/faultmap.js', import.meta.url));

/** The program as it is installed: it needs a build. */
async function spawned(argv: readonly string[], input = '') {
  const child = spawn(process.execPath, [bin, ...argv], { stdio: 'pipe' });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin.end(input);
  const [exitCode] = await once(child, 'close');
  return { exitCode, out, err };
}

test('the installed program explains', async () => {
  expect(await spawned(['explain', '403002'])).toMatchObject({
    exitCode: 0,
    out: expect.stringContaining('IotHubQuotaExceeded'),
    err: '',
  });
});

test('no colours into a pipe', async () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  expect((await spawned(['codes', '--category', 'offline'])).out).not.toMatch(/\u001b/);
});

test('ten thousand lines stream through, in order', async () => {
  const line = (id: number) => `{"id":${id},"transport":"log","input":{"text":"ErrorCode:DeviceNotFound;x"}}\n`;
  const { exitCode, out } = await spawned(
    ['explain', '--jsonl'],
    Array.from({ length: 10_000 }, (_, id) => line(id)).join(''),
  );
  const ids = out
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one).id);
  expect(ids).toEqual(Array.from({ length: 10_000 }, (_, id) => id));
  expect(exitCode).toBe(0);
});

test('a reader that goes away is no failure', async () => {
  const child = spawn(process.execPath, [bin, 'codes', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdout.destroy();
  const [exitCode] = await once(child, 'close');
  expect(err).toBe('');
  expect(exitCode).toBe(0);
});

test('the emulator ends in good order at SIGINT', async () => {
  const child = spawn(process.execPath, [bin, 'emulator', '--json', '--transports', 'http'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [first] = await once(child.stdout, 'data');
  expect(JSON.parse(String(first).split('\n')[0] ?? '')).toMatchObject({ event: 'started' });
  child.kill('SIGINT');
  const [exitCode, signal] = await once(child, 'close');
  expect([exitCode, signal]).toEqual([0, null]);
});
