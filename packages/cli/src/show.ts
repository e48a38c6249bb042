import type { AnyDeviceCloudError, LookedUp } from '@faultmap/core';
import { CATEGORIES } from '@faultmap/core/adapter';
import type { Colors } from './io.ts';
import type { Suggestion } from './suggest.ts';
import { ADVICE_WORDS, EXECUTED_WORDS, retriedWord } from './words.ts';

type Lines = readonly (readonly [label: string, value: string | undefined])[];

const LABEL_WIDTH = 13;
/** With the labels, 80 columns. */
const TEXT_WIDTH = 65;

/** An error for a person: what it is, what to do, then where it was seen. */
export function showError(error: AnyDeviceCloudError, colors: Colors): string {
  return sheet(title(error.code, error.reason, colors), colors, [
    ['category', `${colors.cyan(error.category)}  ${colors.dim(error.name)}`],
    ['summary', error.summary],
    ['fix', hasNothing(error) ? TELL_MORE : error.fix],
    ['advice', `${error.advice}: ${ADVICE_WORDS[error.advice]}`],
    ['retried', retriedWord(error.advice)],
    ['executed', `${error.executed}: ${EXECUTED_WORDS[error.executed]}`],
    ['wait', error.retryAfterMs === undefined ? undefined : `${error.retryAfterMs} ms, as the cloud asks`],
    ['resets at', error.resetAt?.toISOString()],
    ['may be', error.candidates?.length ? error.candidates.join(', ') : undefined],
    ['go to', error.serverReference],
    ['transport', place(error)],
    ['HTTP status', text(error.httpStatus)],
    ['condition', error.condition],
    ['reason code', text(error.reasonCode)],
    ['tracking id', error.trackingId],
    ['time', error.timestamp],
    ['detail', oneLine(error.detail)],
    ['docs', error.docsUrl],
  ]);
}

/** The texts of an unknown fault speak of candidates and of a tracking id. */
const TELL_MORE = "Give more of it: the status, headers and body of an answer, or the library's error as JSON.";

function hasNothing({ category, candidates, trackingId, timestamp }: AnyDeviceCloudError): boolean {
  return category === 'unknown' && !candidates?.length && trackingId === undefined && timestamp === undefined;
}

/** What the catalogue knows, for a person. */
export function showEntry(found: Entry, colors: Colors): string {
  const others = found.alsoPrintedFor ?? [];
  return sheet(title(found.code, found.reason, colors), colors, [
    ['category', colors.cyan(found.category)],
    ['summary', found.summary],
    ['fix', found.fix],
    ['advice', `${found.advice}: ${ADVICE_WORDS[found.advice]}`],
    ['retried', retriedWord(found.advice)],
    ['executed', `${found.executed}: ${EXECUTED_WORDS[found.executed]}`],
    [
      'HTTP status',
      found.kind === 'code' ? (text(found.httpStatus ?? undefined) ?? 'none: over AMQP or MQTT') : undefined,
    ],
    ['reason code', found.reasonCode === undefined ? undefined : mqttCode(found.reasonCode)],
    ['transports', found.transports?.length ? found.transports.join(', ') : undefined],
    ['concerns', found.scope],
    ['may be', found.candidates?.length ? found.candidates.join(', ') : undefined],
    ['also called', [...(found.aliases ?? []), ...(found.disputedNames ?? [])].join(', ') || undefined],
    ['printed for', listed(others.filter((row) => row.code !== found.code))],
    ['misprinted', found.misprints?.join(', ')],
    [
      'catalogue',
      found.catalogue && `${found.catalogue}${found.listedOnly ? ' (listed only, seen in no capture)' : ''}`,
    ],
    ['also in', alsoIn(found, others)],
    ['source', shortSources(found.source)],
    ['docs', found.docsUrl],
    ['did you mean', listed(found.didYouMean ?? [])],
  ]);
}

/** What is found of a code or a name, with what only this program knows of it. */
export interface Entry extends LookedUp {
  /** The MQTT number that was asked for. */
  readonly reasonCode?: number;
  /** Of a number that no catalogue lists, those that differ by a slip. */
  readonly didYouMean?: readonly Suggestion[];
}

/** A code or name that nothing is known of. */
export function showUnknown(asked: string, near: readonly Suggestion[], colors: Colors): string {
  return sheet(`${colors.bold(asked)} is not known`, colors, [
    ['did you mean', listed(near)],
    ['category', isCategory(asked) ? `faultmap codes --category ${asked.toLowerCase()} lists its codes` : undefined],
    ['looked in', 'codes and their names, AMQP conditions, MQTT reasons, faults of the system, files'],
    ['all codes', 'faultmap codes'],
  ]);
}

function isCategory(word: string): boolean {
  return CATEGORIES.some((category) => category === word.toLowerCase());
}

/** The same number in another catalogue, which may have a name of its own for it. */
function alsoIn(found: LookedUp, others: readonly LookedUp[]): string | undefined {
  const same = others.filter(({ code, catalogue }) => code === found.code && catalogue !== found.catalogue);
  return same
    .map(({ catalogue, reason }) => (reason === found.reason ? catalogue : `${catalogue}, as ${reason}`))
    .join(', ');
}

function listed(rows: readonly Suggestion[]): string {
  return rows.map(({ code, reason }) => [code, reason].filter(Boolean).join(' ')).join(', ');
}

/** Brokers and clients write it in either base. */
function mqttCode(code: number): string {
  const hex = `0x${code.toString(16).padStart(2, '0').toUpperCase()}`;
  return code < 0x80 ? `${code} (${hex}) of a CONNACK of MQTT 3.1.1` : `${code} (${hex}) of MQTT 5`;
}

/** The whole list is in the JSON. */
function shortSources(source: string | undefined): string | undefined {
  const all = source?.split('; ') ?? [];
  return all.length > 3 ? `${all.slice(0, 2).join('; ')}; and ${all.length - 2} more` : source;
}

function title(code: number | undefined, reason: string, colors: Colors): string {
  return colors.bold(code === undefined ? reason : `${code} ${reason}`);
}

function place(error: AnyDeviceCloudError): string | undefined {
  return error.transport && (error.scope ? `${error.transport}, ${error.scope}` : error.transport);
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function oneLine(value: string | undefined): string | undefined {
  const words = value?.replace(/\s+/g, ' ').trim();
  return words && words.length > 600 ? `${words.slice(0, 599)}…` : words || undefined;
}

function sheet(heading: string, colors: Colors, lines: Lines): string {
  const body = lines
    .filter((line): line is readonly [string, string] => line[1] !== undefined && line[1] !== '')
    .map(([label, value]) => `  ${colors.dim(label.padEnd(LABEL_WIDTH))}${wrap(value)}`);
  return `${[heading, ...body].join('\n')}\n`;
}

/** Break at blanks; a long word stays whole, so that it can be copied. */
function wrap(value: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of value.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > TEXT_WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${' '.repeat(LABEL_WIDTH + 2)}`);
}
