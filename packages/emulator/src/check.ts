/** What a field of an options object may hold. */
export interface Field {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

/** Fields by name; any other name is a mistake. */
export type Fields = Readonly<Record<string, Field>>;

export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const anything: Field = { expected: 'anything', fits: () => true };
export const text: Field = { expected: 'a text', fits: (value) => typeof value === 'string' };
export const name: Field = { expected: 'a text that is not empty', fits: (value) => text.fits(value) && value !== '' };
export const flag: Field = { expected: 'true or false', fits: (value) => typeof value === 'boolean' };
export const object: Field = { expected: 'an object', fits: isObject };
export const above0: Field = { expected: 'a number above 0', fits: (value) => typeof value === 'number' && value > 0 };

export const from = (least: number): Field => ({
  expected: `a number from ${least}`,
  fits: (value) => typeof value === 'number' && value >= least,
});

export const whole = (least: number, most: number): Field => ({
  expected: `a whole number from ${least} to ${most}`,
  fits: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});

export const oneOf = (...names: readonly string[]): Field => ({
  expected: `one of ${names.join(', ')}`,
  fits: (value) => names.includes(value as string),
});

export const either = (expected: string, ...fields: readonly Field[]): Field => ({
  expected,
  fits: (value) => fields.some((field) => field.fits(value)),
});

export const listOf = (what: string, field: Field): Field => ({
  expected: `a list of ${what}`,
  fits: (value) => Array.isArray(value) && value.every(field.fits),
});

/**
 * Every field is a known one and holds what it may; `undefined` is not given.
 *
 * @param path - of the object within the options, with what is called in front: `inject: match.`
 * @throws TypeError that names the field, what was expected and what was given
 */
export function check(path: string, given: object, known: Fields): void {
  for (const [key, value] of Object.entries(given)) {
    const field = Object.hasOwn(known, key) ? known[key] : undefined;
    if (!field) fail(path + key, `one of ${Object.keys(known).join(', ')}`, key);
    checkOne(path + key, value, field);
  }
}

/** The same of one value. @throws TypeError */
export function checkOne(path: string, value: unknown, field: Field): void {
  if (value !== undefined && !field.fits(value)) fail(path, field.expected, value);
}

export function fail(path: string, expected: string, received: unknown, cause?: unknown): never {
  const shown = typeof received === 'object' ? JSON.stringify(received) : String(received);
  const message = `${path}: expected ${expected}, received ${shown}`;
  throw cause === undefined ? new TypeError(message) : new TypeError(message, { cause });
}
