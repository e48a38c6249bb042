import axios, {
  type AxiosAdapter,
  type AxiosPromise,
  type AxiosRequestConfig,
  type InternalAxiosRequestConfig,
} from 'axios';

/** What takes a request over from axios: the attachment whose mark its config carries. */
export interface Sender {
  send(inner: AxiosAdapter, config: MarkedConfig): AxiosPromise;
}

/**
 * The mark is enumerable, so that it survives interceptors that copy the config, and of this copy
 * of the package: another one's wrap lets it pass.
 */
export const MARK: unique symbol = Symbol('faultmap.http.mark');
const WRAPPED: unique symbol = Symbol('faultmap.http.adapter');

export type MarkedConfig = InternalAxiosRequestConfig & { [MARK]?: Sender | undefined };

/**
 * Wrap an adapter so that requests of attached instances are repeated in it, below interceptors and
 * transforms. Other requests pass. For adapters given per request, which `attachHttp` cannot reach:
 *
 * @example client.get(url, { adapter: wrapAdapter('fetch') })
 *
 * @param adapter - as axios takes it: a name, a function, a list of them
 * @returns the wrap; what is wrapped already as it is, since attempts would multiply
 */
export function wrapAdapter(adapter: AxiosRequestConfig['adapter']): AxiosAdapter {
  if (isWrapped(adapter)) return adapter;
  const wrapped = (config: MarkedConfig): AxiosPromise => {
    const inner = typeof adapter === 'function' ? adapter : axios.getAdapter(adapter ?? axios.defaults.adapter, config);
    const sender = config[MARK];
    if (sender === undefined) return inner(config);
    // Taken off, so that a wrap around this one or inside it does not repeat as well.
    config[MARK] = undefined;
    return sender.send(inner, config);
  };
  return Object.assign(wrapped, { [WRAPPED]: true });
}

function isWrapped(adapter: AxiosRequestConfig['adapter']): adapter is AxiosAdapter {
  return typeof adapter === 'function' && WRAPPED in adapter;
}
