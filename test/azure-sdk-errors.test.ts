import { ConditionErrorNameMapper, type MessagingError, translate } from '@azure/core-amqp';
import { type AnyDeviceCloudError, classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import amqpBase from 'azure-iot-amqp-base';
import httpBase from 'azure-iot-http-base';
import mqttBase from 'azure-iot-mqtt-base';
import { describe, expect, test } from 'vitest';

/*
 * Errors that the official SDKs themselves make, by their own translation: what they lose of the
 * number is read from what they keep. Bare reading may know less, never another thing.
 */

const trackingId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24';

function judged(error: unknown): AnyDeviceCloudError {
  const typed = classify(error, { readers: [readAzureSdk] });
  const bare = classify(error);
  if (bare.category !== 'unknown') expect(bare.category).toBe(typed.category);
  if (bare.code !== undefined) expect(bare.code).toBe(typed.code);
  expect(typed.cause).toBe(error);
  return typed;
}

describe('azure-iot-http-base', () => {
  const translated = (statusCode: number, body: string, headers = {}) =>
    (httpBase.RestApiClient as unknown as { translateError(body: string, response: object): Error }).translateError(
      body,
      { statusCode, headers, statusMessage: 'x' },
    );
  const nested = (errorCode: number) =>
    JSON.stringify({ Message: JSON.stringify({ errorCode, trackingId, message: 'x' }), ExceptionMessage: '' });

  test.each([
    ['a plain Error for 404103', translated(404, nested(404103)), { category: 'offline', code: 404103, trackingId }],
    [
      'TooManyDevicesError for a used-up quota',
      translated(403, '{"Message":"ErrorCode:IotHubQuotaExceeded;x"}'),
      { category: 'quota', code: 403002 },
    ],
    [
      'ThrottlingError, with the hint it does not use',
      translated(429, nested(429001), { 'retry-after': '5' }),
      { category: 'throttled', code: 429001, retryAfterMs: 5000 },
    ],
    ['InvalidEtagError for 412001', translated(412, nested(412001)), { category: 'precondition', code: 412001 }],
    [
      'DeviceNotFoundError by name',
      translated(404, '{"Message":"ErrorCode:DeviceNotFound;x"}'),
      { category: 'not-found', code: 404001 },
    ],
    ['GatewayTimeoutError', translated(504, ''), { category: 'timeout', httpStatus: 504 }],
    ['a plain Error for 413', translated(413, ''), { category: 'bad-request', httpStatus: 413 }],
  ])('%s', (_name, error, expected) => {
    expect(judged(error)).toMatchObject(expected);
  });
});

describe('azure-iot-amqp-base', () => {
  test.each([
    ['amqp:resource-limit-exceeded', 'quota'],
    ['amqp:link:stolen', 'conflict'],
    ['amqp:internal-error', 'server'],
    ['amqp:unauthorized-access', 'unauthorized'],
    ['com.microsoft:device-container-throttled', 'throttled'],
    ['com.microsoft:message-lock-lost', 'precondition'],
    ['amqp:link:message-size-exceeded', 'bad-request'],
  ])('%s is %s', (condition, category) => {
    const error = amqpBase.translateError('AMQP Transport: Could not send', {
      condition,
      description: 'x',
    } as unknown as Error);
    expect(judged(error)).toMatchObject({ category, condition });
  });
});

describe('azure-iot-mqtt-base', () => {
  test.each([
    ['Connection refused: Unacceptable protocol version', 'protocol'],
    ['Connection refused: Identifier rejected', 'bad-request'],
    ['Connection refused: Server unavailable', 'server'],
    ['Connection refused: Not authorized', 'unauthorized'],
    ['connack timeout', 'timeout'],
    ['getaddrinfo ENOTFOUND hub.example', 'network'],
  ])('%s is %s', (message, category) => {
    expect(judged(mqttBase.translateError(new Error(message))).category).toBe(category);
  });
});

describe('core-amqp', () => {
  const conditions = Object.entries(ConditionErrorNameMapper).filter(([condition]) => condition !== 'system:error');

  test.each(conditions)('%s, which it drops, is found again by its name for it', (condition, name) => {
    const error = translate({
      condition,
      description: `x TrackingId:199d4ef5701b45dd9f64a6fc9fcde7f4_G28, y`,
    } as never) as MessagingError;
    expect(error.code).toBe(name);
    const typed = judged(error);
    expect(typed.trackingId).toBe('199d4ef5701b45dd9f64a6fc9fcde7f4_G28');
    // Some names stand for two conditions, which mean the same.
    expect(typed.category).toBe(classify({ condition, description: 'x' }).category);
  });
});
