import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startEmulator } from '@faultmap/emulator';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const folder = `${root}examples/dist/readme`;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the example of the README has its catch by line 20 and does what it says', async () => {
  const lines = readme.split('\n');
  expect(lines.findIndex((line) => line.includes('catch (error)'))).toBeLessThan(20);
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const promised = /\/\/ (offline .*)/.exec(example)?.[1];
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/example.mjs`, example);

  const cloud = await startEmulator({ devices: ['pump-7'] });
  const env = { ...process.env, HUB_URL: cloud.httpUrl, HUB_SAS: cloud.serviceToken() };
  const { stdout } = await promisify(execFile)(process.execPath, [`${folder}/example.mjs`], { env, timeout: 50_000 });
  await cloud.stop();

  expect(promised).toBeDefined();
  expect(stdout).toContain(promised);
});
