import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from './run.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const OPTION = /(?<![\w-])--[a-z][a-z-]+/g;

/** Options of a text, without those every command has. */
function optionsIn(text: string): string[] {
  return [...new Set(text.match(OPTION) ?? [])]
    .filter((name) => !['--help', '--version', '--no-color'].includes(name))
    .sort();
}

test.each(['explain', 'scan', 'codes', 'emulator'])(
  '%s: the README has the options that --help has',
  async (command) => {
    const section = new RegExp(`^## ${command}$([^]*?)^## `, 'm').exec(README)?.[1] ?? '';
    const { out } = await run([command, '--help']);
    expect(optionsIn(section)).toEqual(optionsIn(out));
  },
);
