import { type Clock, systemClock } from '../clock.ts';
import { type AnyDeviceCloudError, makeError } from '../errors.ts';
import { abortable } from '../retry/endings.ts';
import type { Credentials } from './types.ts';

/** How long a provider of credentials may take. */
const LIMIT_MS = 10_000;

export interface CredentialsGate<T> {
  /**
   * Ask for fresh credentials; who asks while somebody asks already gets the same answer.
   *
   * @returns `undefined`: there are no others
   * @throws a typed error when the provider fails or takes more than 10 s; `signal.reason` when
   *   aborted (the provider goes on for the others)
   */
  refresh(context: {
    readonly error: AnyDeviceCloudError;
    readonly attempt: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<T | undefined>;
}

/** One provider, asked once at a time. */
export function createCredentials<T>(
  provider: Credentials<T>,
  setup: { readonly clock?: Clock | undefined } = {},
): CredentialsGate<T> {
  const clock = setup.clock ?? systemClock;
  let pending: Promise<T | undefined> | undefined;
  return {
    refresh({ error, attempt, signal }) {
      pending ??= ask(provider, { error, attempt }, clock).finally(() => {
        pending = undefined;
      });
      return abortable(pending, signal);
    },
  };
}

function ask<T>(
  provider: Credentials<T>,
  context: { readonly error: AnyDeviceCloudError; readonly attempt: number },
  clock: Clock,
): Promise<T | undefined> {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(LIMIT_MS, () => {
      const late = unavailable(`the provider took more than ${LIMIT_MS / 1_000} s`, undefined);
      reject(late);
      controller.abort(late);
    });
    // In a promise, so that what the provider throws at once is a rejection too.
    new Promise<T | undefined>((answer) => answer(provider({ ...context, signal: controller.signal })))
      .finally(cancel)
      .then(resolve, (cause) => reject(unavailable('the provider failed', cause)));
  });
}

function unavailable(detail: string, cause: unknown): AnyDeviceCloudError {
  return makeError('unauthorized', {
    reason: 'CredentialsUnavailable',
    advice: 'backoff',
    executed: 'no',
    detail,
    cause,
  });
}
