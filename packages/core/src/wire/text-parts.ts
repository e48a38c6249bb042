import { conditionRow, rowOfCode } from '../catalogue/indexes.ts';
import { systemFault } from '../catalogue/system-faults.ts';
import { builtInCatalogues } from '../catalogues.ts';
import type { EvidenceFields } from '../evidence.ts';

/* Numbers, names, times and statuses that prose carries. Every expression is linear. */

/** The ways in which prose says a number of the cloud: a link of the documentation, a label, its name behind it. */
const CODE = new RegExp(
  [
    String.raw`\baka\.ms\/iothub(\d{6})\b`,
    String.raw`\btroubleshoot-error-(?:codes#)?(\d{6})\b`,
    String.raw`error ?code["']? ?[:=]? ?["']?([45]\d{5})\b`, // errorCode=404103, error code 404103
    // Code: 404103, failed with code 404103; an exit code or a postal code is none
    String.raw`(?:(?<![A-Za-z][ _-])|(?<=\b(?:with|status|fault|response|result|failure|hub) ))\bcode["']? ?[:=] ?["']?([45]\d{5})\b`,
    String.raw`\bservice error: ([45]\d{5})\b`, // of the provisioning client for .NET
    String.raw`\bresultType["']? ?[:=] ?["']?([45]\d{5})\b`, // of resource logs
  ].join('|'),
  'i',
);

/** A code that prose names. */
export function codeInText(text: string): number | undefined {
  if (!/\d{6}/.test(text)) return undefined; // as most texts are, and sooner seen
  const found = CODE.exec(text)
    ?.slice(1)
    .find((group) => group !== undefined);
  return found === undefined ? (namedCodeInText(text) ?? listedCodeInText(text)) : Number(found);
}

/** `504101 GatewayTimeout`, `IotHubUnauthorized (401003)`, `400027 Connection forcefully closed on …`: beside its name. */
function namedCodeInText(text: string): number | undefined {
  let seen = 0;
  for (const [found, at] of matches(text, /(?<![\w.-])[45]\d{5}(?![\w.-]\w)/g)) {
    if (++seen > 64) break;
    const row = rowOfCode(Number(found), builtInCatalogues);
    if (row === undefined) continue;
    const before = lettersOf(text.slice(Math.max(0, at - 60), at));
    const after = lettersOf(text.slice(at + 6, at + 90));
    for (const name of [row.reason, ...(row.aliases ?? [])].map(lettersOf))
      if (after.startsWith(name) || before.endsWith(name)) return Number(found);
  }
  return undefined;
}

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '');
}

/** Too loose for any number, so only listed ones count. */
const LISTED_CODE = new RegExp(
  [
    String.raw`\berror: ?([45]\d{5})(?=$|[-,;:.)\r\n] ?(?!\d)| ?[-(])`, // Error: 401003, not authorized
    String.raw`\berror #?([45]\d{5})\b(?![.,:-]?\d| of\b)`, // Error 401003
    String.raw`(?<![\w.,:/#-])([45]\d{5}) error\b`, // a 400027 error
  ].join('|'),
  'i',
);

function listedCodeInText(text: string): number | undefined {
  const found = LISTED_CODE.exec(text)
    ?.slice(1)
    .find((group) => group !== undefined);
  const code = Number(found);
  return found !== undefined && rowOfCode(code, builtInCatalogues) ? code : undefined;
}

const PHRASES: Readonly<Record<string, number>> = {
  'bad request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not found': 404,
  'method not allowed': 405,
  'request timeout': 408,
  conflict: 409,
  gone: 410,
  'precondition failed': 412,
  'request entity too large': 413,
  'unsupported media type': 415,
  'too many requests': 429,
  'internal server error': 500,
  'bad gateway': 502,
  'service unavailable': 503,
  'gateway timeout': 504,
};
const STATUS_OF = new Map(Object.entries(PHRASES).map(([phrase, status]) => [phrase.replaceAll(' ', ''), status]));
/** `Not Found` or `NotFound`. */
const PHRASE = Object.keys(PHRASES).join('|').replaceAll(' ', ' ?');

/** What such a phrase begins with: enough to tell it from a time, and the rest may be cut off. */
const FIRST_WORD = [
  ...new Set(Object.keys(PHRASES).map((phrase) => phrase.split(' ')[0])),
  ...['payload', 'content', 'unprocessable', 'client closed', 'site disabled'],
].join('|');

