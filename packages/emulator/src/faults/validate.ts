import { validateHeaderName, validateHeaderValue } from 'node:http';
import { type Field, FORMS, MATCH, SPEC } from './fields.ts';
import type { FaultForm, FaultSpec } from './types.ts';

/** @throws TypeError that names the field, what was expected and what was given */
export function validateSpec(spec: FaultSpec): void {
  if (!isObject(spec)) fail('fault', 'an object', spec);
  check(spec, SPEC, '');
  const { match } = spec;
  if (match !== undefined && typeof match !== 'function') {
    if (!isObject(match)) fail('match', 'an object or a function', match);
    check(match, MATCH, 'match.');
  }
  validateForm(spec);
}

function validateForm({ fault, delayMs }: FaultSpec): void {
  if (fault === undefined) {
    if (!delayMs) fail('fault', 'a fault, or delayMs alone', fault);
    return;
  }
  // The short forms: their messages name what the user wrote.
  if (typeof fault === 'number') checkOne(fault, FORMS.code.code, 'fault');
  else if (typeof fault === 'string') checkOne(fault, FORMS.unclean.unclean, 'fault');
  else checkForm(fault);
}

function checkForm(fault: FaultForm): void {
  const form = Object.entries(FORMS).find(([name]) => isObject(fault) && name in fault);
  if (!form) fail('fault', `a code, a text, or an object with one of ${Object.keys(FORMS).join(', ')}`, fault);
  check(fault, form[1], 'fault.');
  if ('status' in fault) checkHeaders(fault.headers);
}

function checkHeaders(headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, String(value));
    } catch (thrown) {
      fail('fault.headers', 'what HTTP can hold', { [name]: value }, thrown);
    }
  }
}

/** Every field is a known one and holds what it may; `undefined` is not given. */
function check(given: object, known: Readonly<Record<string, Field>>, prefix: string): void {
  for (const [name, value] of Object.entries(given)) {
    const field = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!field) fail(`${prefix}${name}`, `one of ${Object.keys(known).join(', ')}`, name);
    checkOne(value, field, `${prefix}${name}`);
  }
}

function checkOne(value: unknown, field: Field, name: string): void {
  if (value !== undefined && !field.fits(value)) fail(name, field.expected, value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fail(name: string, expected: string, received: unknown, cause?: unknown): never {
  const shown = typeof received === 'object' ? JSON.stringify(received) : String(received);
  const message = `inject: ${name}: expected ${expected}, received ${shown}`;
  throw cause === undefined ? new TypeError(message) : new TypeError(message, { cause });
}
