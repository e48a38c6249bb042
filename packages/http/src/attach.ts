import type { FaultEventName, FaultListener } from '@faultmap/core';
import { attachOnce, FaultEvents, optionError } from '@faultmap/core/adapter';
import type { AxiosInstance } from 'axios';
import { MARK, wrapAdapter } from './adapter.ts';
import { type AttachHttpOptions, resolveAttachOptions } from './options.ts';
import { intercept } from './rounds.ts';
import { HttpSender } from './sender.ts';

/** What {@link attachHttp} gives. */
export interface HttpAttachment {
  /**
   * - `fault`: each failed attempt, repeated or not
   * - `retry`: before each wait
   * - `give-up`: a request that ends after a fault
   * - `recovered`: a request that succeeds after one
   */
  on(name: FaultEventName, listener: FaultListener): void;
  off(name: FaultEventName, listener: FaultListener): void;
  /** Take everything off again. Requests on their way end as they began. */
  detach(): void;
}

/**
 * Attach to an axios instance, or to the default export: its requests fail with typed errors and
 * are repeated where that is safe. Interceptors, transforms and other adapters stay as they are.
 *
 * - Interceptors registered before see axios' own error, those after it the typed one.
 * - Interceptors and transforms run once, whatever the number of attempts.
 * - `error.response` goes on working; `error.cause` is axios' error.
 * - Instances made by `instance.create()` are not attached.
 *
 * A second call with the same options returns the first handle.
 *
 * @throws TypeError for what is no instance of axios, for options that are not what they should be, or others than the first time
 *
 * @example
 * const client = axios.create({ baseURL: 'https://hub.azure-devices.net', timeout: 10_000 });
 * attachHttp(client, { idempotent: azureIotIdempotent });
 */
export function attachHttp(instance: AxiosInstance, options: AttachHttpOptions = {}): HttpAttachment {
  if (!instance?.interceptors?.request || !instance.defaults)
    throw optionError('attachHttp', 'instance', 'an instance of axios', instance);
  return attachOnce(instance, 'http', options, (release) => wire(instance, options, release));
}

function wire(instance: AxiosInstance, options: AttachHttpOptions, release: () => void): HttpAttachment {
  const events = new FaultEvents();
  const sender = new HttpSender(resolveAttachOptions(options), events);
  const { defaults } = instance;
  const before = defaults.adapter;
  // What is seen from outside, and inherited by instances made of this one: it lets pass.
  const face = wrapAdapter(before);
  defaults.adapter = face;
  const acting = sender.direct(before, face, false);
  const typing = sender.direct(before, face, true);
  // Of the instance, not of its defaults, so that a child made by `create()` does not inherit it.
  const takeOff = intercept(
    instance,
    (config, way) => {
      // A further key costs axios more than all of ours: only where an interceptor may put another adapter in.
      if (config.adapter !== face || way === 'among others') config[MARK] = sender;
      if (config.adapter !== face) return false;
      config.adapter = way === 'short' ? typing : acting;
      return way === 'short';
    },
    (raw) => Promise.reject(sender.typed(raw)),
  );
  let detached = false;
  return {
    on: (name, listener) => events.on(name, listener),
    off: (name, listener) => events.off(name, listener),
    detach() {
      if (detached) return;
      detached = true;
      takeOff();
      // Somebody wrapped ours in the meantime: it stays, and lets pass what is not marked.
      if (defaults.adapter === face) Object.assign(defaults, { adapter: before });
      sender.forget();
      release();
    },
  };
}
