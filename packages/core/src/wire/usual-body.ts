import type { Payload } from './payload.ts';

/*
 * Nearly every fault of the cloud comes in one of three bodies, each always spelt alike (facts: the
 * captures in azure-iot-cli-extension#54, csharp#37, vscode-iot-workbench#590). One expression reads
 * such a body whole, at a fraction of the cost of parsing JSON inside JSON. A body that differs in
 * the least is left to payload.ts, which reads every form; a property test holds the two together.
 */

/** What stands between the quotes of a string without escapes is what it says. */
const PLAIN = String.raw`[^"\\\x00-\x1f]*`;
/** The same without JSON inside. */
const WORDS = String.raw`[^"\\\x00-\x1f{]*`;
/** The usual shapes of a tracking id; see tracking-id.ts for all. */
const ID = String.raw`(?!eyJ)[0-9A-Za-z][0-9A-Za-z-]{31,35}(?:-G:\d{1,3})?(?:-TimeStamp:[\d/]{8,10} \d\d:\d\d:\d\d)?`;

/** An object with a number; `q` is a quote, escaped where the object is in a string. */
function numbered(q: string): string {
  const info = `null|\\{(?:${q}${PLAIN}${q}:${q}${PLAIN}${q})?\\}`;
  return `\\{${q}errorCode${q}:(\\d{6}),${q}trackingId${q}:${q}(${ID})${q},${q}message${q}:${q}(${WORDS})${q}(?:,${q}info${q}:(?:${info}))?,${q}timestampUtc${q}:${q}([\\dT:.Z+-]{10,40})${q}\\}`;
}

const NUMBERED = new RegExp(`^${numbered('"')}$`);
const NESTED = new RegExp(`^\\{"Message":"${numbered(String.raw`\\"`)}"(?:,"ExceptionMessage":"")?\\}$`);
const NAMED = new RegExp(
  `^\\{"Message":"ErrorCode:([A-Za-z]\\w{1,80});(${WORDS})","ExceptionMessage":"Tracking ID:(${ID})"\\}$`,
);

/** Longest body that is tried: these are short, whatever they say. */
const LONGEST = 4000;

/** What the body says if it is one of the three. */
export function readUsualBody(body: string): Payload | undefined {
  if (body.length > LONGEST) return undefined;
  if (body.startsWith('{"errorCode"')) return ofNumbered(NUMBERED.exec(body));
  if (!body.startsWith('{"Message":"')) return undefined;
  return body[12] === '{' ? ofNumbered(NESTED.exec(body)) : ofNamed(NAMED.exec(body));
}

function ofNumbered(found: RegExpExecArray | null): Payload | undefined {
  if (found === null) return undefined;
  const { 1: code, 2: trackingId, 3: text, 4: timestamp } = found;
  return isPlain(text) ? { code: Number(code), trackingId, text, timestamp } : undefined;
}

function ofNamed(found: RegExpExecArray | null): Payload | undefined {
  if (found === null) return undefined;
  const { 1: name, 2: text, 3: trackingId } = found;
  return isPlain(text) ? { name, trackingId, text } : undefined;
}

/** Words, with no blanks around them and none of what payload.ts reads in a text of its own. */
function isPlain(text: string | undefined): text is string {
  if (!text || text.startsWith('<') || text.startsWith('[') || text.startsWith('ErrorCode:')) return false;
  return text.trim() === text && !text.includes("':");
}
