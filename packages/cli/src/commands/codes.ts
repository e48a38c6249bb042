import { type Catalogue, type Category, type CodeRow, dps, iotHub, type Transport } from '@faultmap/core';
import { CATEGORIES, isTransient } from '@faultmap/core/adapter';
import { type Colors, colorsFor, EXIT, type Io, UsageError, write } from '../io.ts';
import { table } from '../table.ts';
import { retriedWord } from '../words.ts';

export interface CodesOptions {
  readonly transport?: string;
  readonly category?: string;
  readonly catalogue?: string;
  readonly retried?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly color: boolean;
}

const TRANSPORTS: readonly string[] = ['http', 'mqtt', 'amqp'] satisfies readonly Transport[];
const CATALOGUES: Readonly<Record<string, Catalogue>> = { 'iot-hub': iotHub, dps };

interface Listed {
  readonly catalogue: Catalogue;
  readonly row: CodeRow;
}

/** `faultmap codes`: list the catalogue, whole or in part. */
export async function codes(options: CodesOptions, io: Io): Promise<number> {
  const listed = select(options);
  const text = options.json
    ? `${JSON.stringify(listed.map(asJson), null, 2)}\n`
    : options.markdown
      ? markdown(listed)
      : forPeople(listed, colorsFor(io, options.color));
  await write(io.stdout, text);
  return listed.length === 0 ? EXIT.incomplete : EXIT.ok;
}

function select(options: CodesOptions): Listed[] {
  const [transport, category, catalogue] = [options.transport, options.category, options.catalogue].map((one) =>
    one?.toLowerCase(),
  );
  checkOneOf('--transport', transport, TRANSPORTS);
  checkOneOf('--category', category, CATEGORIES);
  checkOneOf('--catalogue', catalogue, Object.keys(CATALOGUES));
  const catalogues = Object.entries(CATALOGUES).filter(([name]) => catalogue === undefined || name === catalogue);
  return catalogues
    .flatMap(([, one]) => one.rows.map((row) => ({ catalogue: one, row })))
    .filter(({ row }) => category === undefined || row.category === (category as Category))
    .filter(({ row }) => transport === undefined || row.transports.includes(transport as Transport))
    .filter(({ row }) => !options.retried || isTransient(row.advice));
}

function checkOneOf(option: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value))
    throw new UsageError(`${option}: expected one of ${allowed.join(', ')}, got ${JSON.stringify(value.slice(0, 40))}`);
}

function asJson({ catalogue, row }: Listed): object {
  return { catalogue: catalogue.name, ...row, transient: isTransient(row.advice), ...catalogue.texts?.[row.code] };
}

const HEAD = ['code', 'name', 'category', 'status', 'transports', 'retried', 'executed', 'concerns'];

const FOR_PEOPLE = HEAD.filter((name) => name !== 'status' && name !== 'concerns');

function cells(row: CodeRow): string[] {
  return [
    String(row.code),
    row.reason,
    row.category,
    row.httpStatus === null ? 'N/A' : String(row.httpStatus),
    row.transports.join(' '),
    retriedWord(row.advice),
    row.executed,
    row.scope,
  ];
}

function forPeople(listed: readonly Listed[], colors: Colors): string {
  // A terminal has no room for all; `explain` and the other forms have the rest.
  const rows = listed.map(({ row }) => cells(row).filter((_cell, column) => FOR_PEOPLE.includes(HEAD[column] ?? '')));
  const listedOnly = listed.filter(({ row }) => row.listedOnly).length;
  return `${table(FOR_PEOPLE, rows, colors)}\n${listed.length} codes, ${listedOnly} of them named in documentation only\n`;
}

function markdown(listed: readonly Listed[]): string {
  const lines = listed.map(({ catalogue, row }) => {
    const summary = catalogue.texts?.[row.code]?.summary ?? '';
    return `| ${[...cells(row), summary].map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  });
  return `| ${[...HEAD, 'summary'].join(' | ')} |\n|${' --- |'.repeat(HEAD.length + 1)}\n${lines.join('\n')}\n`;
}
