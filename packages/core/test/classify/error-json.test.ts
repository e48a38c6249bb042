import { classify, type ErrorJson, fromJSON, isDeviceCloudError, QuotaExceededError } from '@faultmap/core';
import { conclude, evidence } from '@faultmap/core/adapter';
import { expect, test } from 'vitest';

test('an error comes back as it was, but for stack and cause', () => {
  const error = classify(
    {
      status: 403,
      headers: { 'retry-after': '9' },
      body: '{"Message":"ErrorCode:IotHubQuotaExceeded;all used","ExceptionMessage":"Tracking ID:0a1b2c3d4e5f60718293a4b5c6d7e8f9-TimeStamp:02/06/2025 11:58:56"}',
    },
    { operation: 'send' },
  );
  conclude(error, { attempts: 3, waitsMs: [10, 20], stopped: 'not-transient', executed: 'unknown' });
  const back = fromJSON(JSON.stringify(error));
  expect(back).toBeInstanceOf(QuotaExceededError);
  expect(isDeviceCloudError(back)).toBe(true);
  expect(back.toJSON()).toEqual(error.toJSON());
  expect(back.resetAt).toEqual(error.resetAt);
  expect({ ...back }).toEqual({ ...error });
});

test('what an error adds to its fix is not added twice', () => {
  const error = conclude(classify(evidence({ payloadCode: 409001, httpStatus: 409 })), {
    ownEarlierAttempt: 'possible',
  });
  const back = fromJSON(fromJSON(error.toJSON()).toJSON());
  expect(back.fix).toBe(error.fix);
  expect(back.fix?.match(/An earlier attempt/g)).toHaveLength(1);
  const skewed = classify(evidence({ payloadCode: 401002, httpStatus: 401, clockSkewMs: 3_600_000 }));
  expect(fromJSON(skewed.toJSON()).fix).toBe(skewed.fix);
});

test('a category of a newer version is unknown', () => {
  expect(fromJSON({ ...classify('x').toJSON(), category: 'brand-new' } as unknown as ErrorJson)).toMatchObject({
    category: 'unknown',
  });
});

test('what comes from elsewhere is redacted once more', () => {
  const json = { ...classify('x').toJSON(), message: 'sig=abc', detail: 'password=abc', trackingId: 'Bearer abcdef' };
  expect(JSON.stringify(fromJSON(json))).not.toMatch(/=abc|abcdef/);
});

test.each([
  undefined,
  null,
  5,
  'x',
  '{}',
  {},
  { category: 'server' },
  { category: 'server', reason: 'x', advice: 'perhaps' },
  [],
])('%j is no such form', (json) => {
  expect(() => fromJSON(json as unknown as ErrorJson)).toThrow(TypeError);
});
