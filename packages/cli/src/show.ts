import type { AnyDeviceCloudError, LookedUp } from '@faultmap/core';
import type { Colors } from './io.ts';
import { ADVICE_WORDS, EXECUTED_WORDS, retriedWord } from './words.ts';

type Lines = readonly (readonly [label: string, value: string | undefined])[];

const LABEL_WIDTH = 13;
const TEXT_WIDTH = 84;

/** An error for a person: what it is, what to do, then where it was seen. */
export function showError(error: AnyDeviceCloudError, colors: Colors): string {
  return sheet(title(error.code, error.reason, colors), colors, [
    ['category', `${colors.cyan(error.category)}  ${colors.dim(error.name)}`],
    ['summary', error.summary],
    ['fix', error.fix],
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

/** What the catalogue knows, for a person. */
export function showEntry(found: LookedUp, colors: Colors): string {
  const also = found.alsoPrintedFor?.map((row) => [row.code, row.reason].filter(Boolean).join(' ')).join(', ');
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
    ['transports', found.transports?.length ? found.transports.join(', ') : undefined],
    ['concerns', found.scope],
    ['may be', found.candidates?.length ? found.candidates.join(', ') : undefined],
    ['also called', [...(found.aliases ?? []), ...(found.disputedNames ?? [])].join(', ') || undefined],
    ['printed for', also],
    ['misprinted', found.misprints?.join(', ')],
    [
      'catalogue',
      found.catalogue && `${found.catalogue}${found.listedOnly ? ' (listed only, seen in no capture)' : ''}`,
    ],
    ['source', shortSources(found.source)],
    ['docs', found.docsUrl],
  ]);
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
