import { rowOfName } from '../catalogue/indexes.ts';
import type { Catalogue } from '../catalogue/types.ts';
import { builtInCatalogues } from '../catalogues.ts';
import { type Evidence, type EvidenceFields, evidence } from '../evidence.ts';
import { MAX_TEXT } from '../limits.ts';
import { attempt } from '../shape.ts';
import { payloadFields } from './http.ts';
import { readPayload } from './payload.ts';
import { retryAfterInProse } from './retry-after.ts';
import {
  codeInText,
  conditionInText,
  namesInText,
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
    const text = given.length > MAX_TEXT ? given.slice(0, MAX_TEXT) : given;
    return text.trim() === '' ? undefined : evidence(textFields(text));
  });
}

function textFields(text: string): EvidenceFields {
  const payload = readPayload(text);
  const twin = /\bRequest [0-9a-fA-F-]{36} returned status \d{3}\b/.test(text);
  return {
    ...payloadFields(payload),
    payloadName: payload.name ?? /\bErrorCode:\s?([A-Za-z]\w{1,80})/.exec(text)?.[1],
    textCode: codeInText(text),
    textName: namesInText(text).find((name) => isDocumented(name, builtInCatalogues)),
    condition: conditionInText(text),
    answerStatus: statusInText(text),
    systemCode: systemCodeInText(text),
    // The C# SDK's words for an answer on a twin topic; nothing else has a status and no method there.
    ...(twin ? { transport: 'mqtt', scope: 'request' } : {}),
    trackingId: payload.trackingId ?? trackingIdIn(text),
    timestamp: payload.timestamp ?? timestampInText(text),
    retryAfterMs: retryAfterInProse(text),
    text: payload.text ?? text,
  };
}

/** Six digits only: three-digit rows carry phrases of HTTP. */
function isDocumented(name: string, catalogues: readonly Catalogue[]): boolean {
  return (rowOfName(name, catalogues)?.code ?? 0) >= 1000;
}
