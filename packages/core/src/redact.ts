/*
 * Masks what must not be logged: SAS signatures, keys of connection strings, passwords, tokens,
 * Authorization headers, JWTs, PEM keys, user information in URLs. In any letter case, URL-encoded,
 * quoted in JSON, and split by line wraps. Every expression is linear in the text; masking too much
 * is preferred to masking too little.
 */

import { MAX_TEXT } from './limits.ts';

const MASK = '[redacted]';

/** Every mask below begins at a mark or a word of these, or a text is wrapped; most sentences have none. */
const MARKS = /[=:%<&\t\r\n]/;
const WORDS = /eyj|-----|bearer|basic|digest|sharedkey|negotiate/i;
/** Of the others, nearly all have none of these words. */
const SUSPICIOUS =
  /sig|key|bearer|basic|digest|passw|passphrase|pwd|secret|token|cookie|credential|authori[sz]ation|eyj|:\/\/|%3a%2f%2f|-----begin|=|%3d|-u |--?pw|--?pass|--?sas/i;

/** Blanks, as they are or URL-encoded. */
const GAP = String.raw`(?:\s|%20|\+){0,20}`;
/** Between a name and its value: `=`, `:`, `=>`, URL-encoded once or twice, with quotes of JSON inside JSON. */
const IS = String.raw`\\{0,16}(?:["']|%22|%27)?${GAP}(?:=>|[=:]|%(?:25){0,2}3[ad])${GAP}`;
/** A value: in quotes up to the closing one, else up to a blank or separator. One masked already stays. */
const VALUE = String.raw`(?!${GAP}\\{0,16}(?:"{0,4}|')\[redacted\])(?:\\{1,16}"[^"\\]{1,4000}|"{1,4}[^"]{1,4000}|\\{0,16}'[^']{1,4000}|[^\s"';&<>]{1,4000})`;

const NAMES = [
  String.raw`\w{0,40}(?:shared[_-]?access[_-]?key|account[_-]?key|passw(?:or)?d|passphrase|secret)`,
  '(?:primary|secondary|symmetric|access|private|master|host|function|functions|api|subscription|encryption|device)[_-]?key(?:[_-]?[12])?',
  'sig',
  '(?:x-amz-)?signature',
  'pwd',
  String.raw`pass(?=\s?(?:=|%3d))`,
  '(?:access|refresh|id|sas|auth|security|session|bearer|device|user)[_-]?token',
  'client[_-]?assertion',
].join('|');

type Mask = readonly [pattern: RegExp, replace: (...groups: string[]) => string, ofLines?: true];

