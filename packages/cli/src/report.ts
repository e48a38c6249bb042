import type { Colors } from './io.ts';
import { table } from './table.ts';
import type { TallyGroup } from './tally.ts';
import { retriedWord } from './words.ts';

/** What a scan counted, for people. */
export function report(entries: number, faults: number, groups: readonly TallyGroup[], colors: Colors): string {
  const summary = `${counted(faults, 'fault', 'faults')} in ${counted(entries, 'entry', 'entries')}, of ${counted(groups.length, 'kind', 'kinds')}\n`;
  if (groups.length === 0) return summary;
  const head = ['count', 'code', 'reason', 'category', 'retried', 'first – last (UTC)'];
  const rows = groups.map((group) => [
    String(group.count),
    group.code === null ? '' : String(group.code),
    shortReason(group.reason),
    colors.cyan(group.category),
    retriedWord(group.advice),
    span(group.first, group.last),
  ]);
  return [table(head, rows, colors), ...idsOf(groups, colors), summary].join('\n');
}

/** Below the table, since they are long: what support asks for. */
function idsOf(groups: readonly TallyGroup[], colors: Colors): string[] {
  const lines = groups.flatMap(({ code, reason, trackingId }) => {
    const kind = code === null ? shortReason(reason) : `${code} ${shortReason(reason)}`;
    return trackingId === null ? [] : [`  ${kind}: ${shortId(trackingId)}`];
  });
  return lines.length === 0 ? [] : [colors.dim('a tracking id of'), ...lines];
}

function shortReason(reason: string): string {
  return reason.slice(0, 60);
}

function shortId(id: string): string {
  return id.replace(/-TimeStamp.*/, '').slice(0, 80);
}

function counted(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}

/** `2026-03-01 10:00:05 – 11:30:00`: a day is said once. */
function span(first: string | null, last: string | null): string {
  if (first === null || last === null) return '';
  const [from, to] = [first, last].map((iso) => iso.slice(0, 19).replace('T', ' ')) as [string, string];
  if (from === to) return from;
  return `${from} – ${to.slice(0, 10) === from.slice(0, 10) ? to.slice(11) : to}`;
}
