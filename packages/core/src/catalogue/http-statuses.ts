import type { HttpStatusRow, Judgement } from './types.ts';

/*
 * What an HTTP status says when neither a number nor a name is beside it [RFC 9110, 15], and what a
 * number of the cloud says that is in no catalogue: its first three digits are a status, so the
 * families `4xxNNN`, `500xxx`, `503xxx` … are rules and not rows.
 */

const bad = { category: 'bad-request', advice: 'never', executed: 'no' } as const;
const server = { category: 'server', advice: 'backoff', executed: 'unknown' } as const;
const timeout = { category: 'timeout', advice: 'backoff', executed: 'unknown' } as const;
const moved = { category: 'not-found', advice: 'never', executed: 'no' } as const;

export const httpStatusRows = [
  { status: 301, reason: 'MovedPermanently', ...moved },
  { status: 302, reason: 'Found', ...moved },
  { status: 303, reason: 'SeeOther', ...moved },
  { status: 304, reason: 'NotModified', category: 'precondition', advice: 'never', executed: 'no' },
  { status: 307, reason: 'TemporaryRedirect', ...moved },
  { status: 308, reason: 'PermanentRedirect', ...moved },
  { status: 400, reason: 'BadRequest', ...bad },
  { status: 401, reason: 'Unauthorized', category: 'unauthorized', advice: 'renew-credentials', executed: 'no' },
  { status: 402, reason: 'PaymentRequired', category: 'unauthorized', advice: 'never', executed: 'no' },
  { status: 403, reason: 'Forbidden', category: 'unauthorized', advice: 'never', executed: 'no' },
  { status: 404, reason: 'NotFound', category: 'not-found', advice: 'never', executed: 'no' },
  { status: 405, reason: 'MethodNotAllowed', ...bad },
  { status: 406, reason: 'NotAcceptable', ...bad },
  { status: 407, reason: 'ProxyAuthenticationRequired', category: 'unauthorized', advice: 'never', executed: 'no' },
  // Its answer says that the connection was idle or the request too slow to arrive.
  { status: 408, reason: 'RequestTimeout', ...timeout },
  { status: 409, reason: 'Conflict', category: 'conflict', advice: 'never', executed: 'unknown' },
  { status: 410, reason: 'Gone', category: 'not-found', advice: 'never', executed: 'no' },
  { status: 411, reason: 'LengthRequired', ...bad },
  { status: 412, reason: 'PreconditionFailed', category: 'precondition', advice: 'never', executed: 'no' },
  { status: 413, reason: 'ContentTooLarge', ...bad },
  { status: 414, reason: 'UriTooLong', ...bad },
  { status: 415, reason: 'UnsupportedMediaType', ...bad },
  { status: 416, reason: 'RangeNotSatisfiable', ...bad },
  { status: 417, reason: 'ExpectationFailed', ...bad },
  { status: 421, reason: 'MisdirectedRequest', ...moved },
  { status: 422, reason: 'UnprocessableContent', ...bad },
  { status: 423, reason: 'Locked', category: 'conflict', advice: 'backoff', executed: 'no' },
  { status: 424, reason: 'FailedDependency', ...bad },
  { status: 425, reason: 'TooEarly', category: 'throttled', advice: 'backoff', executed: 'no' },
  { status: 426, reason: 'UpgradeRequired', category: 'protocol', advice: 'never', executed: 'no' },
  { status: 428, reason: 'PreconditionRequired', category: 'precondition', advice: 'never', executed: 'no' },
  { status: 429, reason: 'TooManyRequests', category: 'throttled', advice: 'throttled', executed: 'no' },
  { status: 431, reason: 'RequestHeaderFieldsTooLarge', ...bad },
  { status: 451, reason: 'UnavailableForLegalReasons', category: 'unauthorized', advice: 'never', executed: 'no' },
  // The caller went away first: the server may have finished the work.
  { status: 499, reason: 'ClientClosedRequest', ...timeout },
  { status: 500, reason: 'InternalServerError', ...server },
  { status: 501, reason: 'NotImplemented', category: 'server', advice: 'never', executed: 'no' },
  { status: 502, reason: 'BadGateway', ...server },
  { status: 503, reason: 'ServiceUnavailable', ...server },
  { status: 504, reason: 'GatewayTimeout', ...timeout },
  { status: 505, reason: 'HttpVersionNotSupported', category: 'protocol', advice: 'never', executed: 'no' },
  { status: 507, reason: 'InsufficientStorage', ...server },
  { status: 508, reason: 'LoopDetected', category: 'server', advice: 'never', executed: 'unknown' },
  // A captive portal or a gateway asks for a login: the cloud was never reached.
  { status: 511, reason: 'NetworkAuthenticationRequired', category: 'network', advice: 'backoff', executed: 'no' },
  // Gateways' own, in no standard but in every log.
  { status: 522, reason: 'ConnectionTimedOut', category: 'timeout', advice: 'backoff', executed: 'no' },
  { status: 524, reason: 'GatewayTimeout', ...timeout },
  { status: 529, reason: 'SiteOverloaded', category: 'throttled', advice: 'throttled', executed: 'no' },
  { status: 598, reason: 'NetworkReadTimeout', ...timeout },
  { status: 599, reason: 'NetworkConnectTimeout', category: 'timeout', advice: 'backoff', executed: 'no' },
] as const satisfies readonly HttpStatusRow[];

/** Statuses of the same hundred that are in no row. */
const hundreds: Readonly<Record<number, Judgement>> = {
  3: { reason: 'Redirect', ...moved },
  4: { reason: 'Unlisted', ...bad },
  5: { reason: 'Unlisted', ...server },
};

let byStatus: ReadonlyMap<number, Judgement> | undefined;

/** What a status alone says; `undefined` below 300 and above 599. */
export function judgeStatus(status: number): Judgement | undefined {
  byStatus ??= new Map<number, Judgement>(httpStatusRows.map((row) => [row.status, row]));
  return byStatus.get(status) ?? judgeHundred(Math.floor(status / 100));
}

/** What the first digit of a status says: 3, 4 or 5. */
export function judgeHundred(digit: number): Judgement | undefined {
  return hundreds[digit];
}

/**
 * What a number says that is in no catalogue: six digits by their first three, three digits as a
 * status (as the provisioning service writes some). `undefined` for anything else.
 */
export function judgeUnlisted(code: number): Judgement | undefined {
  if (!Number.isInteger(code)) return undefined;
  if (code >= 300 && code <= 599) return judgeStatus(code);
  if (code < 300_000 || code > 599_999) return undefined;
  const judged = judgeStatus(Math.floor(code / 1000));
  return judged && { ...judged, reason: 'Unlisted' };
}