const masks: readonly Mask[] = [
  [/-----BEGIN(?:[A-Z0-9 +]|%20){0,40}KEY-----[\s\S]*?(?:-----END(?:[A-Z0-9 +]|%20){0,40}KEY-----|$)/g, () => MASK],
  // Its parameters are in quotes of their own.
  [
    /\b(digest)(\s{1,20})(?=(?:username|realm|nonce|cnonce|uri|response|qop|algorithm|opaque)\s?=)[^\r\n]{1,4000}/gi,
    (_all, scheme = '', gap = '') => `${scheme}${gap}${MASK}`,
    true,
  ],
  // A header in double quotes, whatever is in it: its value may hold the other kind.
  [
    new RegExp(
      String.raw`\b((?:proxy-)?authorization|(?:set-)?cookie)(${IS})(\\{0,16}")(?!${GAP}\[redacted\])[^"\r\n\\]{1,4000}`,
      'gi',
    ),
    (_all, name = '', is = '', quote = '') => `${name}${is}${quote}${MASK}`,
    true,
  ],
  [
    /\b(response=\\{0,16}")(?!\[redacted\])[^"\\\r\n]{8,200}/gi, // of Digest, where a console wrapped the line
    (_all, before = '') => before + MASK,
  ],
  // Scheme and credentials, as far as they are in one piece once wraps are taken out.
  [
    new RegExp(
      String.raw`\b((?:proxy-)?authorization)(${IS})(\\{0,16}["']?)(?!${GAP}\\{0,16}["']?\s{0,20}\[redacted\])(?:(?:bearer|basic|digest|sharedkey(?:lite)?|sharedaccesssignature)\s{0,20}|[\w-]{1,40}\s{1,20})?[^\s"'\\]{1,4000}`,
      'gi',
    ),
    (_all, name = '', is = '', quote = '') => `${name}${is}${quote}${MASK}`,
  ],
  // The whole header, whatever its scheme; up to the end of the line or of the quotes.
  [
    new RegExp(
      String.raw`\b((?:proxy-)?authorization|(?:set-)?cookie)(${IS})(\\{0,16}["']?)(?!${GAP}\\{0,16}["']?\s{0,20}\[redacted\])([^"'\r\n\\]{1,4000})`,
      'gi',
    ),
    (_all, name = '', is = '', quote = '') => `${name}${is}${quote}${MASK}`,
    true,
  ],
  // The first of them, where a console wrapped the line.
  [
    new RegExp(String.raw`\b((?:set-)?cookie)(${IS})(?!${GAP}\\{0,16}["']?\[redacted\])([^\s"'\\;]{1,4000})`, 'gi'),
    (_all, name = '', is = '') => `${name}${is}${MASK}`,
  ],
  [
    new RegExp(String.raw`((?:<|&lt;)(?:\w{1,40}:)?(?:${NAMES})(?:>|&gt;))(?!\[redacted\])[^<&]{1,4000}`, 'gi'),
    (_all, before = '') => before + MASK,
  ],
  // Options of a command line, also as a list of them in quotes.
  [
    /((?:^|\s)(?:-u|--user|--proxy-user)[ =]["']?[^\s:"']{1,200}:)(?!\[redacted\])[^\s"']{1,400}/gi,
    (_all, before = '') => before + MASK,
  ],
  [
    /((?:^|[\s"'])--?(?:pw|pass(?:word|phrase)?|sas(?:-token)?|token|secret|(?:(?:primary|secondary|symmetric|account)-)?key)(?:\s{1,4}|["'],\s?)["']?)(?!\[redacted\]|to\b|-)[^\s"']{3,4000}/gi,
    (_all, before = '') => before + MASK,
  ],
  [
    new RegExp(`((?:^|[^a-z0-9]|%(?:25){0,2}[0-9a-f]{2}|[?&_-]|x-ms-|iothub-)(?:${NAMES})${IS})(${VALUE})`, 'gi'),
    (_all, before = '', value = '') => `${before}${/^\\*(?:"{1,4}|')/.exec(value)?.[0] ?? ''}${MASK}`,
  ],
  // A key or token under a plain name, where the value looks like one.
  [
    new RegExp(
      String.raw`((?:\b(?:(?!partition|routing)\w{0,40}key|token|credentials?)\d?|(?:[?&]|%3f|%26)code)${IS}\\{0,16}["']?)([A-Za-z0-9+/_=.%-]{16,2000})`,
      'gi',
    ),
    (all, before = '', value = '') => (/\d/.test(value) ? before + MASK : all),
  ],
  [
    /(?<![a-z])(bearer|digest|sharedkey(?:lite)?|negotiate)((?:\s|%20|\+|:){1,20})(?!\[redacted\])([^\s"'<>,;]{3,4000})/gi,
    (all, scheme = '', gap = '', value = '') => (PROSE.test(value) ? all : `${scheme}${gap}${MASK}`),
  ],
  [
    /\b(basic)((?:\s|%20|\+|:){1,20})([A-Za-z0-9+/_-]{4,4000}(?:={0,2}|(?:%3d){0,2}))/gi,
    (all, scheme = '', gap = '', value = '') => (isEncoded(value) ? `${scheme}${gap}${MASK}` : all),
  ],
  [/(?<![\w-])[\w-]{0,60}?eyJ[A-Za-z0-9_-]{4,2000}(?:(?:\.|%2e)[A-Za-z0-9_-]{2,2000}){1,4}/g, () => MASK],
  // User information with a slash in it, as keys have: up to the last @ that a host stands behind.
  [
    /\b([a-z][a-z0-9+.-]{1,20}:\/\/)(?!\[redacted\]@)[^\s"'<>/:@]{1,200}:(?!\d{1,5}[/?#])[^\s"'<>]{1,400}@(?=[\w.-]{1,200}(?::\d{1,5})?(?![\w.@-]))/gi,
    (_all, scheme = '') => `${scheme}${MASK}@`,
  ],
  [
    /\b([a-z][a-z0-9+.-]{1,20}%3a%2f%2f)(?!\[redacted\]%40)(?:(?!%2f|%3f|%40)[^\s"'<>&]){1,700}%40/gi,
    (_all, scheme = '') => `${scheme}${MASK}%40`,
  ],
  // User information: up to the last @ before the path, since a password may hold one.
  [
    /\b([a-z][a-z0-9+.-]{1,20}(?::|%3a)(?:\/\/|%2f%2f))(?!\[redacted\]@)[^\s/"'<>]{1,700}@/gi,
    (_all, scheme = '') => `${scheme}${MASK}@`,
  ],
  // 32 or 64 bytes in base64: what keys of devices, hubs and storage accounts look like.
  [
    /(^|[^A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])/g,
    (_all, before = '') => before + MASK,
  ],
];

/** What follows `Bearer` in prose rather than in a header. */
const PROSE =
  /^(?:tokens?|auth\w*|credentials?|schemes?|headers?|realm\b.{0,4000}|challenge|error\w*|was|is|in|and|or|of|for|not|required|missing|expired|invalid)[.:!?)]?$/i;

/** Base64 shows by a digit, a change of case inside, or padding; a word of prose has none. */
function isEncoded(value: string): boolean {
  return /[0-9+/=%]|[a-z][A-Z]/.test(value);
}

/**
 * Mask what must not be logged. Idempotent; a text without secrets comes back as it is, of a very
 * long one (above 64 KiB) the beginning.
 */
export function redact(given: string): string {
  return isPlain(given) ? given : redactMarked(given);
}

/** Is it one line without a mark of any secret? Found out faster than what else there is to do. */
export function isPlain(text: string): boolean {
  return text.length <= MAX_TEXT && !MARKS.test(text) && !WORDS.test(text) && !hasOption(text);
}

/** An option of a command line, as `-u` and `--key`. */
function hasOption(text: string): boolean {
  return text.startsWith('-') || text.includes(' -');
}

function redactMarked(given: string): string {
  const text = given.length > MAX_TEXT ? `${given.slice(0, MAX_TEXT - 1)}…` : given;
  const unwrapped = text.includes('\n') ? redactWrapped(text) : text;
  return SUSPICIOUS.test(unwrapped) ? maskAll(unwrapped) : unwrapped;
}

function maskAll(text: string): string {
  let masked = text;
  for (const [pattern, replace] of masks) masked = masked.replace(pattern, replace);
  return masked;
}

const WRAP = /[ \t]{0,400}\r?\n[ \t]{0,400}/g;

type Range = [start: number, end: number];

/**
 * A console that wraps lines cuts names and values in two: look at the text as it is, and with the
 * wraps taken out, and mask what either look finds.
 */
function redactWrapped(text: string): string {
  const flat = text.replace(WRAP, '');
  if (!SUSPICIOUS.test(flat)) return text;
  const at = positions(text);
  const across = rangesIn(flat, true).map(
    ([start, end]): Range => [at[start] ?? 0, (at[end - 1] ?? text.length - 1) + 1],
  );
  return maskRanges(text, [...rangesIn(text, false), ...across]);
}

/** What the masks would cover, found in the text as it was before any of them. */
function rangesIn(text: string, withoutLines: boolean): Range[] {
  const ranges: Range[] = [];
  for (const [pattern, replace, ofLines] of masks) {
    if (ofLines && withoutLines) continue;
    for (const match of text.matchAll(pattern)) {
      const masked = replace(...match);
      if (masked === match[0]) continue;
      const start = masked.indexOf(MASK);
      const after = masked.length - start - MASK.length;
      ranges.push([match.index + start, match.index + match[0].length - after]);
    }
  }
  return ranges;
}

/** Where each character of the text without wraps stands in the text. */
function positions(text: string): readonly number[] {
  const at: number[] = [];
  let from = 0;
  for (const match of text.matchAll(WRAP)) {
    for (; from < match.index; from++) at.push(from);
    from = match.index + match[0].length;
  }
  for (; from < text.length; from++) at.push(from);
  return at;
}

/** Ranges that touch or overlap become one mask. */
function maskRanges(text: string, ranges: readonly Range[]): string {
  let masked = '';
  let done = -1;
  for (const [start, end] of [...ranges].sort(([a], [b]) => a - b)) {
    if (start > done) masked += text.slice(Math.max(done, 0), start) + MASK;
    done = Math.max(done, end);
  }
  return masked + text.slice(Math.max(done, 0));
}
