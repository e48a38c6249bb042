import { inspect } from 'node:util';
import { createCredentials, rules } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { unauthorized } from '../support/faults.ts';

const context = () => ({ error: unauthorized(), attempt: 1 });

test('whoever asks while somebody asks already gets the same answer', async () => {
  let asked = 0;
  const credentials = createCredentials(async () => ({ password: `fresh ${++asked}` }));
  const both = await Promise.all([credentials.refresh(context()), credentials.refresh(context())]);
  expect(both).toEqual([{ password: 'fresh 1' }, { password: 'fresh 1' }]);
  expect(await credentials.refresh(context())).toEqual({ password: 'fresh 2' });
});

test('a provider that fails, throws or takes too long is a typed error without its secret', async () => {
  const clock = new FakeClock();
  const secret = 'SharedAccessSignature sr=hub&sig=c2VjcmV0c2VjcmV0&se=1';
  let aborted = false;
  const failing = [
    createCredentials(() => Promise.reject(new Error(secret)), { clock }),
    createCredentials(
      () => {
        throw new Error(secret);
      },
      { clock },
    ),
    createCredentials(
      ({ signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            aborted = true;
          });
        }),
      { clock },
    ),
  ];
  const errors = failing.map((credentials) => credentials.refresh(context()).catch((error) => error));
  const start = clock.now();
  for (const error of await clock.until(Promise.all(errors))) {
    expect(error).toMatchObject({ category: 'unauthorized', reason: 'CredentialsUnavailable', executed: 'no' });
    expect(JSON.stringify(error)).not.toContain('c2VjcmV0');
    // As Node prints an uncaught error: with its cause.
    expect(inspect(error) + inspect(error.cause)).not.toContain('c2VjcmV0');
  }
  expect(clock.now() - start).toBe(10_000);
  expect(aborted).toBe(true);
  expect(clock.pending).toBe(0);
});

test('an abort ends the wait of one, not the others', async () => {
  const clock = new FakeClock();
  const credentials = createCredentials(() => new Promise<string>((resolve) => clock.after(50, () => resolve('new'))), {
    clock,
  });
  const controller = new AbortController();
  const one = credentials.refresh({ ...context(), signal: controller.signal }).catch((reason) => reason);
  const other = credentials.refresh(context());
  controller.abort('enough');
  expect(await one).toBe('enough');
  expect(await clock.until(other)).toBe('new');
});

describe('what a provider gives', () => {
  const shape = {
    owner: 'attachMqtt',
    fields: {
      username: rules.string,
      password: rules.either(rules.string, { expected: 'a Buffer', ok: Buffer.isBuffer }),
    },
  };
  const ask = (given: unknown) => createCredentials<object>(() => given as object, { shape }).refresh(context());

  test.each([
    [
      'a token alone',
      'SharedAccessSignature sr=hub&sig=c2VjcmV0c2VjcmV0&se=1',
      'an object { username?, password? }',
      'a string',
    ],
    ['a short secret', 'hunter2', 'an object { username?, password? }', 'a string'],
    ['bytes alone', Buffer.from('hunter2'), 'an object { username?, password? }', 'an object with none of these'],
    ['a list', ['device', 'hunter2'], 'an object { username?, password? }', 'an array'],
    ['a function', () => 'hunter2', 'an object { username?, password? }', 'a function'],
    ['other fields', { sasToken: 'hunter2' }, 'an object { username?, password? }', 'an object with none of these'],
    ['a field of another type', { password: { value: 'hunter2' } }, 'a string or a Buffer as password', 'an object'],
    ['a field that is null', { username: null }, 'a string as username', 'null'],
  ])('%s is refused by name, without its value', async (_, given, expected, got) => {
    const error = await ask(given).catch((reason) => reason);
    const text = `attachMqtt: option credentials: expected it to give ${expected}, got ${got}`;
    expect(error).toMatchObject({ reason: 'CredentialsUnavailable', advice: 'backoff', executed: 'no', detail: text });
    expect(error.cause).toEqual(new TypeError(text));
    expect(inspect(error) + inspect(error.cause) + JSON.stringify(error)).not.toMatch(/hunter2|c2VjcmV0/);
  });

  test('one whose getter throws is a provider that fails', async () => {
    const hostile = {
      get password() {
        throw new Error('hunter2');
      },
    };
    const error = await ask(hostile).catch((reason) => reason);
    expect(error).toMatchObject({ reason: 'CredentialsUnavailable', detail: 'the provider failed' });
  });

  test.each([undefined, null])('%s: there are no others', async (given) => {
    expect(await ask(given)).toBeUndefined();
  });

  test.each([{}, { password: 'new', username: undefined }, { password: Buffer.from('new'), expiresAt: 1 }])(
    '%j is taken as it is',
    async (given) => {
      expect(await ask(given)).toBe(given);
    },
  );
});
