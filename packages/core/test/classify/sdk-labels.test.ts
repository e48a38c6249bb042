import { classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

const judged = (fields: object, message = 'x', name = 'IotHubClientException') =>
  classify(Object.assign(new Error(message), fields, { name }), { readers: [readAzureSdk] });

describe("members of .NET's enumerations of client errors give a category and no number", () => {
  // Microsoft.Azure.Devices.Client 2: IotHubClientErrorCode
  test.each([
    ['Throttled', 'throttled'],
    ['NetworkErrors', 'network'],
    ['QuotaExceeded', 'quota'],
    ['Unauthorized', 'unauthorized'],
    ['TlsAuthenticationError', 'network'],
    ['Timeout', 'timeout'],
    ['ServerBusy', 'server'],
    ['Suspended', 'unauthorized'],
    ['DeviceNotFound', 'not-found'],
    ['Ok', 'unknown'],
    ['Unknown', 'unknown'],
  ])('%s', (ErrorCode, category) => {
    expect(judged({ ErrorCode }).category).toBe(category);
  });

  test('what is said goes first', () => {
    expect(judged({ ErrorCode: 'NetworkErrors' }, 'The specified SAS token is expired').category).toBe('unauthorized');
    expect(judged({ StatusCode: 'NotFound', ErrorCode: 'Unknown' })).toMatchObject({ httpStatus: 404 });
  });
});

test("a body that Python's response keeps as text", () => {
  const text = '{"Message":"{\\"errorCode\\":404103,\\"message\\":\\"x\\"}","ExceptionMessage":""}';
  const error = judged({ response: { status_code: 404, text } }, 'Operation returned', 'HttpOperationError');
  expect(error).toMatchObject({ code: 404103, httpStatus: 404 });
});
