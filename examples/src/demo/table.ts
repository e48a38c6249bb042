import type { AnyDeviceCloudError } from '@faultmap/core';
import Table from 'cli-table3';
import type { Colors } from './colors.ts';
import type { Did, Expected } from './expected.ts';

/** What one row of the table came to. */
export interface Outcome {
  readonly transport: string;
  /** One short line of the raw error, as the client library gave it. */
  readonly raw: string;
  readonly error: AnyDeviceCloudError;
  readonly did: Did;
  /** The same for a person: `retried 2× → ok after 310 ms`. */
  readonly said: string;
}

export interface Row {
  readonly key: string;
  readonly expected: Expected;
  readonly outcome: Outcome | { readonly failed: string };
}

/** What differs from the expectation; empty when the row came out right. */
export function differences({ expected, outcome }: Row): string[] {
  if ('failed' in outcome) return [outcome.failed];
  const { error, did } = outcome;
  const found: string[] = [];
  const compare = (name: string, got: unknown, wanted: unknown) => {
    if (got !== wanted) found.push(`${name}: expected ${wanted}, got ${got}`);
  };
  if (error.code === undefined || !expected.codes.includes(error.code)) compare('code', error.code, expected.codes[0]);
  if (expected.codes.length === 1) compare('reason', error.reason, expected.reason);
  compare('category', error.category, expected.category);
  compare('executed', error.executed, expected.executed);
  compare('did', did, expected.did);
  return found;
}

/** A table a person likes to read, of 80 columns: below its name what the library gave, and what was done. */
export function render(rows: readonly Row[], colors: Colors): string {
  const table = new Table({
    head: ['  code\n  over', 'reason\nwhat the library gave', 'category, may it have run?\nwhat faultmap did'],
    colWidths: [11, 34, 31],
    wordWrap: true,
    // The table colours by itself, whatever it is written to.
    style: {
      head: colors.isColorSupported ? ['bold'] : [],
      border: colors.isColorSupported ? ['gray'] : [],
      compact: true,
    },
  });
  for (const row of rows) {
    const wrong = differences(row);
    const mark = wrong.length === 0 ? colors.green('✓') : colors.red('✗');
    const label = `${mark} ${colors.bold(row.key + (row.expected.scripted ? '*' : ''))}`;
    if ('failed' in row.outcome) {
      table.push([label, row.expected.reason, colors.red(row.outcome.failed)]);
      continue;
    }
    const { transport, raw, error, said } = row.outcome;
    const reason = split(error.reason) + (String(error.code) === row.key ? '' : ` (${error.code})`);
    const gave = colors.dim(short(raw, 60));
    table.push([
      `${label}\n  ${transport}`,
      `${reason}\n${gave}`,
      `${error.category}, executed: ${error.executed}\n${said}`,
    ]);
  }
  return table.toString();
}

function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Long names wrap between their words: a space no eye sees would break copying, so a soft one. */
function split(name: string): string {
  return name.length <= 32 ? name : name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ');
}
