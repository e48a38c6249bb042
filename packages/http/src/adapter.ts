import axios, {
  type AxiosAdapter,
  type AxiosPromise,
  type AxiosRequestConfig,
  type InternalAxiosRequestConfig,
} from 'axios';

/** An adapter as axios takes it: a name, a function, a list of them. */
export type AdapterOption = AxiosRequestConfig['adapter'];

/** What takes a request over from axios: the attachment whose mark its config carries. */
export interface Sender {
  /** The adapter with this attachment's retry around it. */
  wrap(adapter: AdapterOption): (config: MarkedConfig) => AxiosPromise;
}

/**
 * On a config: who takes it over; once that is done, whatever it keeps there. Enumerable, so that
 * it survives interceptors that copy the config, and of this copy of the package: the wrap of
 * another one lets it pass.
 */
export const MARK: unique symbol = Symbol('faultmap.http.mark');
const WRAPPED: unique symbol = Symbol('faultmap.http.adapter');

export type MarkedConfig = InternalAxiosRequestConfig & { [MARK]?: unknown };

/**
 * Wrap an adapter so that requests of attached instances are repeated in it, below interceptors and
 * transforms. Other requests pass. For adapters given per request, which `attachHttp` cannot reach:
 *
 * @example client.get(url, { adapter: wrapAdapter('fetch') })
 *
 * @returns the wrap; what is wrapped already as it is, since attempts would multiply
 */
export function wrapAdapter(adapter: AdapterOption): AxiosAdapter {
  if (isWrapped(adapter)) return adapter;
  return markWrapped((config: MarkedConfig) => passOn(adapter, config));
}

/** Hand a request to the attachment whose mark it carries; without one to the adapter itself. */
export function passOn(adapter: AdapterOption, config: MarkedConfig): AxiosPromise {
  const mark = config[MARK];
  return isSender(mark) ? mark.wrap(adapter)(config) : resolveAdapter(adapter, config)(config);
}

export function isWrapped(adapter: AdapterOption): adapter is AxiosAdapter {
  return typeof adapter === 'function' && WRAPPED in adapter;
}

export function markWrapped(adapter: AxiosAdapter): AxiosAdapter {
  return Object.assign(adapter, { [WRAPPED]: true });
}

/** As axios does it for `config.adapter`. */
export function resolveAdapter(adapter: AdapterOption, config: MarkedConfig): AxiosAdapter {
  return typeof adapter === 'function' ? adapter : axios.getAdapter(adapter ?? axios.defaults.adapter, config);
}

function isSender(mark: unknown): mark is Sender {
  return typeof (mark as Sender | undefined)?.wrap === 'function';
}
