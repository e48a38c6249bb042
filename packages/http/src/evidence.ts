import {
  type Evidence,
  type EvidenceFields,
  evidence,
  isCancellation,
  readHttpAnswer,
  readSystemError,
} from '@faultmap/core/adapter';
import { type FailedRequest, type FailedResponse, isFailedRequest, seenStatus, wasReused } from './axios-error.ts';

/**
 * What axios raises → evidence. Pure; says nothing (`undefined`) about what is not axios', about
 * cancellations by the caller and about mistakes of the program, which are no faults of a cloud.
 * Never throws.
 */
export function readHttp(input: unknown): Evidence | undefined {
  try {
    if (!isFailedRequest(input) || isCancellation(input)) return undefined;
    const seen = readFailure(input);
    return seen && evidence({ transport: 'http', ...seen, cause: input });
  } catch {
    return undefined; // a hostile getter or proxy
  }
}

function readFailure(error: FailedRequest): EvidenceFields | undefined {
  return (
    fromAnswer(error) ??
    fromTimeout(error) ??
    fromRedirect(error) ??
    fromOwnLimit(error) ??
    fromBrokenBody(error) ??
    fromConnection(error) ??
    // fetch wraps whatever was thrown on its way, and keeps the name.
    (MISTAKES.has(error.name) ? undefined : { text: error.message })
  );
}

/** A mistake of the program: an invalid URL, a `validateStatus` that throws. By name, across realms. */
const MISTAKES: ReadonlySet<unknown> = new Set([
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'EvalError',
  'URIError',
]);

/** Of an answer refused by its status: what `readHttp` makes of it, but for the cause. */
export function readRefusal({ status, headers, data }: FailedResponse, message: string): Evidence {
  const seen = readHttpAnswer({ status, headers: plain(headers), body: isUnread(data) ? undefined : data });
  // A success that only the program's own validateStatus refuses is no form of the cloud's.
  return seen ?? evidence({ transport: 'http', httpStatus: status, text: message });
}

/** axios' headers keep each one as a property; reading those takes a third of asking by name. */
function plain(headers: object): object {
  const copy = { ...headers };
  for (const _ in copy) return copy;
  return headers; // fetch's own, which have none
}

/**
 * An answer refused by its status. A response on the error is not enough: axios sets one, with
 * status 200, when the body was cut off, could not be unpacked or parsed.
 */
function fromAnswer(error: FailedRequest): EvidenceFields | undefined {
  const { response, cause } = error;
  if (!response) return undefined;
  // fetch of axios 1.7 wraps its own error of the status once more
  const broken = (cause !== undefined && !isFailedRequest(cause)) || response.data === undefined;
  return broken && response.status < 400 ? undefined : readRefusal(response, error.message);
}

/** Streams belong to the application: they are not read here. */
function isUnread(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false;
  const { pipe, getReader, stream } = data as { pipe?: unknown; getReader?: unknown; stream?: unknown };
  return [pipe, getReader, stream].some((method) => typeof method === 'function');
}

/** `ECONNABORTED` is axios' name for its own timer, `ETIMEDOUT` the same unless the system said it. */
function fromTimeout({ code, cause, message }: FailedRequest): EvidenceFields | undefined {
  const system = cause !== undefined && !isFailedRequest(cause) && codeOf(cause) !== undefined;
  const own = code === 'ECONNABORTED' || (code === 'ETIMEDOUT' && !system);
  return own ? { timedOut: 'request', executed: 'unknown', text: message } : undefined;
}

/** Redirects that led nowhere: too many, or to no address. Each hop was answered. */
function fromRedirect(error: FailedRequest): EvidenceFields | undefined {
  const { code, cause, request, message } = error;
  const led =
    code === 'ERR_FR_TOO_MANY_REDIRECTS' ||
    code === 'ERR_FR_REDIRECTION_FAILURE' ||
    // fetch says it in words only; without a request it is the program's own URL that is wrong
    (code === 'ERR_NETWORK' && FETCH_REDIRECTS.test(messageOf(cause))) ||
    (code === 'ERR_NETWORK' && request !== undefined && codeOf(cause) === 'ERR_INVALID_URL');
  if (!led) return undefined;
  const status = seenStatus(error)?.status ?? 302;
  return { ...readHttpAnswer({ status }), text: message };
}

