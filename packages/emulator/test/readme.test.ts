import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { resolveEmulatorOptions } from '../src/options.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}/README.md`, 'utf8');

test('the first example prints what its comments say', async () => {
  const code = /```js\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, comment]) => comment);
  // Against the built package, as a user runs it.
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
  });
  expect(expected).toHaveLength(3);
  expect(stdout.trimEnd().split('\n')).toEqual(expected);
});

test('every option has its line, and no other is promised', () => {
  const section = /## Options\n(.*?)\n## /s.exec(readme)?.[1] ?? '';
  const cells = [...section.matchAll(/^\| (`.*?`) +\|/gm)].map(([, cell]) => cell ?? '');
  const listed = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name as string));
  expect(listed.length).toBeGreaterThan(10);
  expect(() => resolveEmulatorOptions(Object.fromEntries(listed.map((name) => [name, undefined])))).not.toThrow();
  const known = () => resolveEmulatorOptions({ nothing: 1 } as never);
  expect(known).toThrow(/expected one of /);
  for (const name of namesIn(known)) expect(listed).toContain(name);
});

/** The names an error about a wrong one lists. */
function namesIn(run: () => unknown): string[] {
  try {
    run();
    return [];
  } catch (error) {
    return /expected one of (.*), received/.exec((error as Error).message)?.[1]?.split(', ') ?? [];
  }
}
