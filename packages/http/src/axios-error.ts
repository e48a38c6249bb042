import { guardToJson } from '@faultmap/core/adapter';

/*
 * The shape of what axios raises, read structurally: an instance may be of another copy of axios
 * than the one imported here, and `name` is that of whatever was wrapped.
 */

/** An AxiosError, as far as it is read here. */
export interface FailedRequest {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly cause?: unknown;
  readonly config?: object;
  readonly request?: unknown;
  readonly response?: FailedResponse;
}

export interface FailedResponse {
  readonly status: number;
  readonly headers: object;
  readonly data?: unknown;
}

export function isFailedRequest(value: unknown): value is FailedRequest {
  return typeof value === 'object' && value !== null && (value as { isAxiosError?: unknown }).isAxiosError === true;
}

interface NodeRequest {
  readonly reusedSocket?: boolean;
  readonly res?: { readonly statusCode?: number; readonly headers?: object };
}

/** The last request of a chain of redirects, or the only one. */
function lastRequest(error: FailedRequest): NodeRequest | undefined {
  const request = error.request as (NodeRequest & { _currentRequest?: NodeRequest }) | null | undefined;
  return request?._currentRequest ?? request ?? undefined;
}

/** Had the connection been used before? Then it may have been closed while it idled. http adapter only. */
export function wasReused(error: FailedRequest): boolean {
  return lastRequest(error)?.reusedSocket === true;
}

/** The head of the answer, where one came before the fault, even if axios does not tell. */
export function seenStatus(error: FailedRequest): { readonly status: number; readonly headers: object } | undefined {
  if (error.response) return { status: error.response.status, headers: error.response.headers };
  const res = lastRequest(error)?.res;
  return res?.statusCode === undefined ? undefined : { status: res.statusCode, headers: res.headers ?? {} };
}

/** What axios' own error of an answer refused by its status has, in axios 1.7 and after. */
const OWN_KEYS: ReadonlySet<string> = new Set([
  'message',
  'name',
  'isAxiosError',
  'code',
  'config',
  'request',
  'response',
  'status',
]);
const REFUSAL = /^Request failed with status code \d{3}$/;

/** Of an answer refused by its status, and of nothing else: neither text nor cause of somebody else. */
export function isPlainRefusal(error: unknown): error is FailedRequest & { readonly response: FailedResponse } {
  try {
    if (!isFailedRequest(error)) return false;
    const { message, cause, response } = error;
    if (response?.data === undefined || cause !== undefined || !REFUSAL.test(message)) return false;
    for (const key in error) if (!OWN_KEYS.has(key)) return false;
    return true;
  } catch {
    return false; // a hostile getter or proxy
  }
}

/** Keep the request out of sight of printers and out of `toJSON`; it stays readable in code. `false`: that cannot be done. */
export function hideRequest(error: FailedRequest): boolean {
  return hideKey(error, 'config') && hideKey(error, 'request') && hideKey(error, 'response') && guardToJson(error);
}

const HIDDEN: PropertyDescriptor = { enumerable: false };

function hideKey(error: FailedRequest, key: 'config' | 'request' | 'response'): boolean {
  return !Object.hasOwn(error, key) || Reflect.defineProperty(error, key, HIDDEN);
}
