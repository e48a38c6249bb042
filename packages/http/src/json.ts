import { AxiosError, type AxiosResponse, type AxiosResponseTransformer } from 'axios';
import type { MarkedConfig } from './adapter.ts';

/*
 * A body that should be JSON and is not, under a status that says success: the page of a proxy, half
 * an answer. axios hands such over as a string, and the program finds out later.
 */

/**
 * Is it so? Asked only where axios itself would parse: with its own transform alone, for
 * `responseType: 'json'` or an answer that says it is JSON. An empty body is none.
 *
 * @param keep - leave what was parsed in the answer: axios does not parse a second time
 */
export function isGarbled(config: MarkedConfig, response: AxiosResponse, keep: boolean): boolean {
  const data: unknown = response?.data;
  if (typeof data !== 'string' || data === '') return false;
  const { responseType } = config;
  if (responseType ? responseType !== 'json' : !saysJson(response.headers)) return false;
  if (response.status < 200 || response.status >= 300) return false;
  const transform = ownTransformOf(config);
  if (transform === undefined) return false;
  if (!keep) return isNoJson(config, data);
  let parsed: unknown = data;
  try {
    parsed = transform.call(config, data, response.headers as never, response.status);
  } catch {
    // It says so itself where `silentJSONParsing` is off.
  }
  if (parsed === data) return isNoJson(config, data);
  // A string would be parsed once more.
  if (typeof parsed !== 'string') response.data = parsed;
  return false;
}

/** The error that axios makes of it where `silentJSONParsing` is off, without a piece of the body in its text. */
export function garbledError(config: MarkedConfig, response: AxiosResponse): AxiosError {
  const cause = new SyntaxError("the body of the answer is no JSON (responseType 'text' takes it as it is)");
  return AxiosError.from(cause, 'ERR_BAD_RESPONSE', config, response.request, response);
}

function isNoJson({ responseType, transitional }: MarkedConfig, data: string): boolean {
  if (!responseType && transitional?.forcedJSONParsing === false) return false;
  if (data.trim() === '') return false;
  try {
    JSON.parse(data);
    return false; // it was a `parseReviver` that failed
  } catch {
    return true;
  }
}

let lastType: string | undefined;
let lastSays = false;

function saysJson(headers: AxiosResponse['headers'] | undefined): boolean {
  const type: unknown = headers?.['content-type'];
  if (typeof type !== 'string') return false;
  if (type === lastType) return lastSays;
  lastType = type;
  lastSays = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type);
  return lastSays;
}

let lastOwn: unknown;
const others = new WeakSet<object>();

/** What axios comes with, and nothing else: then it is axios that parses, and parses JSON. */
function ownTransformOf({ transformResponse: given }: MarkedConfig): AxiosResponseTransformer | undefined {
  if (!Array.isArray(given) || given.length !== 1) return undefined;
  const [transform] = given;
  if (transform === undefined || !isOwn(transform)) return undefined;
  return transform;
}

/** By its text, since each copy and build of axios has its own: nothing else reads this option. */
function isOwn(transform: AxiosResponseTransformer): boolean {
  if (transform === lastOwn) return true;
  if (others.has(transform)) return false;
  if (!Function.prototype.toString.call(transform).includes('forcedJSONParsing')) {
    others.add(transform);
    return false;
  }
  lastOwn = transform;
  return true;
}
