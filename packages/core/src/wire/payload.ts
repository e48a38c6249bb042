import { MAX_DEPTH, MAX_KEYS, MAX_TEXT } from '../limits.ts';
import { isObject } from '../shape.ts';
import { scan } from './scan.ts';
import { isStatusPhrase } from './text-parts.ts';
import { timestampOf, trackingIdIn, trackingIdOf } from './tracking-id.ts';
import { readUsualBody } from './usual-body.ts';

/** What the body of an answer says. */
export interface Payload {
  /** Innermost `errorCode`. */
  code?: number | undefined;
  /** `ErrorCode:Name`, or a name where a number is usual. */
  name?: string | undefined;
  trackingId?: string | undefined;
  timestamp?: string | undefined;
  /** The innermost text for people. */
  text?: string | undefined;
  /** A DPS registration ended as `failed` or `disabled`, though the status says success. */
  failed?: 'failed' | 'disabled' | undefined;
  /** Fields that only the Device Provisioning Service has. */
  dps?: true | undefined;
  /** Markup: a page of a gateway or proxy, not an answer of the cloud. */
  html?: true | undefined;
  /** It began as JSON and is none: cut off, or wrapped by a logger. */
  broken?: true | undefined;
}

interface Walk extends Payload {
  codeDepth: number;
  textDepth: number;
  idDepth: number;
}

/**
 * Read a body: string, bytes, or already parsed. JSON in a JSON string is followed, an object-valued
 * `info` does no harm. Bounded: the first 64 KiB, 8 levels, 64 keys. Never throws.
 */
export function readPayload(body: unknown): Payload {
  try {
    const value = decode(body);
    return (typeof value === 'string' ? readUsualBody(value) : undefined) ?? readAnyBody(value);
  } catch {
    return {}; // bytes that cannot be had: a detached buffer
  }
}

/** The same without the short cut for the usual forms. */
export function readAnyBody(value: unknown): Payload {
  const walk: Walk = { codeDepth: -1, textDepth: -1, idDepth: Infinity };
  try {
    if (typeof value === 'string') readString(value, 0, walk);
    else visit(value, 0, walk);
  } catch {
    // A hostile getter or proxy: what was read so far stands.
  }
  return walk;
}

/** Bytes to text; streams and whatever else is no body are left alone. */
export function decode(body: unknown): unknown {
  if (typeof body !== 'object') return body;
  if (body instanceof Uint8Array) return decoder.decode(body.subarray(0, MAX_TEXT));
  if (body instanceof ArrayBuffer) return decoder.decode(new Uint8Array(body, 0, Math.min(body.byteLength, MAX_TEXT)));
  return body;
}

const decoder = new TextDecoder();

function readString(given: string, depth: number, walk: Walk): void {
  const start = given.startsWith('\uFEFF') ? 1 : 0; // a byte order mark, which JSON does not know
  const text = start > 0 || given.length > MAX_TEXT ? given.slice(start, MAX_TEXT) : given;
  const first = firstCharacter(text);
  if (first === '') return;
  if (first === '<' && MARKUP.test(text)) {
    readMarkup(text, walk);
    return;
  }
  if (depth < MAX_DEPTH && (first === '{' || first === '[' || first === '"')) {
    const parsed = parse(text);
    if (parsed !== undefined) {
      visit(parsed, depth + 1, walk);
      return;
    }
    if (first !== '"') walk.broken = true;
  }
  readProse(text, depth, walk);
}

function firstCharacter(text: string): string {
  const first = text[0] ?? '';
  return first > ' ' ? first : (/\S/.exec(text)?.[0] ?? '');
}

const MARKUP = /^\s*<(?:!doctype|html|head|body|\?xml|!--)/i;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readMarkup(text: string, walk: Walk): void {
  walk.html = true;
  const title = /<title[^>]{0,100}>([^<]{1,200})/i.exec(text)?.[1];
  if (title !== undefined) walk.text ??= title.trim();
}

/** Text for people: perhaps with `ErrorCode:Name;` before it, or JSON inside it. */
function readProse(text: string, depth: number, walk: Walk): void {
  const named = /^\s*ErrorCode:\s?([A-Za-z]\w{1,80})(\s?(?:;\s?|$))?/.exec(text);
  // Cut off before its closing quote: the name may still be whole.
  if (walk.broken) walk.name ??= /\bErrorCode:\s?([A-Za-z]\w{1,80});/.exec(text)?.[1];
  walk.name ??= named?.[1];
  // Not before any other mark: the word may be what a secret is known by (`password=…`).
  setText(named?.[2] === undefined ? text : text.slice(named[0].length), depth, walk);
  if (text.includes('{') || text.includes('":') || text.includes("':")) layOver(scan(text), depth, walk);
  setId(trackingIdIn(text), depth + 1, walk);
}

