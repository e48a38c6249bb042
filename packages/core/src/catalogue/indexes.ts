import { amqpConditionRows } from './amqp-conditions.ts';
import type { Catalogue, CodeRow, ConditionRow } from './types.ts';

/*
 * Look-up tables, each made at its first use: importing the package costs nothing, classifying is
 * one access to a map however many rows there are.
 */

interface Index {
  readonly byCode: ReadonlyMap<number, CodeRow>;
  /** Names and aliases, lower case. */
  readonly byName: ReadonlyMap<string, CodeRow>;
}

const indexes = new WeakMap<Catalogue, Index>();

/** The row of a code, in the first catalogue that has it. */
export function rowOfCode(code: number, catalogues: readonly Catalogue[]): CodeRow | undefined {
  for (const catalogue of catalogues) {
    const row = indexOf(catalogue).byCode.get(code);
    if (row) return row;
  }
  return undefined;
}

/** The row of a name, in any letter case, in the first catalogue that has it. */
export function rowOfName(name: string, catalogues: readonly Catalogue[]): CodeRow | undefined {
  const key = name.toLowerCase();
  for (const catalogue of catalogues) {
    const row = indexOf(catalogue).byName.get(key);
    if (row) return row;
  }
  return undefined;
}

/** Is the row that of an HTTP status, and its name the phrase of it? */
function isStatus(row: CodeRow): boolean {
  return row.code === row.httpStatus;
}

function indexOf(catalogue: Catalogue): Index {
  const there = indexes.get(catalogue);
  if (there) return there;
  const byCode = new Map<number, CodeRow>();
  const byName = new Map<string, CodeRow>();
  // A name that a status has too (`PreconditionFailed`) means the exact row.
  const rows = wellFormed(catalogue);
  const exactFirst = rows.toSorted((a, b) => Number(isStatus(a)) - Number(isStatus(b)));
  for (const row of exactFirst) {
    if (row.notAFault) continue;
    if (!byCode.has(row.code)) byCode.set(row.code, row);
    for (const name of [row.reason, ...(row.aliases ?? [])]) {
      const key = name.toLowerCase();
      if (!byName.has(key)) byName.set(key, row);
    }
  }
  // A misprint that is no code of its own can only mean the row it was printed for.
  for (const row of rows) {
    for (const misprint of row.misprints ?? []) {
      if (typeof misprint === 'number' && !byCode.has(misprint)) byCode.set(misprint, row);
    }
  }
  const made = { byCode, byName };
  indexes.set(catalogue, made);
  return made;
}

/** A user's catalogue may come from anywhere, and classifying never throws. */
export function wellFormed({ rows }: Catalogue): readonly CodeRow[] {
  return Array.isArray(rows)
    ? rows.filter((row) => typeof row?.code === 'number' && typeof row.reason === 'string')
    : [];
}

let byCondition: ReadonlyMap<string, ConditionRow> | undefined;

/** The row of an AMQP condition, in any letter case and known spelling. */
export function conditionRow(condition: string): ConditionRow | undefined {
  byCondition ??= new Map(
    amqpConditionRows.flatMap((row) => [row.condition, ...(row.aliases ?? [])].map((name) => [name, row] as const)),
  );
  return byCondition.get(condition.toLowerCase());
}
