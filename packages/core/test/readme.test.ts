import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createPacer, dps, iotHub, retry } from '@faultmap/core';
import { expect, test } from 'vitest';
import { categoryTexts } from '../src/catalogue/category-texts.ts';
import { PUBLIC_FIELDS } from '../src/error.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${root}/README.md`, 'utf8');
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code as string);

test.each(examples)('example %# prints what its comments say', async (code) => {
  const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, comment]) => comment);
  // Against the built package, as a user runs it.
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
  });
  expect(expected.length).toBeGreaterThan(0);
  expect(stdout.trimEnd().split('\n')).toEqual(expected);
});

test('every category has its line in the table', () => {
  for (const category of Object.keys(categoryTexts)) expect(readme).toMatch(new RegExp(`\\| \`${category}\` +\\|`));
});

/** The names in the first column of a section's first table, or of the table below a text. */
function listed(below: string): string[] {
  const table =
    readme
      .split(below)[1]
      ?.split('\n\n')
      .find((block) => block.startsWith('| ')) ?? '';
  const cells = table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name as string)).sort();
}

/** The names that an error about a wrong option lists. */
const known = ({ message }: Error) => /expected one of the options (.*), got/.exec(message)?.[1]?.split(', ').sort();

test('every public field of an error has its line, and no other is promised', () => {
  expect(listed('## The error')).toEqual([...PUBLIC_FIELDS, 'summary', 'fix', 'docsUrl', 'cause'].sort());
});

test('every option of retry and createPacer has its line, and no other is promised', async () => {
  const refused = await retry(() => {}, { nothing: 1 } as never).catch((error) => error);
  expect(listed('## retry')).toEqual(known(refused));
  let mistake = new Error();
  try {
    createPacer({ nothing: 1 } as never);
  } catch (thrown) {
    mistake = thrown as Error;
  }
  expect(listed('## The pace')).toEqual(known(mistake));
});

test('as many codes are known as it says', () => {
  expect(readme).toContain(`knows ${iotHub.rows.length + dps.rows.length} codes`);
});