/** What a scan of text found goes below what whole JSON said, except a deeper number. */
function layOver(found: Payload, depth: number, walk: Walk): void {
  if (found.code !== undefined && walk.codeDepth <= depth) {
    walk.code = found.code;
    walk.codeDepth = depth + 1;
  }
  walk.name ??= found.name;
  if (found.text !== undefined && (found.code !== undefined || walk.broken)) walk.text = found.text;
  setId(found.trackingId, depth + 1, walk);
  walk.timestamp ??= found.timestamp === undefined ? undefined : timestampOf(found.timestamp);
  walk.dps ??= found.dps;
}

function setText(text: string, depth: number, walk: Walk): void {
  const words = depth > walk.textDepth ? text.trim() : '';
  if (words === '') return;
  walk.text = words;
  walk.textDepth = depth;
}

/** The outermost id is the answer's own; one farther in is of a call behind it. */
function setId(id: string | undefined, depth: number, walk: Walk): void {
  if (id === undefined || depth >= walk.idDepth) return;
  walk.trackingId = id;
  walk.idDepth = depth;
}

function visit(value: unknown, depth: number, walk: Walk): void {
  if (depth > MAX_DEPTH) return;
  if (typeof value === 'string') readString(value, depth, walk);
  if (!isObject(value)) return;
  if (Array.isArray(value)) {
    // A list of errors (`details` of ARM, a bulk answer): the first says why.
    if (value.length > 0) visit(value[0], depth + 1, walk);
    return;
  }
  let seen = 0;
  for (const key in value) {
    if (++seen > MAX_KEYS) break;
    visitField(key, (value as Record<string, unknown>)[key], depth, walk);
  }
}

/** The fields that are looked at, by their name in lower case. */
const FIELDS: Readonly<Record<string, (value: unknown, depth: number, walk: Walk) => void>> = {
  errorcode: visitCode,
  // The resource manager and other services: their phrases and statuses are no codes of this cloud.
  code: (value, depth, walk) => {
    const word = typeof value === 'number' ? String(value) : value;
    if (typeof word !== 'string' || !(isStatusPhrase(word) || /^\d{3}$/.test(word))) visitCode(value, depth, walk);
  },
  message: visitMessage,
  errormessage: visitMessage,
  error_description: visitMessage,
  exceptionmessage: visitException,
  trackingid: (value, depth, walk) => setId(trackingIdOf(value), depth, walk),
  timestamputc: (value, _depth, walk) => {
    if (typeof value === 'string' && value.length <= 60) walk.timestamp ??= timestampOf(value);
  },
  registrationstate: (value, depth, walk) => {
    walk.dps = true;
    visit(value, depth + 1, walk);
  },
  operationid: markProvisioning,
  registrationid: markProvisioning,
  status: (value, _depth, walk) => {
    if (value === 'failed' || value === 'disabled') walk.failed ??= value;
  },
  error: visitNested,
  // A summary above says more than the first of its parts.
  details: (value, depth, walk) => {
    if (walk.text === undefined) visitNested(value, depth, walk);
  },
  innererror: visitNested,
};
const FIELD_BY_NAME = new Map(Object.entries(FIELDS));
// The two spellings that occur in nearly every answer.
FIELD_BY_NAME.set('Message', visitMessage).set('ExceptionMessage', visitException);
FIELD_BY_NAME.set('errorCode', visitCode).set('trackingId', FIELDS.trackingid as typeof visitCode);
FIELD_BY_NAME.set('timestampUtc', FIELDS.timestamputc as typeof visitCode);

function visitField(key: string, value: unknown, depth: number, walk: Walk): void {
  const field = FIELD_BY_NAME.get(key) ?? (key.length <= 20 ? FIELD_BY_NAME.get(key.toLowerCase()) : undefined);
  field?.(value, depth, walk);
}

function visitMessage(value: unknown, depth: number, walk: Walk): void {
  if (typeof value === 'string') readString(value, depth, walk);
  else visit(value, depth + 1, walk);
}

function visitNested(value: unknown, depth: number, walk: Walk): void {
  if (typeof value === 'string') setText(value, depth, walk);
  else visit(value, depth + 1, walk);
}

function markProvisioning(_value: unknown, _depth: number, walk: Walk): void {
  walk.dps = true;
}

/** A number, a number as a string, or a name; 0 is C#'s "no valid code". */
function visitCode(value: unknown, depth: number, walk: Walk): void {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\d{3,7}$/.test(value)
        ? Number(value)
        : undefined;
  if (number !== undefined) {
    if (!Number.isInteger(number) || number < 100 || number > 9_999_999 || depth < walk.codeDepth) return;
    walk.code = number;
    walk.codeDepth = depth;
  } else if (typeof value === 'string' && /^[A-Za-z]\w{1,80}$/.test(value)) walk.name ??= value;
}

/** Holds the tracking id, or repeats the message, or is empty. */
function visitException(value: unknown, depth: number, walk: Walk): void {
  if (typeof value !== 'string' || value === '') return;
  const whole = value.startsWith('Tracking ID:') ? trackingIdOf(value.slice(12)) : undefined;
  setId(whole ?? trackingIdIn(value.slice(0, MAX_TEXT)), depth, walk);
  if (walk.code === undefined && value.includes('{')) readString(value, depth, walk);
}
