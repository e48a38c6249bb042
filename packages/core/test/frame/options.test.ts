import { resolveOptions, resolveRetryOptions, rules } from '@faultmap/core/adapter';
import { expect, test } from 'vitest';

const defaults = { name: 'none', waitMs: 5 };
const ruleOf = { name: rules.string, waitMs: rules.ms };
const resolve = (given: unknown) => resolveOptions('attach', given as never, defaults, ruleOf);

test('undefined is not given, and nobody else’s object is changed', () => {
  const given = Object.freeze({ name: undefined, waitMs: 7 });
  expect(resolve(given)).toEqual({ name: 'none', waitMs: 7 });
  expect(resolve(undefined)).toEqual(defaults);
  expect(resolve(undefined)).not.toBe(defaults);
});

test('names option, what was expected and what came, and never shows a value that may be a secret', () => {
  const message = (given: unknown) => {
    try {
      resolve(given);
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const secret = 'SharedAccessSignature sr=hub&sig=c2VjcmV0&se=1';
  expect(
    [{ waitMs: -1 }, { waitMs: Number.NaN }, { wait: 5 }, 'soon', null, { waitMs: secret }].map(message),
  ).toMatchInlineSnapshot(`
    [
      "attach: option waitMs: expected a finite number of milliseconds, 0 or more, got -1",
      "attach: option waitMs: expected a finite number of milliseconds, 0 or more, got NaN",
      "attach: option wait: expected one of the options name, waitMs, got "wait"",
      "attach: options: expected an object, got "soon"",
      "attach: options: expected an object, got null",
      "attach: option waitMs: expected a finite number of milliseconds, 0 or more, got a string of 46 characters",
    ]
  `);
  expect(message({ waitMs: secret })).not.toContain('c2VjcmV0');
});

test('retry options of a request lie over those of the attachment, field by field', () => {
  const attached = resolveRetryOptions('attachHttp', { maxAttempts: 7, deadlineMs: 9_000 });
  expect(resolveRetryOptions('attachHttp', { maxAttempts: 2 }, attached)).toEqual({
    maxAttempts: 2,
    deadlineMs: 9_000,
  });
  const off = resolveRetryOptions('attachHttp', false, attached);
  expect(off).toMatchObject({ disabled: true });
  expect(resolveRetryOptions('attachHttp', { maxAttempts: 2 }, off).disabled).toBeUndefined();
});
