import { classify } from '@faultmap/core';
import { isEvidence } from '@faultmap/core/adapter';
import { readHttp } from '@faultmap/http';
import { AxiosError, AxiosHeaders, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const config: InternalAxiosRequestConfig = { headers: new AxiosHeaders() };

function answer(status: number, data: unknown, headers: Record<string, string> = {}) {
  const response = { status, data, headers, statusText: '', config };
  return new AxiosError('failed', 'ERR_BAD_RESPONSE', config, undefined, response);
}

describe('readHttp', () => {
  test('says nothing of what is not from axios, of cancellations and of mistakes of the program', () => {
    for (const other of [undefined, null, 'text', 42, {}, new Error('x'), new TypeError('x'), { status: 404 }])
      expect(readHttp(other)).toBeUndefined();
    expect(readHttp(new CanceledError('stop', config))).toBeUndefined();
    expect(readHttp(AxiosError.from(new TypeError('a bug'), undefined, config))).toBeUndefined();
    expect(readHttp(AxiosError.from(new RangeError('a bug'), undefined, config))).toBeUndefined();
  });

  test('reads bodies in every form axios gives them', () => {
    const body = { errorCode: 429001, message: 'slow down' };
    const text = JSON.stringify(body);
    for (const data of [
      body,
      text,
      Buffer.from(text),
      new TextEncoder().encode(text),
      new TextEncoder().encode(text).buffer,
    ])
      expect(readHttp(answer(429, data))).toMatchObject({ payloadCode: 429001, httpStatus: 429, transport: 'http' });
  });

  test('takes headers from a plain object and from those of axios', () => {
    for (const headers of [{ 'Retry-After': '3' }, new AxiosHeaders({ 'retry-after': '3' }) as never])
      expect(readHttp(answer(503, '', headers))).toMatchObject({ retryAfterMs: 3_000 });
  });

  test('leaves streams unread', () => {
    const stream = new Blob(['{"errorCode":404103}']).stream();
    expect(readHttp(answer(404, stream))).toMatchObject({ httpStatus: 404 });
    expect(stream.locked).toBe(false);
    const blob = new Blob(['{"errorCode":404103}']);
    expect(readHttp(answer(404, blob))).toMatchObject({ httpStatus: 404 });
  });

  test('knows a browser that tells nothing but that there was no answer', () => {
    const error = new AxiosError('Network Error', 'ERR_NETWORK', config);
    expect(classify(error, { readers: [readHttp] })).toMatchObject({
      category: 'network',
      executed: 'unknown',
      transient: true,
    });
  });

  test('knows a body that was cut off, also where axios keeps no answer, as before 1.16', () => {
    const aborted = (statusCode: number) =>
      new AxiosError('stream has been aborted', 'ERR_BAD_RESPONSE', config, { res: { statusCode, headers: {} } });
    expect(classify(aborted(200), { readers: [readHttp] })).toMatchObject({
      category: 'network',
      executed: 'yes',
      transient: true,
    });
    expect(classify(aborted(503), { readers: [readHttp] })).toMatchObject({ category: 'server', httpStatus: 503 });
  });

  test('knows an answer beyond maxContentLength, also where fetch wraps what it says of it, as before 1.19', () => {
    const limit = new AxiosError('maxContentLength size of 2 exceeded', 'ERR_BAD_RESPONSE', config, {});
    for (const error of [limit, AxiosError.from(limit, limit.code, config, {})])
      expect(classify(error, { readers: [readHttp] })).toMatchObject({ reason: 'AnswerTooLarge', transient: false });
  });

  test('goes by the shape, not by the class: another copy of axios, or a custom adapter', () => {
    const foreign = Object.assign(new Error('x'), { isAxiosError: true, code: 'ECONNRESET', name: 'SomethingElse' });
    expect(classify(foreign, { readers: [readHttp] })).toMatchObject({
      category: 'network',
      reason: 'ECONNRESET',
      transport: 'http',
    });
  });

  test('a loop of causes ends', () => {
    const error = new AxiosError('x', 'ERR_NETWORK', config);
    Object.defineProperty(error, 'cause', { value: error });
    expect(isEvidence(readHttp(error))).toBe(true);
  });

  test('never throws, whatever it is given', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('hostile');
        },
      },
    );
    expect(readHttp(hostile)).toBeUndefined();
    const field = fc.oneof(fc.anything(), fc.constant(hostile), fc.integer({ min: 0, max: 700 }), fc.string());
    fc.assert(
      fc.property(
        fc.record({
          code: field,
          message: field,
          name: field,
          cause: field,
          request: field,
          response: field,
          config: field,
        }),
        (fields) => {
          const seen = readHttp({ isAxiosError: true, ...fields });
          expect(seen === undefined || isEvidence(seen)).toBe(true);
          if (seen) classify(seen);
        },
      ),
    );
    fc.assert(
      fc.property(fc.record({ status: field, headers: field, data: field }), (response) => {
        const seen = readHttp({ isAxiosError: true, message: 'x', response });
        expect(seen === undefined || isEvidence(seen)).toBe(true);
      }),
    );
  });
});
