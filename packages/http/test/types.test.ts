import { type AnyDeviceCloudError, isDeviceCloudError } from '@faultmap/core';
import {
  type AttachHttpOptions,
  attachHttp,
  azureIotIdempotent,
  type HttpAttachment,
  readHttp,
  wrapAdapter,
} from '@faultmap/http';
import axios, { type AxiosAdapter, type AxiosRequestConfig } from 'axios';
import { expect, expectTypeOf, test } from 'vitest';

/* What the compiler says of the adapter's surface; checked by the type-check of the tests. */

test('the options of one request are part of the config of axios', () => {
  const config: AxiosRequestConfig = {
    faultmap: { retry: { maxAttempts: 2 }, idempotent: true, operation: 'twin.get' },
  };
  expect(config.faultmap?.operation).toBe('twin.get');
  const off: AxiosRequestConfig = { faultmap: { retry: false } };
  expect(off.faultmap?.retry).toBe(false);
  axios.create({ faultmap: { operation: 'all of them' } }).interceptors.request.use((given) => {
    expectTypeOf(given.faultmap?.idempotent).toEqualTypeOf<boolean | undefined>();
    return given;
  });

  // @ts-expect-error a number where a number of attempts is said in words
  const wrong: AxiosRequestConfig = { faultmap: { retry: { maxAttempts: 'two' } } };
  // @ts-expect-error no such option
  const misspelt: AxiosRequestConfig = { faultmap: { operationName: 'x' } };
  // @ts-expect-error a function belongs to the attachment, a request just says it
  const fn: AxiosRequestConfig = { faultmap: { idempotent: () => true } };
  // @ts-expect-error the signal is axios' own
  const signal: AxiosRequestConfig = { faultmap: { retry: { signal: new AbortController().signal } } };
  expect([wrong, misspelt, fn, signal]).toHaveLength(4);
});

test('the options of an attachment', () => {
  const options: AttachHttpOptions = {
    retry: { maxAttempts: 3, deadlineMs: 20_000, shouldRetry: (error) => error.category === 'server' },
    idempotent: azureIotIdempotent,
    credentials: async ({ error, attempt, signal }) => {
      expectTypeOf(error).toEqualTypeOf<AnyDeviceCloudError>();
      expectTypeOf(attempt).toEqualTypeOf<number>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return { Authorization: 'token' };
    },
    pacerKey: (config) => config.baseURL,
  };
  const handle = attachHttp(axios.create(), options);
  expectTypeOf(handle).toEqualTypeOf<HttpAttachment>();
  handle.on('retry', ({ error, delayMs }) => {
    expectTypeOf(error).toEqualTypeOf<AnyDeviceCloudError>();
    expectTypeOf(delayMs).toEqualTypeOf<number | undefined>();
  });
  // @ts-expect-error no such event
  expect(() => handle.on('error', () => {})).toThrow(TypeError);
  handle.detach();

  // @ts-expect-error headers, not a token
  const token: AttachHttpOptions = { credentials: () => 'token' };
  // @ts-expect-error a client of another kind
  expect(() => attachHttp({ on() {} })).toThrow();
  expect(token).toBeDefined();
});

test('a category narrows the error', () => {
  const explain = (error: unknown): string => {
    if (!isDeviceCloudError(error)) return 'not ours';
    if (error.category === 'throttled') return `wait ${error.retryAfterMs}`;
    return error.reason;
  };
  expect(explain(new Error('x'))).toBe('not ours');
});

test('adapters and readers', () => {
  expectTypeOf(wrapAdapter('fetch')).toEqualTypeOf<AxiosAdapter>();
  expectTypeOf(readHttp).parameter(0).toBeUnknown();
  expect(readHttp(undefined)).toBeUndefined();
});
