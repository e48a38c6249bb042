import Table from 'cli-table3';
import type { Colors } from './io.ts';

/** A table for people: a bold head, no lines between rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], colors: Colors): string {
  const made = new Table({
    head: head.map((name) => colors.bold(name)),
    // Counts to the right, so that they compare.
    colAligns: head.map((name) => (name === 'count' ? 'right' : 'left')),
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of rows) made.push([...row]);
  return made.toString();
}