/** The ways in which logs and clients write an HTTP status. */
const STATUS = new RegExp(
  [
    String.raw`\bstatus(?:[ _-]?code)?(?:\\{0,8}["'])?(?: is| was| of)? ?[:=]? ?[('"]?([1-5]\d\d)\b(?![-.:\d])`, // status: 429, status code (401)
    String.raw`\b(?:reply|http|response)[ _]code(?: is| was)?[:=]? ?([1-5]\d\d)\b`, // server reply code is 403
    String.raw`\b(?:operation|request) (?:returned|failed with):? ([1-5]\d\d)\b`, // HTTP operation returned: 504
    String.raw`\b([1-5]\d\d) (?:(?:status|response) code|response received|error responses|(?:server|client) error)\b`,
    String.raw`\bHTTP(?:\/\d(?:\.\d)?"?)? ([1-5]\d\d)\b`, // HTTP/1.1" 500
    String.raw`\b(?:error code:?|responded with|http error) ([45]\d\d)\b`,
    String.raw`\b([45]\d\d):? (?:unauthorized|forbidden|not found|bad request|internal server error|service unavailable|gateway time-?out|too many requests|conflict|precondition failed|bad gateway|method not allowed)\b`,
    String.raw`\[([1-5]\d\d)(?:[\s>]|\\{1,8}[rnt]){1,200}(?:${FIRST_WORD})\b`, // [401 Unauthorized], perhaps wrapped
    String.raw`\[([45]\d\d)[ \t]{0,200}(?:\r?\n|\\{1,8}[rn])`, // the same, with a prefix on the next line
    String.raw`\(([1-5]\d\d)\) (?:${FIRST_WORD})\b`, // (401) Unauthorized
    String.raw`\bsuccess: ([1-5]\d\d) \(`, // does not indicate success: 503 (
    String.raw`\bsuccess: [A-Za-z]{2,40} \(([1-5]\d\d)\)`, // TooManyRequests (429)
    String.raw`\bcode = ([45]\d\d), (?:desc|body) = `, // of Go clients
    String.raw`\b(?:server|service|hub|api|endpoint) (?:returned|responded|answered)(?: with)?(?: an?)?(?: error)? ([45]\d\d)\b`,
    String.raw`\bserver response: ([1-5]\d\d)\b`, // of a WebSocket upgrade
    String.raw`(?:-->|<--) ([1-5]\d\d) `,
    String.raw`\bhttp response ([45]\d\d)\b`,
    String.raw`\bClientResponseError: ([45]\d\d),`, // aiohttp
    String.raw`Exception\$\w{3,40}: ([45]\d\d)\b`, // Spring
    String.raw`<Response \[([1-5]\d\d)\]>`, // of Python's requests
    String.raw`\b(?:StatusCode)?Error: ([1-5]\d\d)\b(?= (?:- )?(?:[{[]|(?:${FIRST_WORD})\b))`,
    String.raw`\$(?:iothub\/twin|dps\/registrations)\/res\/([1-5]\d\d)\/`, // a topic
    String.raw`\bError:? (4(?:0[0134589]|1[235]|29)|50[0234])\b(?=$|[.,;\r\n])`,
    String.raw`\{ok,([1-5]\d\d),`, // of Erlang's HTTP clients
    String.raw`\b(?:HttpStatusCode: |status[ _]?code[:=]? ?['"]?|status:? ['"])(${PHRASE})\b`,
  ].join('|'),
  'gi',
);

/** `DISCONNECT received, reason code 0x8E`: codes of MQTT 5 from 0x80 up, with the packet they came in. */
const REASON_CODE =
  /\b(connack|disconnect|puback|pubrec|suback|unsuback)\w{0,6}\b[^\r\n]{0,40}?\breason ?code ?[:=]? ?(0x[89a][0-9a-f]|1[2-6]\d)\b/i;

type ReasonCode = Pick<EvidenceFields, 'packet' | 'reasonCode'>;

/** The reason code that prose tells of a packet. */
export function reasonCodeInText(text: string): ReasonCode | undefined {
  const found = /eason|EASON/.test(text) ? REASON_CODE.exec(text) : null;
  if (!found) return undefined;
  const reasonCode = Number(found[2]);
  return reasonCode < 0x80 ? undefined : { packet: found[1]?.toLowerCase() as ReasonCode['packet'], reasonCode };
}

/** Is it no more than the phrase of an HTTP status (`ServiceUnavailable`), as any service writes it? */
export function isStatusPhrase(name: string): boolean {
  return statusOfPhrase(name) !== undefined;
}

