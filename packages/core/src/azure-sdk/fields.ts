import { rowOfName } from '../catalogue/indexes.ts';
import { builtInCatalogues } from '../catalogues.ts';
import type { EvidenceFields } from '../evidence.ts';
import { MAX_DEPTH, MAX_TEXT } from '../limits.ts';
import { attempt, get, getString, isObject } from '../shape.ts';
import { statusOfPhrase } from '../wire/text-parts.ts';
import { trackingIdOf } from '../wire/tracking-id.ts';

/* What exceptions of the SDKs keep as fields, in the spellings of Node, .NET, Java and Python. */

const CODES = ['errorCode', 'ErrorCode', 'Code', 'code'] as const;
const IDS = ['trackingId', 'TrackingId'] as const;
const STATUSES = ['statusCode', 'StatusCode', 'status_code'];
/** An answer's own name for it; on an exception it may be anything. */
export const ANSWER = [...STATUSES, 'status'];
/** What an error was made of, or the answer it was made of. */
const INNER = [
  'InnerException',
  'InnerExceptions',
  'innerException',
  'amqpError',
  'transportError',
  'innerError',
  'cause',
  'responseBody',
  'Body',
] as const;
const MAX_INNER = 16;

/** Number, name and tracking id in fields of their own. .NET's `InvalidErrorCode` is none. */
export function labelsOf(input: object): EvidenceFields {
  const values = CODES.map((key) => get(input, key));
  const payloadCode = values.map(codeOf).find((code) => code !== undefined);
  const payloadName = values.find(
    (value): value is string => typeof value === 'string' && (rowOfName(value, builtInCatalogues)?.code ?? 0) >= 1000,
  );
  const trackingId = IDS.map((key) => trackingIdOf(get(input, key))).find((id) => id !== undefined);
  return {
    ...(payloadCode !== undefined && { payloadCode }),
    ...(payloadName !== undefined && { payloadName }),
    ...(trackingId !== undefined && { trackingId }),
  };
}

/** Six digits, as a number or a text: a shorter one is a status or a number of the system. */
function codeOf(value: unknown): number | undefined {
  return (typeof value === 'number' || typeof value === 'string') && /^[1-9]\d{5}$/.test(String(value))
    ? Number(value)
    : undefined;
}

/** The status of an answer, as a number or, in .NET, a phrase. */
export function statusOf(holder: unknown, keys: readonly string[] = STATUSES): number | undefined {
  for (const key of keys) {
    const value = get(holder, key);
    if (typeof value === 'number') return value;
    const status = typeof value === 'string' ? statusOfPhrase(value) : undefined;
    if (status !== undefined) return status;
  }
  return undefined;
}

/** Messages and classes of what an error was made of, and the answer's body; DPS keeps that in `result`. */
export function innerTexts(input: object): string[] {
  const texts: string[] = [];
  collect(input, 0, texts);
  const result = get(input, 'result');
  const body =
    typeof result === 'string' ? result : isObject(result) ? attempt(() => JSON.stringify(result)) : undefined;
  if (body?.includes('errorCode')) texts.push(body.slice(0, MAX_TEXT));
  return texts;
}

function collect(holder: object, depth: number, texts: string[]): void {
  if (depth > MAX_DEPTH) return;
  for (const key of INNER) {
    const value = get(holder, key);
    for (const inner of Array.isArray(value) ? value.slice(0, MAX_INNER) : [value]) {
      if (texts.length >= MAX_INNER) return;
      if (typeof inner === 'string' && inner !== '') texts.push(inner);
      if (!isObject(inner)) continue;
      const type = getString(inner, 'Type') ?? getString(inner, 'name');
      const message = getString(inner, 'Message') ?? getString(inner, 'message') ?? getString(inner, 'description');
      if (type ?? message) texts.push(`${shortName(type ?? '')}: ${message ?? ''}`);
      collect(inner, depth + 1, texts);
    }
  }
}

/** `Microsoft.Azure.Devices.Client.Exceptions.UnauthorizedException` → its last part. */
export function shortName(name: string): string {
  return /^[\w.+`]+$/.test(name) ? name.slice(name.lastIndexOf('.') + 1) : name;
}
