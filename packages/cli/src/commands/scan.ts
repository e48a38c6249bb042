import { type AnyDeviceCloudError, classify } from '@faultmap/core';
import { redact } from '@faultmap/core/adapter';
import { colorsFor, EXIT, type Io, UsageError, write } from '../io.ts';
import { batchesOf, openText, reasonOf } from '../lines.ts';
import { entriesOf } from '../log-entries.ts';
import { holdsError, isQuiet, restsOnWords } from '../log-level.ts';
import { timeOf } from '../log-time.ts';
import { mayTell, mayTellForCertain, says } from '../may-tell.ts';
import { ownError } from '../own-error.ts';
import { everyReader } from '../readers.ts';
import { report } from '../report.ts';
import { Tally } from '../tally.ts';

export interface ScanOptions {
  readonly json?: boolean;
  readonly color: boolean;
}

interface Totals {
  entries: number;
}

/** `faultmap scan`: count the faults in logs, one entry at a time. */
export async function scan(files: readonly string[], options: ScanOptions, io: Io): Promise<number> {
  // Errors are only counted here: nobody sees their stacks.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await scanAll(files, options, io);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function scanAll(files: readonly string[], options: ScanOptions, io: Io): Promise<number> {
  const interruption = new AbortController();
  void io.interrupted().then(() => interruption.abort());
  const { signal } = interruption;
  const tally = new Tally();
  const totals: Totals = { entries: 0 };
  const named = files.length === 0 ? ['-'] : files;
  const unread: string[] = [];
  for (const file of named) {
    try {
      if (!signal.aborted) await scanFile(file, tally, totals, io, signal);
    } catch (error) {
      unread.push(unreadable(file, error));
    }
  }
  if (unread.length === named.length) throw new UsageError(unread.join('; '));
  const groups = tally.groups();
  const text = options.json
    ? `${JSON.stringify({ entries: totals.entries, faults: tally.faults, groups }, null, 2)}\n`
    : report(totals.entries, tally.faults, groups, colorsFor(io, options.color));
  await write(io.stdout, text);
  for (const message of unread) await write(io.stderr, `faultmap: ${redact(message)}\n`);
  if (signal.aborted) {
    await write(io.stderr, 'faultmap: interrupted; counted as far as it was read\n');
    return EXIT.interrupted;
  }
  return unread.length === 0 ? EXIT.ok : EXIT.usage;
}

/** Why a file could not be read. @throws what is no matter of the file */
function unreadable(file: string, error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (typeof (error as { code?: unknown } | null)?.code !== 'string') throw error;
  return `cannot read ${file}: ${reasonOf(error)}`;
}

async function scanFile(file: string, tally: Tally, totals: Totals, io: Io, signal: AbortSignal): Promise<void> {
  const name = file === '-' ? 'stdin' : file;
  for await (const entries of entriesOf(batchesOf(await openText(file, 'a log', io, signal)))) {
    totals.entries += entries.length;
    for (const { text, line } of entries) {
      const record = recordIn(text);
      const error = faultIn(text, record);
      if (error) tally.add(error, timeOf(text, record), `${name}:${line}`);
    }
  }
}

type Fields = Readonly<Record<string, unknown>>;

function recordIn(text: string): Fields | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** The fault an entry tells of, if it does. */
function faultIn(text: string, record: Fields | undefined): AnyDeviceCloudError | undefined {
  const own = ownError(record);
  if (own) return says(own) ? own : undefined;
  const log = resourceLog(record);
  if (log === undefined && !mayTell(text)) return undefined;
  const quiet = isQuiet(text, record);
  if (log === undefined && quiet && !holdsError(record) && !mayTellForCertain(text)) return undefined;
  const error = classify(log ?? text, everyReader);
  return !says(error) || (quiet && restsOnWords(error, text, record)) ? undefined : error;
}

/**
 * A record of Azure's resource logs has the code as `resultType`, alone: written out as an answer's
 * body has it, it is read like one.
 */
function resourceLog(record: Fields | undefined): string | undefined {
  const code = Number(record?.resultType);
  if (!Number.isInteger(code) || code < 100_000 || code > 999_999) return undefined;
  const { resultDescription } = record as Fields;
  return JSON.stringify({ errorCode: code, message: typeof resultDescription === 'string' ? resultDescription : '' });
}
