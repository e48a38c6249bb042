import { type Evidence, type EvidenceFields, evidence } from '../evidence.ts';
import { MAX_TEXT } from '../limits.ts';
import { attempt } from '../shape.ts';
import { payloadFields } from './http.ts';
import { readPayload } from './payload.ts';
import { retryAfterInProse } from './retry-after.ts';
import { codeInText, statusInText, timestampInText } from './text-parts.ts';
import { trackingIdIn } from './tracking-id.ts';

/** Read a text: a message of an SDK, a log line, a body. Never throws. */
export function readText(given: string): Evidence | undefined {
  return attempt(() => {
    const text = given.length > MAX_TEXT ? given.slice(0, MAX_TEXT) : given;
    const payload = readPayload(text);
    const fields: EvidenceFields = {
      ...payloadFields(payload),
      textCode: codeInText(text),
      answerStatus: statusInText(text),
      trackingId: payload.trackingId ?? trackingIdIn(text),
      timestamp: payload.timestamp ?? timestampInText(text),
      retryAfterMs: retryAfterInProse(text),
      text: payload.text ?? text,
    };
    return evidence(fields);
  });
}
