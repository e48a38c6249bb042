import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
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

/** The log that the README scans. */
const LOG = `2026-03-01T10:00:00Z INFO device sensor-7 connected
2026-03-01T10:00:05Z ERROR {"Message":"ErrorCode:ThrottlingBacklogTimeout;Wait 10 seconds and try again.","ExceptionMessage":"Tracking ID:4c004cc9c096ba760ec615f004b0dee5-G:11-TimeStamp:03/01/2026 10:00:05"}
2026-03-01T10:00:09Z ERROR UnauthorizedException: error(condition:amqp:unauthorized-access,description:Put token failed.)
   at Program.Main()
2026-03-01T10:00:11Z INFO fine again
2026-03-01T11:30:00Z ERROR {"Message":"ErrorCode:ThrottlingBacklogTimeout;Wait 10 seconds and try again."}
`;

const consoles = [...README.matchAll(/```console\n\$ faultmap (.*)\n([\s\S]*?)```/g)].map(
  ([, command = '', printed = '']) => [command, printed] as const,
);

test.each(consoles)('faultmap %s prints what the README says', async (command, printed) => {
  const folder = await mkdtemp(join(tmpdir(), 'faultmap-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const log = join(folder, 'app.log');
  await writeFile(log, LOG);
  const { exitCode, out } = await run(command.split(' ').map((word) => (word === 'app.log' ? log : word)));
  // An ellipsis stands for what is left out.
  const [shown = '', cut] = printed.split(/^ *…\n/m);
  if (cut === undefined) expect(out).toBe(shown);
  else expect(out.slice(0, shown.length)).toBe(shown);
  expect(exitCode).toBe(0);
});

test('the README has an example of explain and of scan', () => {
  expect(consoles.map(([command]) => command.split(' ')[0])).toEqual(['explain', 'scan']);
});
