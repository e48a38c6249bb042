import { attachOnce } from '@faultmap/core/adapter';
import { expect, test } from 'vitest';

const attach = (target: object, options?: unknown) => attachOnce(target, 'http', options, (release) => ({ release }));

test('a second attach with the same options gives the first handle', () => {
  const target = {};
  const signal = new AbortController().signal;
  const first = attach(target, { retry: { maxAttempts: 3, signal } });
  expect(attach(target, { retry: { maxAttempts: 3, signal } })).toBe(first);
  expect(attach({}, { retry: { maxAttempts: 3, signal } })).not.toBe(first);
});

test.each([undefined, null, 5, 'client'])('%s is no client', (target) => {
  expect(() => attach(target as unknown as object)).toThrow(/^attachHttp: option client: expected an object/);
});

test('no options, and options that are all undefined, are the same', () => {
  const target = {};
  const first = attach(target);
  expect(attach(target, {})).toBe(first);
  expect(attach(target, { retry: undefined })).toBe(first);
});

test('other options are refused, also another function that looks the same', () => {
  const target = {};
  attach(target, { credentials: () => 1 });
  expect(() => attach(target, { credentials: () => 1 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: attachHttp: this client is attached already, with other options: detach() the first handle, or attach with the same options]`,
  );
});

test('after release it can be attached anew, and nothing is left on the client', () => {
  const target = {};
  const first = attach(target, { retry: { maxAttempts: 3 } });
  expect(Object.keys(target)).toEqual([]);
  first.release();
  expect(Reflect.ownKeys(target)).toEqual([]);
  expect(attach(target, {})).not.toBe(first);
});
