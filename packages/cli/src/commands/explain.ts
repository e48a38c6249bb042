import { existsSync } from 'node:fs';
import { type AnyDeviceCloudError, classify, lookup } from '@faultmap/core';
import { redact } from '@faultmap/core/adapter';
import { explainLine, idOf, toFault } from '../explain-jsonl.ts';
import { colorsFor, EXIT, type Io, UsageError, write } from '../io.ts';
import { linesOf, openText, textOf } from '../lines.ts';
import { ownError } from '../own-error.ts';
import { everyReader } from '../readers.ts';
import { type Entry, showEntry, showError, showUnknown } from '../show.ts';
import { suggestionsFor } from '../suggest.ts';

export interface ExplainOptions {
  readonly file?: string;
  readonly json?: boolean;
  readonly jsonl?: boolean;
  readonly color: boolean;
}

/** `faultmap explain`: say what a code, a name or a raw error means. */
export async function explain(words: readonly string[], options: ExplainOptions, io: Io): Promise<number> {
  if (options.jsonl) return await explainLines(await sourceOf(words, options, io), io);
  const given = unquoted(await givenText(words, options, io));
  if (given.trim() === '') throw new UsageError('nothing to explain: the input is empty');
  if (words.length > 1 && words.every((word) => /^\d{6}$/.test(word)))
    throw new UsageError('explain takes one code at a time');
  const colors = colorsFor(io, options.color);
  const found = entryOf(given);
  if (found) {
    await write(io.stdout, options.json ? asJson(found) : showEntry(found, colors));
    return EXIT.ok;
  }
  const error = errorIn(given);
  if (says(error)) {
    await write(io.stdout, options.json ? asJson(error) : showError(error, colors));
    return EXIT.ok;
  }
  const asked = given.trim();
  const near = isName(asked) ? suggestionsFor(asked) : [];
  const isWord = isName(asked) && !/\s/.test(asked);
  const sheet = isWord || near.length > 0 ? showUnknown(redact(asked), near, colors) : showError(error, colors);
  await write(io.stdout, options.json ? asJson({ ...error.toJSON(), didYouMean: near }) : sheet);
  return EXIT.incomplete;
}

/** A text in quotes of JSON, as it is copied out of a log. */
function unquoted(given: string): string {
  if (!given.trim().startsWith('"')) return given;
  try {
    const value: unknown = JSON.parse(given);
    return typeof value === 'string' ? value : given;
  } catch {
    return given;
  }
}

function asJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** What the catalogues know of the code or name that was given. */
function entryOf(given: string): Entry | undefined {
  const found = (isName(given) ? (mqttReason(given.trim()) ?? lookup(given)) : undefined) ?? numberAskedFor(given);
  if (found?.kind !== 'family' || found.code === undefined) return found;
  const didYouMean = suggestionsFor(String(found.code));
  return didYouMean.length === 0 ? found : { ...found, didYouMean };
}

/** `135`, `5`, `0x5`, `CONNACK 5`, `MQTT reason code 135`: the number of a packet as clients and brokers print it. */
function mqttReason(given: string): Entry | undefined {
  const number = /^(?:(?:mqtt|connack|reason|return|code)[ :=]{1,3}){0,3}(\d{1,3}|0x[\da-f]{1,2})$/i.exec(given)?.[1];
  const code = Number(number ?? Number.NaN);
  const found = code <= 255 ? lookup(`0x${code.toString(16).padStart(2, '0')}`) : undefined;
  return found && { ...found, reasonCode: code };
}

/** `Error 401003`: the only number of a short line, where a catalogue has it. */
function numberAskedFor(given: string): ReturnType<typeof lookup> {
  const line = given.trim();
  if (line.length >= 80 || line.includes('\n') || !isName(line)) return undefined;
  const numbers = line.match(/(?<![\w.-])\d{6}(?![\w.-])/g) ?? [];
  return numbers.length === 1 ? lookup(String(numbers[0])) : undefined;
}

/** A code or a name, `404103 DeviceNotOnline`, `Receive link throttled`, rather than an error's text. */
function isName(given: string): boolean {
  const text = given.trim();
  return !/^[{[<"]/.test(text) && text.length <= 100 && text.split(/\s+/).length <= 4;
}

/** One object a line in, one line out; a line that is none gets an `error` and the run goes on. */
async function explainLines(source: AsyncIterable<string>, io: Io): Promise<number> {
  let bad = 0;
  for await (const line of linesOf(source)) {
    if (line.trim() === '') continue;
    const mistake = mistakeIn(line);
    if (mistake) bad++;
    await write(io.stdout, `${mistake ?? explainLine(line)}\n`);
  }
  return bad === 0 ? EXIT.ok : EXIT.incomplete;
}

/** What is wrong with a line, as the line to print for it; `undefined` for a good one. */
function mistakeIn(line: string): string | undefined {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return JSON.stringify({ id: null, error: 'not JSON' });
  }
  const fields = typeof record === 'object' && record !== null ? (record as Record<string, unknown>) : {};
  const id = idOf(fields.id);
  if (!TRANSPORTS.includes(fields.transport as string))
    return JSON.stringify({ id, error: `transport: expected one of ${TRANSPORTS.join(', ')}` });
  return fields.input === undefined ? JSON.stringify({ id, error: 'input: missing' }) : undefined;
}

const TRANSPORTS: readonly string[] = ['http', 'mqtt', 'amqp', 'sdk', 'log'];

async function givenText(words: readonly string[], options: ExplainOptions, io: Io): Promise<string> {
  const text = words.join(' ');
  const isSource = options.file !== undefined || words.length === 0 || words[0] === '-' || isFile(text);
  return isSource ? await textOf(await sourceOf(words, options, io)) : text;
}

async function sourceOf(words: readonly string[], options: ExplainOptions, io: Io): Promise<AsyncIterable<string>> {
  if (options.file !== undefined && words.length > 0) throw new UsageError('give either --file or an argument');
  const awaited = options.jsonl ? 'objects in JSON, one a line,' : 'an error';
  return await openText(options.file ?? words[0] ?? '-', awaited, io);
}

/** A path to a file that is there; anything with a blank or a brace is an error's text. */
function isFile(text: string): boolean {
  return /^[^\s{}[\]"]{1,4096}$/.test(text) && existsSync(text);
}

/** JSON as the answer, packet or error it is; a body alone, and anything that is not JSON, as text. */
function errorIn(given: string): AnyDeviceCloudError {
  const value = parsed(given);
  const error = value === undefined ? undefined : (ownError(value) ?? classify(value, everyReader));
  return error && says(error) ? error : classify(given, everyReader);
}

function says(error: AnyDeviceCloudError): boolean {
  return error.category !== 'unknown' || error.code !== undefined;
}

/** What the JSON says, a record of `--jsonl` as the fault it writes down; `undefined` for no JSON. */
function parsed(text: string): object | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { transport, input } = value as { transport?: unknown; input?: unknown };
  const fault = TRANSPORTS.includes(transport as string) ? toFault(transport, input) : value;
  return typeof fault === 'object' && fault !== null ? fault : undefined;
}
