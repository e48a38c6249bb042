import { classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

describe('the phrase of an HTTP status, as the only words', () => {
  // .NET and Java print it where an answer had no body; .NET writes it as one word.
  test.each([
    ['BadRequest', 'bad-request', 'no'],
    ['Bad Request', 'bad-request', 'no'],
    ['Bad Format', 'bad-request', 'no'], // Java's name for 400
    ['Unauthorized', 'unauthorized', 'no'],
    ['Forbidden', 'unauthorized', 'no'],
    ['NotFound', 'not-found', 'no'],
    ['MethodNotAllowed', 'bad-request', 'no'],
    ['Method Not Allowed', 'bad-request', 'no'],
    ['RequestTimeout', 'timeout', 'unknown'],
    ['Conflict', 'conflict', 'unknown'],
    ['PreconditionFailed', 'precondition', 'no'],
    ['RequestEntityTooLarge', 'bad-request', 'no'],
    ['UnsupportedMediaType', 'bad-request', 'no'],
    ['TooManyRequests', 'throttled', 'no'],
    ['InternalServerError', 'server', 'unknown'],
    ['BadGateway', 'server', 'unknown'],
    ['ServiceUnavailable', 'server', 'no'],
    ['GatewayTimeout', 'timeout', 'unknown'],
    ['Error: TooManyRequests', 'throttled', 'no'],
    ['device twin update failed: BadRequest', 'bad-request', 'no'],
  ])('%s', (text, category, executed) => {
    for (const readers of [[], [readAzureSdk]]) {
      const error = classify(text, { readers });
      expect(error).toMatchObject({ category, executed });
      expect(error.code).toBeUndefined();
    }
  });

  test('is no credential to renew where it forbids', () => {
    expect(classify('Forbidden')).toMatchObject({ reason: 'Forbidden', advice: 'never' });
  });
});

describe('a status beside its phrase', () => {
  test.each([
    // EnsureSuccessStatusCode of .NET, and services that write the phrase before the number
    ['Response status code does not indicate success: 429 (Too Many Requests).', 429, 'throttled'],
    ['Response status code does not indicate success: TooManyRequests (429); Substatus: 3200', 429, 'throttled'],
    ['Response status code does not indicate success: ServiceUnavailable (503)', 503, 'server'],
    ['<Response [404]>', 404, 'not-found'], // of Python's requests
    // Go clients of IoT Hub: `code = %d, desc = %q`
    ['code = 429, desc = "slow down"', 429, 'throttled'],
    ['code = 404, desc = ""', 404, 'not-found'],
    ['code = 503, body = "x"', 503, 'server'],
  ])('%s', (text, httpStatus, category) => {
    expect(classify(text)).toMatchObject({ httpStatus, category });
  });

  test('no status: a code of something else', () => {
    for (const text of ['code = 404', 'exit code = 500, description = x', 'rpc error: code = 429x, desc = y'])
      expect(classify(text).httpStatus, text).toBeUndefined();
  });
});