/** `Not Found` or `NotFound` → 404. */
export function statusOfPhrase(name: string): number | undefined {
  return STATUS_OF.get(name.replaceAll(' ', '').toLowerCase());
}

/** The first HTTP status in a text that says a failure, as a number or a phrase. */
export function statusInText(text: string): number | undefined {
  if (!/[1-5]\d\d|status/i.test(text)) return undefined;
  for (const match of text.matchAll(STATUS)) {
    const found = match.slice(1).find((group) => group !== undefined) ?? '';
    const status = /^\d/.test(found) ? Number(found) : statusOfPhrase(found);
    if (status !== undefined && status >= 300) return status;
  }
  return undefined;
}

/** `Timestamp:7/13/2025 7:59:20 AM`, `"timestampUtc": …`, `(TrackingID: … Time: …)`. */
export function timestampInText(text: string): string | undefined {
  const ofProvisioning = /\(TrackingID: \S{1,100} Time: ([\dTZ:.+-]{10,40})\)/.exec(text);
  if (ofProvisioning) return ofProvisioning[1];
  return /(?<!-)\btimestamp(?:utc)?["']?\s?[:=]\s?["']?(\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d{2}:\d{2}(?: [AP]M)?|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z?)/i.exec(
    text,
  )?.[1];
}

/** An AMQP condition in prose or a frame log. Keys of the info map look the same, so only known ones count. */
export function conditionInText(text: string): string | undefined {
  for (const [found, at] of matches(
    text,
    /(?:\bamqp:[a-z][a-z-]{2,40}(?::[a-z][a-z-]{2,40})?|\bcom\.microsoft:[a-z][a-z-]{2,60})/g,
  )) {
    // `[com.microsoft:timeout:30]` is a key of a map, not a condition.
    if (text[at - 1] !== '[' && conditionRow(found)) return found;
  }
  return undefined;
}

/** How printed records and frames write the description beside a condition. */
const DESCRIPTION = new RegExp(
  [
    String.raw`description:(?!,info:|\))([^]{1,1000}?)(?:,info:\[|\)(?=$|[\s)]))`, // error(condition:…,description:…,info:[])
    `description ?[=:] ?'([^']{1,1000})'`, // Error{condition=…, description='…', info=null}
    String.raw`"description"\s?:\s?"((?:[^"\\]|\\.){1,1000})"`, // a frame in JSON
    String.raw`\bDescription: ([^]{1,1000}?), Info: `, // Go
    String.raw`\{[a-z.]{1,20}:[a-z:-]{1,60},([^]{1,1000}?),(?:\{|NULL)`, // <- [DETACH]* {0,true,* {…,…,NULL}}
  ].join('|'),
);

/** The peer's own words in a printed AMQP error. */
export function descriptionInText(text: string): string | undefined {
  const match = DESCRIPTION.exec(text);
  return match
    ?.slice(1)
    .find((group) => group !== undefined)
    ?.replace(/\\(["'\\])/g, '$1')
    .trim();
}

/** A code of socket, DNS or TLS as a word. */
export function systemCodeInText(text: string): string | undefined {
  for (const [found] of matches(text, /\b(?:E[A-Z]{3,}|[A-Z]{2,20}_[A-Z_]{3,50})\b/g))
    if (systemFault(found)) return found;
  return undefined;
}

/** Names that any web server, framework or SDK uses; too common to mean a code of this cloud. */
const COMMON: ReadonlySet<string> = new Set([
  'internalservererror',
  'requesttimedout',
  'gatewaytimedout',
  'methodnotallowed',
  'unsupportedmediatype',
  'toomanyrequests',
]);

/** Prose about an error rather than of one: `to avoid DeviceNotOnline`, `if you get …`. */
const ADVICE = /\b(?:if|when|avoid|prevent|handle[sd]?|handling|such as|like|e\.g\.|see)\b[^.:;\n]{0,30}$/i;

/** Words of three humps and more (`DeviceNotOnline`): candidates for a documented name. */
export function namesInText(text: string): readonly string[] {
  const names: string[] = [];
  for (const [found, at] of matches(text, /\b[A-Z][a-z][A-Za-z]{1,80}\b/g)) {
    if (names.length === 64) break;
    if (found.replace(/[^A-Z]/g, '').length < 3 || COMMON.has(found.toLowerCase())) continue;
    if (!ADVICE.test(text.slice(Math.max(0, at - 50), at))) names.push(found);
  }
  return names;
}

function* matches(text: string, pattern: RegExp): Generator<readonly [string, number]> {
  for (const match of text.matchAll(pattern)) yield [match[0], match.index];
}
