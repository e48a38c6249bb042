import { isDeviceCloudError } from './error.ts';
import { MAX_DEPTH, MAX_KEYS } from './limits.ts';
import { redact } from './redact.ts';
import { get, getString, isError, isObject } from './shape.ts';

/*
 * Node prints the `[cause]` of an uncaught error whatever a custom inspect says (measured: 26 lines
 * with the token for one error of an HTTP client), so what hangs on a native error must not be
 * enumerable before that error becomes a cause.
 */

/** Where HTTP clients hang the request, with its Authorization header and body. */
const CARRIERS = [
  'config',
  'request',
  'response',
  'req',
  'res',
  'options',
  'headers',
  'body',
  'transportObject',
  'transportObj',
  'packet',
  'responseBody',
] as const;
/** More members than any address has; a longer list is not printed at all. */
const MAX_ERRORS = 16;
const SECRET_KEY =
  /authorization|password|passwd|secret|token|signature|sharedaccess|api-?key|cookie|credential|^sig$|^key$/i;

/**
 * A native error made safe to print, for use as `cause`. What carries the request is made
 * non-enumerable in place, so it stays readable; where that fails, or where the error's own text or
 * chain holds a secret, a redacted copy is returned. Of what is no error only a text is kept, since
 * printers show a cause whatever it is.
 */
export function safeCause(raw: unknown): unknown {
  if (typeof raw === 'string') return redact(raw);
  if (!isError(raw)) return undefined;
  try {
    return hide(raw, 0, new Set()) ? raw : copyOf(raw, 0, new Set());
  } catch {
    return undefined; // a hostile proxy: better no cause than one that throws at printing
  }
}

/** Hide what carries secrets, in the error and its chain. `false`: it cannot be done in place. */
function hide(error: object, depth: number, met: Set<object>): boolean {
  // Made safe when it was made: the fault that ended an operation stays the very cause of its error.
  if (met.has(error) || isDeviceCloudError(error)) return true;
  if (depth > MAX_DEPTH) return false;
  met.add(error);
  if (!isReadable(error)) return false;
  for (const key of CARRIERS) if (!hideKey(error, key)) return false;
  if (!guardToJson(error)) return false;
  const keys: (string | symbol)[] = [...Object.keys(error), ...Object.getOwnPropertySymbols(error)];
  if (keys.length > MAX_KEYS) return false;
  for (const key of keys) {
    const value = get(error, key);
    if (isError(value)) {
      if (!hide(value, depth + 1, met)) return false;
    } else if (suspicious(String(key), value) && !hideKey(error, key)) return false;
  }
  if (!cleanText(getString(error, 'message')) || !cleanText(headOf(getString(error, 'stack')))) return false;
  const errors = get(error, 'errors');
  if (Array.isArray(errors) && errors.length > MAX_ERRORS) return false;
  const inner: unknown[] = [get(error, 'cause'), ...(Array.isArray(errors) ? errors : [])];
  return inner.every((one) => (isError(one) ? hide(one, depth + 1, met) : !suspicious('cause', one)));
}

/**
 * Errors of HTTP clients write their request, Authorization header and all, when they are
 * serialised: loggers that copy `cause` do that. An own `toJSON` goes before theirs. `false`: it
 * cannot be done in place.
 */
export function guardToJson(error: object): boolean {
  const there = (error as { toJSON?: unknown }).toJSON;
  if (there === undefined || there === plainForm) return true;
  return Reflect.defineProperty(error, 'toJSON', PLAIN_FORM);
}

function plainForm(this: { name?: unknown; message?: unknown; code?: unknown; status?: unknown }): object {
  const { name, message, code, status } = this;
  return { name, message: redact(String(message)), code, status };
}

const PLAIN_FORM: PropertyDescriptor = { value: plainForm, enumerable: false, configurable: true, writable: true };

/** What Node's printer asks an error for. */
const PRINTED = ['name', 'message', 'stack', 'constructor', Symbol.toStringTag] as const;

/** Can a printer read it? One that throws would take the report of the fault with it. */
function isReadable(error: object): boolean {
  try {
    const values = PRINTED.map((key) => (error as Record<string | symbol, unknown>)[key]);
    return values.slice(0, 3).every((text) => text === undefined || typeof text === 'string');
  } catch {
    return false;
  }
}

function hideKey(error: object, key: string | symbol): boolean {
  const own = Object.getOwnPropertyDescriptor(error, key);
  if (!own?.enumerable) return true;
  const value: unknown = own.value;
  // A number or short word under such a name is no request.
  if (!isObject(value) && typeof value !== 'function' && typeof value !== 'string') return true;
  if (!own.configurable) return false;
  Object.defineProperty(error, key, { ...own, enumerable: false });
  return true;
}

function suspicious(key: string, value: unknown): boolean {
  if (typeof value === 'string') return SECRET_KEY.test(key) || !cleanText(value);
  return isObject(value) && !isError(value);
}

function cleanText(text: string | undefined): boolean {
  return text === undefined || redact(text) === text;
}

const FRAME = /\n {4}at [^\n]*/g;

/** A stack without its frames, which name functions and files of the program: most of it, and no secret. */
function headOf(stack: string | undefined): string | undefined {
  return stack?.replace(FRAME, '');
}

/** Name, redacted text, plain fields that are not secret by name, and the chain. */
function copyOf(error: Error, depth: number, met: Set<object>): Error {
  met.add(error);
  const inner = get(error, 'cause');
  const cause = isError(inner) && depth < MAX_DEPTH && !met.has(inner) ? copyOf(inner, depth + 1, met) : undefined;
  const message = redact(getString(error, 'message') ?? '');
  const copy = cause === undefined ? new Error(message) : new Error(message, { cause });
  const name = redact(getString(error, 'name') ?? 'Error');
  const stack = getString(error, 'stack');
  Object.defineProperty(copy, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(copy, 'stack', {
    value: redact(stack ?? `${name}: ${message}`),
    configurable: true,
    writable: true,
  });
  for (const key of Object.keys(error).slice(0, MAX_KEYS)) {
    const value = get(error, key);
    if (key === 'name' || key === 'message' || key === 'stack' || SECRET_KEY.test(key)) continue;
    if (typeof value === 'string')
      Object.defineProperty(copy, key, { value: redact(value), enumerable: true, configurable: true, writable: true });
    else if (typeof value === 'number' || typeof value === 'boolean')
      Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}
