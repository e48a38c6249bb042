import { CloudFault } from '../state/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../state/json.ts';

export type DeviceTest = (twin: JsonObject) => boolean;

export interface Query {
  readonly from: 'devices' | 'modules';
  /** Name of the column of `SELECT COUNT() AS name`. */
  readonly count: string | undefined;
  readonly test: DeviceTest;
}

const SELECT = /^\s*SELECT\s+(\*|COUNT\(\)\s+AS\s+(\w+))\s+FROM\s+(devices(?:\.modules)?)(?:\s+WHERE\s+(.+?))?\s*$/is;

/**
 * A plain subset of the query language: `SELECT * | COUNT() AS n FROM devices | devices.modules
 * [WHERE condition]`, conditions with comparison, IN, IS_DEFINED, AND, OR, NOT and brackets.
 *
 * @throws CloudFault argument-invalid for anything else
 */
export function parseQuery(text: string): Query {
  const match = text.length > 8_192 ? null : SELECT.exec(text);
  if (!match) throw refused('only SELECT * or COUNT() FROM devices or devices.modules');
  return {
    from: match[3]?.toLowerCase() === 'devices' ? 'devices' : 'modules',
    count: match[2],
    test: match[4] === undefined ? () => true : parseCondition(match[4]),
  };
}

/** The condition of a WHERE clause. @throws CloudFault argument-invalid */
export function parseCondition(text: string): DeviceTest {
  const parser = new Parser(tokensOf(text));
  const test = parser.or();
  parser.end();
  return test;
}

const TOKEN = /\s*(?:('(?:[^']|'')*'|"[^"]*")|(-?\d+(?:\.\d+)?)|([A-Za-z_$][\w$.-]*)|(<=|>=|<>|!=|[=<>()[\],]))/y;

type Token = { readonly kind: 'text' | 'number' | 'word' | 'sign'; readonly value: string };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw refused(`unexpected character at ${at}`);
    if (match[1] !== undefined) tokens.push({ kind: 'text', value: match[1].slice(1, -1).replaceAll("''", "'") });
    else if (match[2] !== undefined) tokens.push({ kind: 'number', value: match[2] });
    else if (match[3] !== undefined) tokens.push({ kind: 'word', value: match[3] });
    else tokens.push({ kind: 'sign', value: match[4] as string });
  }
  return tokens;
}

/** Brackets may nest this deep. */
const DEPTH = 50;

/** Recursive descent: or → and → not → comparison. */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  or(): DeviceTest {
    const tests = [this.#and()];
    while (this.#take('word', 'OR')) tests.push(this.#and());
    return (twin) => tests.some((test) => test(twin));
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw refused(`unexpected '${this.#tokens[this.#at]?.value}'`);
  }

  #and(): DeviceTest {
    const tests = [this.#not()];
    while (this.#take('word', 'AND')) tests.push(this.#not());
    return (twin) => tests.every((test) => test(twin));
  }

  #not(): DeviceTest {
    this.#depth += 1;
    if (this.#depth > DEPTH) throw refused('nested too deep');
    try {
      if (this.#take('word', 'NOT')) {
        const test = this.#not();
        return (twin) => !test(twin);
      }
      if (!this.#take('sign', '(')) return this.#comparison();
      const inner = this.or();
      this.#expect(')');
      return inner;
    } finally {
      this.#depth -= 1;
    }
  }

  #comparison(): DeviceTest {
    const word = this.#word();
    if (/^is_defined$/i.test(word)) {
      this.#expect('(');
      const path = this.#word();
      this.#expect(')');
      return (twin) => valueAt(twin, path) !== undefined;
    }
    if (this.#take('word', 'IN')) {
      const wanted = this.#list();
      return (twin) => wanted.some((value) => value === valueAt(twin, word));
    }
    const sign = this.#next('sign').value;
    const compare = COMPARE[sign];
    if (!compare) throw refused(`unexpected '${sign}'`);
    const wanted = this.#literal();
    return (twin) => compare(valueAt(twin, word), wanted);
  }

  #list(): Json[] {
    this.#expect('[');
    const values = [this.#literal()];
    while (this.#take('sign', ',')) values.push(this.#literal());
    this.#expect(']');
    return values;
  }

  #literal(): Json {
    const token = this.#next();
    if (token.kind === 'text') return token.value;
    if (token.kind === 'number') return Number(token.value);
    if (/^true$/i.test(token.value)) return true;
    if (/^false$/i.test(token.value)) return false;
    if (/^null$/i.test(token.value)) return null;
    throw refused(`unexpected '${token.value}'`);
  }

  #word(): string {
    return this.#next('word').value;
  }

  #expect(sign: string): void {
    if (!this.#take('sign', sign)) throw refused(`'${sign}' is missing`);
  }

  #next(kind?: Token['kind']): Token {
    const token = this.#tokens[this.#at];
    if (!token || (kind && token.kind !== kind)) throw refused(`unexpected '${token?.value ?? 'end'}'`);
    this.#at += 1;
    return token;
  }

  #take(kind: Token['kind'], value: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind || token.value.toUpperCase() !== value) return false;
    this.#at += 1;
    return true;
  }
}

const COMPARE: Readonly<Record<string, (a: Json | undefined, b: Json) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== undefined && a !== b,
  '<>': (a, b) => a !== undefined && a !== b,
  '<': (a, b) => ordered(a, b) && (a as number) < (b as number),
  '<=': (a, b) => ordered(a, b) && (a as number) <= (b as number),
  '>': (a, b) => ordered(a, b) && (a as number) > (b as number),
  '>=': (a, b) => ordered(a, b) && (a as number) >= (b as number),
};

function ordered(a: Json | undefined, b: Json): boolean {
  return typeof a === typeof b && (typeof a === 'number' || typeof a === 'string');
}

function valueAt(twin: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = twin;
  for (const name of path.replace(/^devices\./, '').split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function refused(why: string): CloudFault {
  return new CloudFault('argument-invalid', { text: `SQL query parse failed due to following errors: ${why}` });
}
