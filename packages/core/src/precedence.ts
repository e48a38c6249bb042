import type { Catalogue } from './catalogue/types.ts';
import type { Category } from './categories.ts';
import type { ErrorFields } from './error.ts';
import type { EvidenceFields } from './evidence.ts';

export interface Verdict {
  readonly category: Category;
  readonly fields: ErrorFields;
}

/** Frame only: the ordered list of design comes with the full classification. */
export function judge(seen: EvidenceFields, catalogues: readonly Catalogue[]): Verdict {
  const code = seen.payloadCode ?? seen.textCode;
  for (const { rows, texts } of catalogues) {
    for (const row of rows) {
      if (row.code !== code && row.reason !== seen.payloadName) continue;
      return {
        category: row.category,
        fields: {
          ...common(seen),
          code: row.code,
          reason: row.reason,
          advice: row.advice,
          executed: row.executed,
          appliesTo: row.scope,
          texts: texts?.[row.code],
        },
      };
    }
  }
  if (seen.httpStatus === 429)
    return {
      category: 'throttled',
      fields: { ...common(seen), reason: 'Unlisted', advice: 'throttled', executed: 'no' },
    };
  if ((seen.httpStatus ?? 0) >= 500)
    return { category: 'server', fields: { ...common(seen), reason: 'Unlisted', advice: 'backoff' } };
  if (seen.systemCode)
    return {
      category: 'network',
      fields: { ...common(seen), reason: seen.systemCode, advice: 'backoff', executed: seen.executed ?? 'unknown' },
    };
  return {
    category: 'unknown',
    fields: { ...common(seen), reason: 'Unlisted', advice: 'never', executed: seen.executed ?? 'unknown' },
  };
}

function common(seen: EvidenceFields): Omit<ErrorFields, 'reason' | 'advice' | 'executed'> {
  return {
    httpStatus: seen.httpStatus,
    transport: seen.transport,
    scope: seen.scope,
    condition: seen.condition,
    reasonCode: seen.reasonCode,
    retryAfterMs: seen.retryAfterMs,
    candidates: seen.candidates,
    serverReference: seen.serverReference,
    trackingId: seen.trackingId,
    timestamp: seen.timestamp,
    detail: seen.text,
    cause: seen.cause,
  };
}
