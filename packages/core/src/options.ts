/** A rule for one option: what was expected, and whether a value is that. */
export interface OptionRule {
  /** As it follows the word "expected" in the message, for instance `a function`. */
  readonly expected: string;
  /** Never throws, whatever it is given. */
  readonly ok: (value: unknown) => boolean;
}

/** The rules options are made of, so that every package says the same of the same mistake. */
export const rules = {
  /** A wait in ms: finite, not negative. */
  ms: {
    expected: 'a finite number of milliseconds, 0 or more',
    ok: (v) => typeof v === 'number' && v >= 0 && v < Infinity,
  },
  /** A wait in ms, or none (`Infinity`). */
  msOrNever: {
    expected: 'a number of milliseconds, 0 or more (Infinity for none)',
    ok: (v) => typeof v === 'number' && v >= 0,
  },
  /** A count of at least 1, or no limit (`Infinity`). */
  count: {
    expected: 'a whole number, 1 or more, or Infinity',
    ok: (v) => v === Infinity || (Number.isInteger(v) && (v as number) >= 1),
  },
  positive: { expected: 'a finite number above 0', ok: (v) => typeof v === 'number' && v > 0 && v < Infinity },
  boolean: { expected: 'a boolean', ok: (v) => typeof v === 'boolean' },
  function: { expected: 'a function', ok: (v) => typeof v === 'function' },
  string: { expected: 'a string', ok: (v) => typeof v === 'string' },
  object: { expected: 'an object', ok: (v) => typeof v === 'object' && v !== null },
  oneOf: (...values: readonly unknown[]): OptionRule => ({
    expected: `one of ${values.map((v) => JSON.stringify(v)).join(', ')}`,
    ok: (v) => values.includes(v),
  }),
  either: (...several: readonly OptionRule[]): OptionRule => ({
    expected: several.map((rule) => rule.expected).join(' or '),
    ok: (v) => several.some((rule) => rule.ok(v)),
  }),
} as const satisfies Record<string, OptionRule | ((...args: never[]) => OptionRule)>;

/**
 * Check given options against rules and fill in defaults. `undefined` is not given. Unknown names
 * are refused, since a misspelt option is a silent one.
 *
 * @param owner - for messages: the function that was called, for instance `attachHttp`
 * @param given - what the user wrote; left as it is
 * @param prefix - where the options live in the user's object, for instance `retry.`
 * @returns a new object
 * @throws TypeError naming the option, what was expected and what came
 */
export function resolveOptions<T extends object>(
  owner: string,
  given: Readonly<Partial<Record<keyof T, unknown>>> | undefined,
  defaults: T,
  ruleOf: Readonly<Record<keyof T, OptionRule>>,
  prefix = '',
): T {
  if (given === undefined) return { ...defaults };
  if (typeof given !== 'object' || given === null)
    throw optionError(owner, prefix.replace(/\.$/, ''), rules.object.expected, given);
  const resolved = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(ruleOf, name) ? ruleOf[name as keyof T] : undefined;
    if (!rule) throw optionError(owner, prefix + name, `one of the options ${Object.keys(ruleOf).join(', ')}`, name);
    if (!rule.ok(value)) throw optionError(owner, prefix + name, rule.expected, value);
    resolved[name as keyof T] = value as T[keyof T];
  }
  return resolved;
}

/**
 * `attachHttp: option retry.maxAttempts: expected a whole number, got "three"`. To be thrown. Of what
 * came only numbers, booleans and short words are shown, since it may be a secret.
 *
 * @param name - of the option; empty: the options as a whole
 */
export function optionError(owner: string, name: string, expected: string, got: unknown): TypeError {
  return new TypeError(`${owner}: ${name ? `option ${name}: ` : 'options: '}expected ${expected}, got ${show(got)}`);
}

/** Types rather than contents: what was given by mistake may be a secret. */
function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value);
  if (typeof value === 'string')
    return value.length <= 40 && /^[\w.-]*$/.test(value)
      ? JSON.stringify(value)
      : `a string of ${value.length} characters`;
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
