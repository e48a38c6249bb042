import { constants } from 'node:os';
import { dps, iotHub } from '@faultmap/core';
import { systemFault } from '@faultmap/core/adapter';

/** A code or name somebody may have meant. */
export interface Suggestion {
  readonly code?: number;
  readonly reason: string;
}

/** More than a handful is a list, and `faultmap codes` prints that. */
const MOST = 5;
/** Longest input that is compared: no name is longer. */
const LONGEST = 100;

/** The nearest of what the catalogues list, nearest first; of a number, those a slip of one digit away. */
export function suggestionsFor(asked: string): readonly Suggestion[] {
  const key = plain(asked.slice(0, LONGEST));
  if (key.length < 3) return [];
  const near = /^\d+$/.test(key) ? numbersNear(key) : namesNear(key);
  return near.toSorted((a, b) => a[0] - b[0]).map(([, suggestion]) => suggestion);
}

type Near = [distance: number, suggestion: Suggestion];

function numbersNear(key: string): Near[] {
  // Three digits are a status, and one slip away from most others.
  if (key.length < 5) return [];
  return rows()
    .map(({ code, reason }): Near => [distance(key, String(code)), { code, reason }])
    .filter(([away]) => away <= 1)
    .slice(0, MOST);
}

function namesNear(key: string): Near[] {
  // A quarter of the name: a slip or three, not another word.
  const most = Math.min(4, Math.floor(key.length / 4));
  const listed = rows().flatMap(({ code, reason, aliases }): Near[] =>
    [reason, ...(aliases ?? [])].map((name) => [distance(key, plain(name)), { code, reason: name }]),
  );
  const system = systemCodes().map((name): Near => [distance(key, plain(name)), { reason: name }]);
  const near = [...listed, ...system].filter(([away]) => away <= most);
  const least = Math.min(...near.map(([away]) => away));
  return near.filter(([away]) => away <= least + 1).slice(0, MOST);
}

/** Rows of both catalogues, a number once; the statuses among them are known by any digit. */
function rows(): readonly { code: number; reason: string; aliases?: readonly string[] }[] {
  const byCode = new Map([...dps.rows, ...iotHub.rows].map((row) => [row.code, row]));
  return [...byCode.values()].filter(({ code }) => code > 999);
}

/** The platform's own names, as far as they are faults of a connection. */
function systemCodes(): readonly string[] {
  return ['ENOTFOUND', ...Object.keys(constants.errno)].filter((name) => systemFault(name) !== undefined);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** Edits between two short words: a letter more, less, other, or two that changed places. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = swapped ? Math.min(least, (before[j - 2] ?? 0) + 1) : least;
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
