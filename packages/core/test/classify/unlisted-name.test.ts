import { classify } from '@faultmap/core';
import { describe, expect, test } from 'vitest';

describe('a name that no catalogue lists is the reason of a fault told by its status', () => {
  const body = '{"Message":"ErrorCode:SomethingQuiteNew;x","ExceptionMessage":""}';

  test.each([
    [{ status: 409, body }, 'conflict'],
    [{ status: 429, headers: { 'iothub-errorcode': 'SomethingQuiteNew' }, body: '' }, 'throttled'],
    [{ status: 404, body: '{"error":{"code":"SomethingQuiteNew","message":"x"}}' }, 'not-found'],
    [`HTTP request failed: [503 Service Unavailable] ${body}`, 'server'],
    [{ topic: '$iothub/twin/res/400/?$rid=1', payload: body }, 'bad-request'],
  ])('%j', (input, category) => {
    const error = classify(input);
    expect(error).toMatchObject({ reason: 'SomethingQuiteNew', category });
    expect(error.code).toBeUndefined();
  });

  test('a listed one goes before the status', () => {
    const listed = { status: 400, body: '{"Message":"ErrorCode:DeviceNotOnline;x"}' };
    expect(classify(listed)).toMatchObject({ reason: 'DeviceNotOnline', category: 'offline', code: 404103 });
  });

  test('what is no name is none', () => {
    for (const value of ['x', 'sig=abc', 'q7Vx2mTz9LkR4w', 'two words', ''])
      expect(classify({ status: 429, headers: { 'iothub-errorcode': value }, body: '' }).reason).toBe(
        'TooManyRequests',
      );
  });
});
