import { type AnyDeviceCloudError, classify, lookup } from '@faultmap/core';
import { everyReader } from './readers.ts';

/*
 * Reading an entry of a log costs some fifty times what looking over it costs, and most entries tell
 * of nothing. What is asked here is less than what reading asks: wherever reading would see a fault,
 * something here is true. Stems are therefore shorter than the phrases they stand for, and words and
 * numbers are asked of the catalogue itself. A test gathers the expressions that reading uses and
 * holds both together.
 */

/** What phrases of faults begin with or hold, in lower case; a blank may be any separator. */
const STEMS = [
  'abort|active[\\W_]*file|alert|already|alternative[\\W_]*(?:dns[\\W_]*)?name|altname|amqp:[a-z]|another|authori[sz]',
  "bad(?!ge)|broken|busy|can['’]t|cancel|cannot|certif|claim|closed|closing|com\\.microsoft:|conflict|connack|could",
  'credential|deadline|denied|disabled|disconnect|dropped|end[\\W_]*of|eof|epipe|epoch|errno|error|exceed|exception|expired',
  'fail|forbid|forcib|gaierror|getaddrinfo|greater|handshake|hang[\\W_]*up|in[\\W_]*use|inactive|incorrect|invalid',
  "lookup|lost|malform|mismatch|missing|n['’]t|no[\\W_]+(?:such|route|connection|ping)|nodename|not(?![eio]|ab|ati|her)|nxdomain",
  'offline|online|paho|pars(?:e|ing)|permission|pingresp|pkix|precond|prematur|queue[\\W_]*(?:is[\\W_]*)?full|quota',
  'rate[\\W_]*(?:limit|is)|reason[\\W_]*code|refus|reject|required|reset|resol|same[\\W_]*device',
  '(?:ssl|tls)[\\W_]+(?:c|f|n|r|s)|suspend|tak(?:en?|ing)[\\W_]*over|terminat|throttl|tim(?:ed|e)?[\\W_]*out|timed',
  'too[\\W_]*(?:many|large|busy)|tracking[\\W_]*id|trust|unable|unaccept|unauth|unavail|unexpect|unknown|unreach',
  'unsupp|violat|waited|wrong|x509',
].join('|');

/** A number with what is written before it: a status, a code of the cloud, a result of a client. */
const LABELLED = [
  String.raw`(?:status|code|return|repl|respon|answer|success|error|with|http(?:\/\d(?:\.\d)?)?)\D{0,40}[345]\d\d(?!\d)`,
  String.raw`(?:code|resulttype)\D{0,10}[45]\d{5}(?!\d)|iothub\d{6}`,
  String.raw`(?:\brc|code|result|state(?:\(\))?)[\W_]{0,6}(?:0x)?-?[1-5](?!\d)`,
  String.raw`status\D{0,20}gone`,
].join('|');
/** A status with what is written around or behind it, and a field of an answer. */
const MARKED = [
  String.raw`(?:--|\{ok,|\/res\/|[\[<>])\W{0,4}[345]\d\d(?!\d)|\([345]\d\d\)`,
  String.raw`(?<!\d)[345]\d\d[\W_]{1,3}(?:status|response|server|client|internal|service|gateway|method)`,
  String.raw`[^\w\s]code[^\w\s]`,
].join('|');

const WORDS_AND_NUMBERS = new RegExp(`${STEMS}|${LABELLED}`);
const MARKS = new RegExp(MARKED);
/** What alone gives a code or a condition, and does not rest on words. */
const CERTAIN =
  /amqp:[a-z]|com\.microsoft:|errorcode|(?:code|error|resulttype)\D{0,10}[45]\d{5}(?!\d)|iothub\d{6}|troubleshoot-error|[^\w\s]code[^\w\s]|tracking[\W_]*id|exceptionmessage|["']message["']|exception/;

/** Names of codes, of exceptions and of members of enumerations; codes of the system. */
const WORD = /\b(?:[A-Za-z]+_[A-Za-z_]*|[A-Z][A-Za-z]+)\b/g;
const NUMBER = /(?<!\d)[45]\d{5}(?!\d)/g;
const ESCAPE = String.fromCharCode(27);
/** What printing did on the way to the log: colours, entities, quotes of tables, JSON in JSON. */
const PRINTED = new RegExp(String.raw`[${ESCAPE}\\“”„]|\[[\d;]*m|""|&#?\w{2,12};`);
const COLOURS = new RegExp(String.raw`(?:${ESCAPE}|\\{1,8}(?:u001b|x1b)|\^\[)?\[[\d;]*m`, 'gi');

/** Whether a text may tell of a fault; of one it does not, `classify` makes nothing. */
export function mayTell(text: string): boolean {
  return inAnySpelling(text, (one) => {
    const lower = one.toLowerCase();
    return WORDS_AND_NUMBERS.test(lower) || MARKS.test(lower) || tells(one, some);
  });
}

/** Whether a text may tell of a fault by more than words and a bare status. */
export function mayTellForCertain(text: string): boolean {
  return inAnySpelling(text, (one) => CERTAIN.test(one.toLowerCase()) || tells(one, certain));
}

/** Escapes stand for a blank, for nothing, or for themselves (`C:\new`). */
function inAnySpelling(text: string, ask: (text: string) => boolean): boolean {
  if (ask(text)) return true;
  if (!PRINTED.test(text)) return false;
  // An escaped letter is none that logs write: it is left to be read.
  if (/\\u(?!00[01])[0-9a-f]{4}/i.test(text)) return true;
  const plain = text
    .replace(COLOURS, '')
    .replaceAll('""', '"')
    .replace(/[“”„]|&#?\w{2,12};/g, '"');
  return (
    ask(plain) ||
    ask(plain.replace(/\\+([bfnrt]|u00[01][0-9a-f])?/gi, (_all, letter) => (letter ? ' ' : ''))) ||
    ask(plain.replaceAll('\\', ''))
  );
}

/** Does a word or number of a text alone tell of something? */
function tells(text: string, verdicts: Verdicts): boolean {
  const telling = (word: string) => verdicts.of(word);
  return (text.match(WORD)?.some(telling) ?? false) || (text.match(NUMBER)?.some(telling) ?? false);
}

/** Words of a log are few, and each is asked about once. */
class Verdicts {
  readonly #known = new Map<string, boolean>();
  readonly #ask: (word: string) => boolean;

  constructor(ask: (word: string) => boolean) {
    this.#ask = ask;
  }

  of(word: string): boolean {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    // Names made up by the thousand must not fill the memory.
    if (this.#known.size >= 10_000) this.#known.clear();
    const verdict = this.#ask(word);
    this.#known.set(word, verdict);
    return verdict;
  }
}

const some = new Verdicts((word) => isCode(word) || says(classify(word, everyReader)));
const certain = new Verdicts((word) => {
  if (isCode(word)) return true;
  const { code, condition, reason } = classify(word, everyReader);
  return code !== undefined || condition !== undefined || /^E[A-Z_]{4,}$/.test(reason);
});

function isCode(word: string): boolean {
  return /^\d/.test(word) && lookup(word)?.kind === 'code';
}

/** Does an error tell of anything? */
export function says(error: AnyDeviceCloudError): boolean {
  return error.category !== 'unknown' || error.code !== undefined || (error.candidates?.length ?? 0) > 0;
}
