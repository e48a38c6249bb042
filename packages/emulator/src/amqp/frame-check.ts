/**
 * Structure of AMQP 1.0 bytes, checked before the protocol engine sees them: an array of four
 * billion nulls or a list nested a thousand deep must end one connection, not the process.
 */

/** Deeper than any frame or message of a device cloud. */
const MAX_DEPTH = 32;
/** Elements without a width cost no bytes, so their count needs a bound of its own. */
const MAX_EMPTY_ELEMENTS = 1_024;
const MALFORMED = -1;

/** Is `bytes` one whole frame (size prefix included) with a well-formed performative? */
export function isWellFormedFrame(bytes: Buffer): boolean {
  const dataOffset = (bytes[4] ?? 0) * 4;
  if (dataOffset < 8 || dataOffset > bytes.length) return false;
  if (dataOffset === bytes.length) return true; // an empty frame: keep-alive
  // What follows the performative is the payload of a transfer, perhaps only a part of a message.
  return skipValue(bytes, dataOffset, bytes.length, 0) !== MALFORMED;
}

/** Is `bytes` a sequence of well-formed values: a whole message? */
export function isWellFormedMessage(bytes: Buffer): boolean {
  let at = 0;
  while (at < bytes.length) {
    at = skipValue(bytes, at, bytes.length, 0);
    if (at === MALFORMED) return false;
  }
  return true;
}

/** Where the value at `at` ends, or MALFORMED. */
function skipValue(bytes: Buffer, at: number, end: number, depth: number): number {
  if (depth > MAX_DEPTH || at >= end) return MALFORMED;
  if (bytes[at] !== 0x00) return skipBody(bytes, at + 1, end, bytes[at] as number, depth);
  const described = skipValue(bytes, at + 1, end, depth + 1);
  return described === MALFORMED ? MALFORMED : skipValue(bytes, described, end, depth + 1);
}

/** The body of a value whose constructor is `code`; the high half byte says its width. */
function skipBody(bytes: Buffer, at: number, end: number, code: number, depth: number): number {
  const category = code >> 4;
  if (category >= 0x4 && category <= 0x9) return within(at + (category === 0x4 ? 0 : 2 ** (category - 5)), end);
  if (category < 0xa) return MALFORMED;
  const width = category % 2 === 0 ? 1 : 4; // a, c, e: one byte of size; b, d, f: four
  if (at + width > end) return MALFORMED;
  const size = width === 1 ? (bytes[at] as number) : bytes.readUInt32BE(at);
  const last = within(at + width + size, end);
  if (last === MALFORMED || category <= 0xb) return last;
  if (size < width) return MALFORMED;
  const items = at + width * 2;
  const count = width === 1 ? (bytes[at + 1] as number) : bytes.readUInt32BE(at + 4);
  const done =
    category <= 0xd ? skipItems(bytes, items, last, count, depth) : skipArray(bytes, items, last, count, depth);
  return done === MALFORMED ? MALFORMED : last;
}

function skipItems(bytes: Buffer, from: number, end: number, count: number, depth: number): number {
  let at = from;
  if (count > end - from) return MALFORMED; // every item has at least its constructor
  for (let i = 0; i < count; i++) {
    at = skipValue(bytes, at, end, depth + 1);
    if (at === MALFORMED) return MALFORMED;
  }
  return at;
}

function skipArray(bytes: Buffer, from: number, end: number, count: number, depth: number): number {
  let at = from;
  for (let nested = 0; bytes[at] === 0x00; nested++) {
    at = nested > MAX_DEPTH ? MALFORMED : skipValue(bytes, at + 1, end, depth + 1);
    if (at === MALFORMED) return MALFORMED;
  }
  if (at >= end) return MALFORMED;
  const code = bytes[at] as number;
  at += 1;
  if (code >> 4 === 0x4) return count > MAX_EMPTY_ELEMENTS ? MALFORMED : at;
  if (count > end - at) return MALFORMED;
  for (let i = 0; i < count; i++) {
    at = skipBody(bytes, at, end, code, depth + 1);
    if (at === MALFORMED) return MALFORMED;
  }
  return at;
}

function within(at: number, end: number): number {
  return at <= end ? at : MALFORMED;
}
