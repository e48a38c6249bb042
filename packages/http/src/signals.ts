import type { Attempt } from '@faultmap/core/adapter';
import type { CancelToken } from 'axios';
import type { MarkedConfig } from './adapter.ts';

/** How the caller may cancel, as one signal: axios knows AbortSignals and its own cancel tokens. */
export interface CallerSignal {
  readonly signal: AbortSignal | undefined;
  /** Take the listeners off again. */
  release(): void;
}

export function callerSignal({ signal, cancelToken }: MarkedConfig): CallerSignal {
  // axios takes anything that looks like a signal; one that cannot be listened to ends no wait
  const own = typeof signal?.addEventListener === 'function' ? (signal as AbortSignal) : undefined;
  if (!cancelToken) return { signal: own, release() {} };
  const controller = new AbortController();
  const abort = () => controller.abort(own?.aborted ? own.reason : (cancelToken as CancelToken).reason);
  if (own?.aborted) abort();
  else own?.addEventListener('abort', abort, { once: true });
  cancelToken.subscribe(abort);
  return {
    signal: controller.signal,
    release() {
      own?.removeEventListener('abort', abort);
      cancelToken.unsubscribe(abort);
    },
  };
}

/**
 * Let a repeat be cut at the deadline: its config carries both signals. The caller's own stays in
 * it, since that of the attempt ends with the answer's head, and a stream may be cancelled later.
 */
export function carrySignal(config: MarkedConfig, own: MarkedConfig['signal'], attempt: Attempt): void {
  const { signal } = attempt;
  if (attempt.number === 1 || signal === undefined || signal === own) return;
  config.signal = own instanceof AbortSignal ? AbortSignal.any([own, signal]) : signal;
}

/** Give the config back as it was: axios asks `config.signal` whether the caller cancelled. */
export function restoreSignal(config: MarkedConfig, own: MarkedConfig['signal']): void {
  if (own === undefined) delete config.signal;
  else config.signal = own;
}
