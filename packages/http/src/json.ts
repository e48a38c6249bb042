import { AxiosError, type AxiosResponse } from 'axios';
import type { MarkedConfig } from './adapter.ts';
import { parsesItself } from './transforms.ts';

/*
 * A body that should be JSON and is not, under a status that says success: the page of a proxy, half
 * an answer. axios hands such over as a string, and the program finds out later.
 */

/**
 * Is it so? Asked only where axios itself would parse: with its own transform alone, for
 * `responseType: 'json'` or an answer that says it is JSON. An empty body is none, and a part of one
 * need not parse.
 */
export function isGarbled(config: MarkedConfig, response: AxiosResponse): boolean {
  const data: unknown = response?.data;
  if (typeof data !== 'string' || data === '') return false;
  const { responseType } = config;
  if (responseType ? responseType !== 'json' : !saysJson(response.headers)) return false;
  if (response.status < 200 || response.status >= 300 || response.status === PARTIAL_CONTENT) return false;
  return parsesItself(config.transformResponse) && isNoJson(config, data);
}

const PARTIAL_CONTENT = 206;

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

function saysJson(headers: AxiosResponse['headers'] | undefined): boolean {
  const type: unknown = headers?.['content-type'];
  return typeof type === 'string' && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type);
}
