import { rowOfName } from '../catalogue/indexes.ts';
import type { Catalogue } from '../catalogue/types.ts';
import { builtInCatalogues } from '../catalogues.ts';
import { type Evidence, type EvidenceFields, evidence } from '../evidence.ts';
import { MAX_TEXT } from '../limits.ts';
import { attempt } from '../shape.ts';
import { payloadFields } from './http.ts';
import { type Payload, readPayload } from './payload.ts';
import { plainText } from './plain-text.ts';
import { retryAfterInProse } from './retry-after.ts';
import { scan } from './scan.ts';
import {
  codeInText,
  conditionInText,
  descriptionInText,
  namesInText,
  reasonCodeInText,
  statusInText,
  systemCodeInText,
  timestampInText,
} from './text-parts.ts';
import { trackingIdIn } from './tracking-id.ts';

/**
 * Read a text: a message of an SDK, a log line with JSON in it, a body. Only the first 64 KiB.
 * Never throws.
 *
 * @returns `undefined` for an empty text
 */
export function readText(given: string): Evidence | undefined {
  return attempt(() => {
    const text = plainText(given.length > MAX_TEXT ? given.slice(0, MAX_TEXT) : given);
    return text.trim() === '' ? undefined : evidence(textFields(text));
  });
}

function textFields(text: string): EvidenceFields {
  const payload = payloadOf(text);
  const condition = conditionInText(text);
  const said = (condition && descriptionInText(text)) || text;
  return {
    ...payloadFields(payload),
    payloadName: payload.name ?? /\bErrorCode:\s?([A-Za-z]\w{1,80})/.exec(text)?.[1],
    textCode: codeInText(text),
    textName: nameInText(text),
    condition,
    answerStatus: statusInText(text),
    systemCode: systemCodeInText(text),
    ...twinAnswerIn(text),
    ...reasonCodeInText(text),
    trackingId: payload.trackingId ?? trackingIdIn(text),
    timestamp: payload.timestamp ?? timestampInText(text),
    retryAfterMs: retryAfterInProse(text),
    text: payload.text === undefined || payload.text === text.trim() ? said : payload.text,
  };
}

/** The .NET SDK's words for an answer about a twin, on a topic and on a link: only there a status comes without a method. */
function twinAnswerIn(text: string): EvidenceFields {
  if (/\bRequest [0-9a-fA-F-]{36} returned status \d{3}\b/.test(text)) return { transport: 'mqtt', scope: 'request' };
  return /\bService rejected the message with status: \d{3}\b/.test(text)
    ? { transport: 'amqp', scope: 'request' }
    : {};
}

/** A log record in JSON keeps the body under a name of its own (`msg`, `log`): then it is looked for as in prose. */
function payloadOf(text: string): Payload {
  const payload = readPayload(text);
  if (payload.code !== undefined || payload.name !== undefined || !text.includes('\\"')) return payload;
  const found = scan(text);
  if (found.code === undefined && found.name === undefined) return payload;
  const { trackingId = found.trackingId, timestamp = found.timestamp, text: words = found.text } = payload;
  return { ...payload, code: found.code, name: found.name, trackingId, timestamp, text: words };
}

/** The documented name in a text; of several none, since it tells of more than one fault. */
function nameInText(text: string): string | undefined {
  const names = namesInText(text).filter((name) => isDocumented(name, builtInCatalogues));
  return new Set(names.map((name) => name.toLowerCase())).size === 1 ? names[0] : undefined;
}

/** Six digits only: three-digit rows carry phrases of HTTP. */
function isDocumented(name: string, catalogues: readonly Catalogue[]): boolean {
  return (rowOfName(name, catalogues)?.code ?? 0) >= 1000;
}
