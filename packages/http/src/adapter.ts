import axios, {
  type AxiosAdapter,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';

/** An adapter as axios takes it: a name, a function, a list of them. */
export type AdapterOption = AxiosRequestConfig['adapter'];

/** What takes a request over from axios: an attachment. */
export interface Sender {
  /** The adapter with this attachment's retry around it. */
  wrap(adapter: AdapterOption): AxiosAdapter;
}

/**
 * On a config whose adapter is not the one of the attached instance itself: who takes it over where
 * it meets a wrap. Enumerable, so that it survives interceptors that copy the config, and of this
 * copy of the package: the wrap of another one lets it pass.
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
  const wrapped = (config: MarkedConfig) => {
    const sender = config[MARK];
    return sender ? takeOver(sender, adapter, config) : resolveAdapter(adapter, config)(config);
  };
  return brand(wrapped);
}

/** Known as wrapped: nobody wraps it again. */
export function brand(adapter: AxiosAdapter): AxiosAdapter {
  return Object.assign(adapter, { [WRAPPED]: true });
}

async function takeOver(sender: Sender, adapter: AdapterOption, config: MarkedConfig): Promise<AxiosResponse> {
  // Off meanwhile, so that a wrap inside this one does not repeat as well.
  config[MARK] = undefined;
  try {
    return await sender.wrap(adapter)(config);
  } catch (error) {
    // For whoever is around this wrap and calls it again.
    config[MARK] = sender;
    throw error;
  }
}

function isWrapped(adapter: AdapterOption): adapter is AxiosAdapter {
  return typeof adapter === 'function' && WRAPPED in adapter;
}

/** As axios does it for `config.adapter`. */
export function resolveAdapter(adapter: AdapterOption, config: MarkedConfig): AxiosAdapter {
  return typeof adapter === 'function' ? adapter : axios.getAdapter(adapter ?? axios.defaults.adapter, config);
}
