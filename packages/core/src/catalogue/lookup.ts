import {
  type Advice,
  type AppliesTo,
  type Category,
  type Executed,
  isTransient,
  type Transport,
} from '../categories.ts';
import { textsWithoutCode } from './category-texts.ts';
import { dps } from './dps.ts';
import { judgeHundred, judgeStatus, judgeUnlisted } from './http-statuses.ts';
import { conditionRow, wellFormed } from './indexes.ts';
import { iotHub } from './iot-hub.ts';
import { judgeMqttName } from './mqtt-reasons.ts';
import { systemFault } from './system-faults.ts';
import type { Catalogue, CodeRow, CodeTexts, Judgement } from './types.ts';

/** What {@link lookup} found: a row of a catalogue with its texts, or what is known of another signal. */
export interface LookedUp extends CodeTexts {
  /**
   * - `code`: a row of a catalogue
   * - `family`: a rule for numbers no catalogue lists, by their first digits
   * - `condition`, `mqtt`, `system`: an AMQP condition, an MQTT reason, a code of socket, DNS or TLS
   */
  readonly kind: 'code' | 'family' | 'condition' | 'mqtt' | 'system';
  /** Name of the catalogue, for a row of one. */
  readonly catalogue?: string;
  /** The number; none for a family asked for by its pattern, and for signals without one. */
  readonly code?: number;
  /** The documented name; of a family its pattern, of a signal the condition, reason or code. */
  readonly reason: string;
  /** Other names of the same code. */
  readonly aliases?: readonly string[];
  /** Names that another source gives this number though they belong to another row. */
  readonly disputedNames?: readonly string[];
  readonly category: Category;
  readonly advice: Advice;
  /** Does the default policy repeat the unchanged operation, where that is safe? */
  readonly transient: boolean;
  /** May the operation have taken effect at a first attempt? */
  readonly executed: Executed;
  /** Texts of the cloud that say otherwise about execution. */
  readonly executedByText?: Readonly<Record<string, Executed>>;
  /** `null`: seen only over AMQP or MQTT. */
  readonly httpStatus?: number | null;
  /** Where it is known to occur; empty when no source says. */
  readonly transports?: readonly Transport[];
  /** Whom the code concerns. */
  readonly scope?: AppliesTo;
  /** Numbers the documentation misprints for it. */
  readonly misprints?: readonly (number | string)[];
  /** `true`: named in a documentation table only. */
  readonly listedOnly?: true;
  /** `true`: not a fault: a client's placeholder, or a success. */
  readonly notAFault?: true;
  /** Codes it may stand for. */
  readonly candidates?: readonly number[];
  /** Other rows the number or name was printed for, or other catalogues' rows of it. */
  readonly alsoPrintedFor?: readonly LookedUp[];
}

const BUILT_IN: readonly Catalogue[] = [iotHub, dps];
/** Longest input that is looked at: names are short, and a caller may hand over anything. */
const LONGEST = 200;

/**
 * What is known of a code or a name. Finds rows by number, documented name and alias in any letter
 * case, misprints of the documentation (`5000001`, `404102`), families (`500xxx`, an unlisted
 * `404999`), AMQP conditions, names of MQTT reasons and codes of system faults. Never throws.
 *
 * @param codeOrReason - `404103`, `'404103'`, `'DeviceNotOnline'`, `'500xxx'`, `'amqp:link:stolen'`, `'ECONNRESET'`
 * @param catalogues - searched before the built-in ones
 * @returns `undefined` where nothing is known
 */
export function lookup(codeOrReason: number | string, catalogues: readonly Catalogue[] = []): LookedUp | undefined {
  const all = catalogues.length === 0 ? BUILT_IN : [...new Set([...catalogues, ...BUILT_IN])];
  if (typeof codeOrReason === 'number') return byNumber(codeOrReason, all);
  if (typeof codeOrReason !== 'string') return undefined;
  const asked = codeOrReason.slice(0, LONGEST).trim();
  // A number, alone or before its name as in `404103 DeviceNotOnline`.
  const number = /^\d{1,7}(?![\w:])/.exec(asked)?.[0];
  if (number !== undefined) return byNumber(Number(number), all);
  return byPattern(asked) ?? byName(asked, all) ?? bySignal(asked) ?? byLink(asked, all);
}

