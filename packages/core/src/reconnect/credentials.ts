import { type Clock, systemClock } from '../clock.ts';
import { type AnyDeviceCloudError, makeError } from '../errors.ts';
import type { OptionRule } from '../options.ts';
import { abortable } from '../retry/endings.ts';
import type { Credentials } from './types.ts';

/** How long a provider of credentials may take. */
const LIMIT_MS = 10_000;

/** Where all connections and operations of an attachment ask for fresh credentials. */
export interface CredentialsGate<T> {
  /**
   * Ask for fresh credentials; who asks while somebody asks already gets the same answer.
   *
   * @returns `undefined`: there are no others
   * @throws a typed error (`CredentialsUnavailable`) when the provider fails or takes more than 10 s;
   *   `signal.reason` when aborted (the provider goes on for the others)
   */
  refresh(context: {
    readonly error: AnyDeviceCloudError;
    readonly attempt: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<T | undefined>;
}

/** What a provider has to give: an object with some of these fields. */
export interface CredentialsShape {
  /** For messages, for instance `attachMqtt`. */
  readonly owner: string;
  readonly fields: Readonly<Record<string, OptionRule>>;
}

export interface CredentialsSetup {
  readonly clock?: Clock | undefined;
  /** What is given is checked against it: else a token that is not where it belongs would count as none. */
  readonly shape?: CredentialsShape | undefined;
}

/**
 * One provider, asked once at a time, with 10 s for each answer: whoever waits for it waits with a
 * connection.
 *
 * @param provider - the user's `credentials` function
 */
export function createCredentials<T>(provider: Credentials<T>, setup: CredentialsSetup = {}): CredentialsGate<T> {
  const clock = setup.clock ?? systemClock;
  let pending: Promise<T | undefined> | undefined;
  return {
    refresh({ error, attempt, signal }) {
      pending ??= ask(provider, { error, attempt }, clock, setup.shape).finally(() => {
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
  shape: CredentialsShape | undefined,
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
      .then((given) => {
        const wrong = shape && mismatch(given, shape);
        if (wrong) reject(unavailable(wrong.message, wrong));
        else resolve(given ?? undefined);
      })
      .catch((cause) => reject(unavailable('the provider failed', cause)));
  });
}

/** Tells types only, no value and no name that is not ours: any of it may be a secret. */
function mismatch(given: unknown, { owner, fields }: CredentialsShape): TypeError | undefined {
  const wrong = (expected: string, got: string) =>
    new TypeError(`${owner}: option credentials: expected it to give ${expected}, got ${got}`);
  if (given === undefined || given === null) return undefined;
  const names = Object.keys(fields);
  const object = `an object { ${names.map((name) => `${name}?`).join(', ')} }`;
  if (typeof given !== 'object' || Array.isArray(given)) return wrong(object, typeOf(given));
  const values = given as Readonly<Record<string, unknown>>;
  if (Object.keys(values).length > 0 && !names.some((name) => name in values))
    return wrong(object, 'an object with none of these');
  for (const [name, rule] of Object.entries(fields))
    if (values[name] !== undefined && !rule.ok(values[name]))
      return wrong(`${rule.expected} as ${name}`, typeOf(values[name]));
  return undefined;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
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
