import type { AxiosHeaders, InternalAxiosRequestConfig } from 'axios';

/** RFC 9110, 9.2.2, and QUERY, which only reads. */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PUT', 'DELETE']);

/**
 * May this request run twice without harm, by what HTTP says? By its method, or by an `If-Match`
 * with an entity tag: the first execution changes the tag, so a second one is refused (412).
 * `If-Match: *` gives no such guarantee.
 */
export function idempotentByHttp(config: InternalAxiosRequestConfig): boolean {
  if (IDEMPOTENT_METHODS.has((config.method ?? 'get').toUpperCase())) return true;
  const tag = headerOf(config, 'if-match');
  return tag !== undefined && tag.trim() !== '*';
}

/**
 * POSTs of Azure IoT that only read, for the option `idempotent`:
 *
 * - `POST /devices/query`: query of twins (IoT Hub)
 * - `POST /configurations/testQueries`: tries a configuration's queries (IoT Hub)
 * - `POST /enrollments/query`, `/enrollmentGroups/query`, `/registrations/{group}/query` (DPS)
 * - `POST /enrollments/{id}/attestationmechanism`, `/enrollmentGroups/{id}/attestationmechanism` (DPS)
 * - `POST /{idScope}/registrations/{id}`: status of a registration (DPS, device side)
 */
const READING_POSTS: readonly RegExp[] = [
  /^\/devices\/query$/i,
  /^\/configurations\/testQueries$/i,
  /^\/(enrollments|enrollmentGroups)\/query$/i,
  /^\/registrations\/[^/]+\/query$/i,
  /^\/(enrollments|enrollmentGroups)\/[^/]+\/attestationmechanism$/i,
  /^\/[^/]+\/registrations\/[^/]+$/i,
];

/**
 * For the option `idempotent`: knows the POSTs of Azure IoT Hub and its Device Provisioning
 * Service that only read. Says nothing about the rest (HTTP's own rules hold there).
 *
 * @example attachHttp(axios, { idempotent: azureIotIdempotent })
 */
export function azureIotIdempotent(config: InternalAxiosRequestConfig): boolean | undefined {
  if (config.method?.toUpperCase() !== 'POST') return undefined;
  const path = targetOf(config)?.pathname.replace(/\/+$/, '');
  return path !== undefined && READING_POSTS.some((known) => known.test(path)) ? true : undefined;
}

/** Where the request goes, as axios joins `baseURL` and `url`; `undefined` where that is no URL. */
export function targetOf(config: InternalAxiosRequestConfig): URL | undefined {
  const { baseURL, url = '' } = config;
  const absolute = /^([a-z][a-z\d+\-.]*:)?\/\//i.test(url);
  const joined =
    baseURL && !(absolute && config.allowAbsoluteUrls !== false)
      ? `${baseURL.replace(/\/?\/$/, '')}${url ? `/${url.replace(/^\/+/, '')}` : ''}`
      : url;
  try {
    return new URL(joined, 'http://localhost');
  } catch {
    return undefined;
  }
}

/** One request header. The config of a request in flight has axios' own header object. */
export function headerOf(config: InternalAxiosRequestConfig, name: string): string | undefined {
  const value = (config.headers as AxiosHeaders | undefined)?.get(name);
  return value === undefined || value === null || value === false ? undefined : String(value);
}