function byNumber(code: number, catalogues: readonly Catalogue[]): LookedUp | undefined {
  const rows = select(catalogues, (row) => row.code === code);
  const misprinted = select(catalogues, (row) => row.misprints?.includes(code) ?? false);
  const found = together([...rows, ...misprinted]);
  if (found) return found;
  const judged = judgeUnlisted(code);
  return judged && { ...family(judged, judged.reason), code };
}

/** `500xxx`, `4xxNNN`, `5xx`: the rule for numbers that begin so. */
function byPattern(asked: string): LookedUp | undefined {
  const digits = /^(?:([345]\d{2})[xn]{3}|([345])xx(?:[xn]{3})?)(?!\w)/i.exec(asked);
  if (!digits) return undefined;
  const judged = digits[1] ? judgeStatus(Number(digits[1])) : judgeHundred(Number(digits[2]));
  return judged && family(judged, digits[0].toLowerCase().replace('nnn', 'NNN'));
}

function byName(asked: string, catalogues: readonly Catalogue[]): LookedUp | undefined {
  const key = plain(asked);
  if (key === '') return undefined;
  const named = (row: CodeRow) => [row.reason, ...(row.aliases ?? [])].some((name) => plain(name) === key);
  const disputed = (row: CodeRow) => row.disputedNames?.some((name) => plain(name) === key) ?? false;
  const rows = select(catalogues, named);
  // The exact row, and not the status whose phrase it shares.
  const exact = rows.filter(({ row }) => !isStatus(row));
  return together([...(exact.length > 0 ? exact : rows), ...select(catalogues, disputed)]);
}

function bySignal(asked: string): LookedUp | undefined {
  const condition = conditionRow(asked);
  if (condition) return signal('condition', condition);
  const mqtt = judgeMqttName(asked);
  if (mqtt) return signal('mqtt', mqtt);
  const code = asked.toUpperCase();
  const system = systemFault(code);
  return system && signal('system', { ...system, reason: code });
}

/** The pages of the documentation: `https://aka.ms/iothub403004`, `…-error-404001-devicenotfound`. */
function byLink(asked: string, catalogues: readonly Catalogue[]): LookedUp | undefined {
  const code = /\s/.test(asked) ? undefined : /(?<!\d)[345]\d{5}(?!\d)/.exec(asked)?.[0];
  return code === undefined ? undefined : byNumber(Number(code), catalogues);
}

interface Found {
  readonly row: CodeRow;
  readonly catalogue: Catalogue;
}

function select(catalogues: readonly Catalogue[], fits: (row: CodeRow) => boolean): Found[] {
  return catalogues.flatMap((catalogue) =>
    wellFormed(catalogue)
      .filter(fits)
      .map((row) => ({ row, catalogue })),
  );
}

/** The first found, with the rest as what it was printed for as well. */
function together(found: readonly Found[]): LookedUp | undefined {
  const [first, ...rest] = found.map(ofRow);
  return first && (rest.length === 0 ? first : { ...first, alsoPrintedFor: rest });
}

function ofRow({ row, catalogue }: Found): LookedUp {
  const texts = catalogue.texts?.[row.code] ?? textsWithoutCode(row.category, row.reason);
  return { kind: 'code', catalogue: catalogue.name, ...row, transient: isTransient(row.advice), ...texts };
}

function family({ category, advice, executed }: Judgement, reason: string): LookedUp {
  const texts = textsWithoutCode(category, reason);
  return { kind: 'family', reason, category, advice, executed, transient: isTransient(advice), ...texts };
}

function signal(kind: LookedUp['kind'], judged: Judgement): LookedUp {
  const { category, reason, advice, executed, candidates } = judged;
  const known = { kind, reason, category, advice, executed, transient: isTransient(advice) };
  return { ...known, ...(candidates && { candidates }), ...textsWithoutCode(category, reason) };
}

function isStatus(row: CodeRow): boolean {
  return row.code === row.httpStatus;
}

/** Names compare without case, blanks and marks: logs write `IotHub Unauthorized Access`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}