const FETCH_REDIRECTS = /^(redirect count exceeded|URL scheme must be a HTTP)/;

/** What axios refuses by the program's own limits and options: nothing was sent, or the answer was too long. */
function fromOwnLimit(error: FailedRequest): EvidenceFields | undefined {
  const { code, cause, response, message } = error;
  if (response || MISTAKES.has(error.name)) return undefined;
  if (code === 'ERR_NETWORK' && FETCH_REFUSALS.test(messageOf(cause)))
    return { ownLimit: 'request', text: messageOf(cause) };
  if (OWN_REFUSALS.has(code)) return { ownLimit: 'request', text: message };
  if (code !== 'ERR_BAD_RESPONSE' || !TOO_LARGE.test(message)) return undefined;
  const status = seenStatus(error)?.status ?? 0;
  return { ownLimit: 'answer', executed: status >= 200 && status < 300 ? 'yes' : 'unknown', text: message };
}

/** axios 1.7.0 says so of a body that was cut off, too: then its limit is -1, none. */
const TOO_LARGE = /^maxContentLength size of (?!-1 )/;

const OWN_REFUSALS: ReadonlySet<unknown> = new Set([
  'ERR_BAD_REQUEST',
  'ERR_BAD_OPTION',
  'ERR_BAD_OPTION_VALUE',
  'ERR_NOT_SUPPORT',
  'ERR_INVALID_URL',
  'ERR_DEPRECATED',
  'ERR_FORM_DATA_DEPTH_EXCEEDED',
]);

const FETCH_REFUSALS = /^(bad port|unknown scheme)$/;

/** The head of an answer came, the rest did not, or cannot be unpacked: what was asked for has been done. */
function fromBrokenBody(error: FailedRequest): EvidenceFields | undefined {
  const seen = seenStatus(error);
  if (!seen) return undefined;
  if (seen.status >= 400) return readHttpAnswer(seen);
  const system = systemFault(error);
  const executed = seen.status >= 200 && seen.status < 300 ? 'yes' : 'unknown';
  const answered = { httpStatus: seen.status, executed, text: error.message } as const;
  if (isGarbled(error, system)) return { ...answered, brokenAnswer: true };
  return { ...answered, systemCode: system?.systemCode ?? 'ECONNRESET' };
}

/** Did all of it come, and cannot be unpacked or parsed? */
function isGarbled({ cause }: FailedRequest, system: EvidenceFields | undefined): boolean {
  return nameOf(cause) === 'SyntaxError' || String(system?.systemCode).startsWith('Z_');
}

function fromConnection(error: FailedRequest): EvidenceFields | undefined {
  const system = systemFault(error);
  if (system?.systemCode === 'ECONNRESET' && wasReused(error)) return { ...system, reusedConnection: true };
  if (isGarbled(error, system)) return { brokenAnswer: true, executed: 'unknown', text: messageOf(error.cause) };
  if (system) return system;
  // A browser tells nothing but that there was no answer.
  const silent = error.code === 'ERR_NETWORK' && error.cause === undefined;
  return silent ? { silentClose: true, executed: 'unknown', text: error.message } : undefined;
}

/** The fault of socket, DNS or TLS below: the http adapter copies its code, fetch keeps it as cause only. */
function systemFault(error: FailedRequest): EvidenceFields | undefined {
  for (const link of chainOf(error).reverse()) {
    // What undici says where node:http says ECONNRESET ("socket hang up").
    if (codeOf(link) === 'UND_ERR_SOCKET')
      return { systemCode: 'ECONNRESET', executed: 'unknown', text: messageOf(link) };
    const seen = readSystemError(link);
    // A connection that goes during the handshake has carried nothing yet.
    if (seen && IN_HANDSHAKE.test(messageOf(link))) return { ...seen, executed: 'no' };
    if (seen) return seen;
  }
  return undefined;
}

const IN_HANDSHAKE = /before secure TLS connection was established/;

/** The error and its causes, not deeper than anybody nests them. */
function chainOf(error: unknown): unknown[] {
  const chain = [];
  for (let link = error; link && chain.length < 6; link = (link as Error).cause) chain.push(link);
  return chain;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

function nameOf(error: unknown): unknown {
  return (error as { name?: unknown } | null | undefined)?.name;
}

function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : '';
}
