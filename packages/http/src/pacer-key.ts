import type { InternalAxiosRequestConfig } from 'axios';

const READS: ReadonlySet<string> = new Set(['get', 'head', 'options', 'query']);

/**
 * Host, read or write, first segment of the path: a cloud throttles its registry, its twins and
 * its telemetry apart. Nothing of the query or of credentials in the URL, since pacers show their
 * keys. By hand, since `new URL` takes as long as all the rest of a request that succeeds.
 */
export function pacerKeyOf({ baseURL, url = '', method = 'get' }: InternalAxiosRequestConfig): string {
  const whole = !baseURL || ABSOLUTE.test(url);
  const from = whole ? url : baseURL;
  const path = pathOf(from);
  const authority = from.slice(path.at, path.from);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const segment = segmentOf(from, path.from) || (whole ? '' : segmentOf(url, 0));
  return `http ${host} ${READS.has(method.toLowerCase()) ? 'read' : 'write'} ${segment}`;
}

/** Scheme and authority, to compare. Empty where there is none, as in a browser. */
export function originOf({ baseURL, url = '' }: InternalAxiosRequestConfig): string {
  const from = !baseURL || ABSOLUTE.test(url) ? url : baseURL;
  return from.slice(0, pathOf(from).from);
}

/** The path as axios joins it, up to query and fragment. */
export function barePath({ baseURL, url = '', allowAbsoluteUrls }: InternalAxiosRequestConfig): string {
  if (!baseURL || (isAbsolute(url) && allowAbsoluteUrls !== false)) return withoutQuery(url, pathOf(url).from);
  if (baseURL !== lastBase) keepBase(baseURL);
  return url === '' || !joins ? basePath : `${basePath}/${withoutQuery(url, afterSlashes(url, 0))}`;
}

/** Nearly always that of the last one. */
let lastBase: string | undefined;
let basePath = '';
let joins = true;

function keepBase(baseURL: string): void {
  const { from } = pathOf(baseURL);
  const path = withoutQuery(baseURL, from);
  lastBase = baseURL;
  joins = from + path.length === baseURL.length;
  basePath = path.replace(/\/+$/, '');
}

function withoutQuery(url: string, from: number): string {
  for (let at = from; at < url.length; at++) {
    const char = url.charCodeAt(at);
    if (char === QUERY || char === FRAGMENT) return url.slice(from, at);
  }
  return url.slice(from);
}

/** Most are a path: found out without a regular expression. */
function isAbsolute(url: string): boolean {
  const isPath = url.charCodeAt(0) === SLASH && url.charCodeAt(1) !== SLASH;
  return !isPath && ABSOLUTE.test(url);
}

const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?\/\//i;

/**
 * What a URL begins with that another one of the same base and method may begin with too, and have
 * the same key: up to the end of the first segment. `undefined` where that cannot be told so.
 */
export function sharedPrefixOf({ baseURL, url = '' }: InternalAxiosRequestConfig): string | undefined {
  if (baseURL && !ABSOLUTE.test(url)) {
    if (segmentOf(baseURL, pathOf(baseURL).from) || segmentOf(url, 0) === '') return undefined;
    return url.slice(0, segmentEnd(url, 0));
  }
  const { from } = pathOf(url);
  return segmentOf(url, from) === '' ? undefined : url.slice(0, segmentEnd(url, from));
}

/** Does the URL begin with it, up to the end of a segment? */
export function beginsWithSegments(url: string, prefix: string): boolean {
  const { length } = prefix;
  // Not `startsWith`, which takes twice as long.
  return url.slice(0, length) === prefix && (url.length === length || isEnd(url.charCodeAt(length)));
}

/** Where the authority begins and the path. */
function pathOf(url: string): { readonly at: number; readonly from: number } {
  const slashes = url.indexOf('//');
  if (slashes < 0 || !ABSOLUTE.test(url)) return { at: 0, from: 0 };
  return { at: slashes + 2, from: endOf(url, slashes + 2) };
}

/** The first segment, after any number of slashes. */
function segmentOf(path: string, at: number): string {
  const from = afterSlashes(path, at);
  return path.slice(from, endOf(path, from));
}

function segmentEnd(path: string, at: number): number {
  return endOf(path, afterSlashes(path, at));
}

function afterSlashes(path: string, at: number): number {
  let from = at;
  while (path.charCodeAt(from) === SLASH) from++;
  return from;
}

function endOf(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (isEnd(text.charCodeAt(at))) return at;
  return text.length;
}

const SLASH = 47;
const QUERY = 63;
const FRAGMENT = 35;

function isEnd(char: number): boolean {
  return char === SLASH || char === QUERY || char === FRAGMENT;
}
