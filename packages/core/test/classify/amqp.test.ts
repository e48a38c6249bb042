import { classify } from '@faultmap/core';
import { readAmqpAnswer, readAmqpError } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';

describe('an AMQP error record', () => {
  test('tracking id from info, in a Map and in a plain object', () => {
    const trackingId = 'aad4fe4767c335b2aa53f96ac717337d-G:0-TimeStamp:02/16/2025 09:49:47';
    const condition = 'amqp:link:message-size-exceeded';
    for (const info of [
      { 'com.microsoft:tracking-id': trackingId },
      new Map([['com.microsoft:tracking-id', trackingId]]),
    ])
      expect(classify({ condition, description: 'too large', info })).toMatchObject({
        category: 'bad-request',
        trackingId,
      });
  });

  test('number in info', () => {
    expect(classify({ condition: 'amqp:not-allowed', info: { 'com.microsoft:error-code': 403010 } })).toMatchObject({
      code: 403010,
    });
  });

  test('JSON as description (azure-iot-sdk-c capture)', () => {
    const description =
      '{"errorCode":401002,"message":"Unauthorized access","trackingId":"244693F77BBE2C2EF15E2FAE1EB2DD47-G2:-TimeStamp:2025-07-02T12:16:54.653313718Z","timestampUtc":"2025-07-02T12:16:54.653313718Z","info":null}';
    expect(classify({ condition: 'amqp:unauthorized-access', description })).toMatchObject({
      code: 401002,
      reason: 'IotHubUnauthorizedAccess',
      condition: 'amqp:unauthorized-access',
      trackingId: '244693F77BBE2C2EF15E2FAE1EB2DD47-G2:-TimeStamp:2025-07-02T12:16:54.653313718Z',
      timestamp: '2025-07-02T12:16:54.653313718Z',
      detail: 'Unauthorized access',
    });
  });

  test('a link of the documentation in the description (azure-iot-sdk-csharp#2116)', () => {
    const description =
      'C2D messages enqueued for the device exceeded the queue limit of 50,  see more at http://aka.ms/iothub403004';
    expect(classify({ condition: 'amqp:resource-limit-exceeded', description })).toMatchObject({
      code: 403004,
      category: 'quota',
    });
  });

  test('ids and times of Event Hubs in the description (azure-event-hubs-node capture)', () => {
    const description =
      "The connection was inactive for more than the allowed 300000 milliseconds and is closed by container 'LinkTracker'. TrackingId:199d4ef5701b45dd9f64a6fc9fcde7f4_G28, SystemTracker:gateway5, Timestamp:7/13/2025 7:59:20 AM";
    expect(classify({ condition: 'amqp:connection:forced', description })).toMatchObject({
      category: 'timeout',
      transient: true,
      trackingId: '199d4ef5701b45dd9f64a6fc9fcde7f4_G28',
      timestamp: '7/13/2025 7:59:20 AM',
    });
  });

  test('a wait in prose (azure-iot-sdk-csharp#1189) and in info, in either spelling', () => {
    const condition = 'com.microsoft:device-container-throttled';
    const description = 'Wait 10 seconds and try again. Operation type: AmqpLinkOpen';
    expect(classify({ condition, description })).toMatchObject({ category: 'throttled', retryAfterMs: 10_000 });
    for (const info of [{ 'Retry-After': 4 }, { 'retry-after': '4' }, new Map([['Retry-After', 4]])])
      expect(classify({ condition, info })).toMatchObject({ retryAfterMs: 4000 });
  });

  test('a closing container passes, as for Azure’s clients for Python', () => {
    const condition = 'com.microsoft:container-close';
    expect(classify({ condition })).toMatchObject({
      category: 'server',
      reason: condition,
      advice: 'backoff',
      transient: true,
      executed: 'unknown',
    });
  });

  test('outcomes without a condition', () => {
    expect(classify(readAmqpError({ outcome: 'released', scope: 'delivery' }))).toMatchObject({
      reason: 'released',
      executed: 'no',
      transient: true,
    });
    expect(classify(readAmqpError({ outcome: 'modified', deliveryFailed: true, scope: 'delivery' }))).toMatchObject({
      executed: 'unknown',
    });
    expect(classify(readAmqpError({ outcome: 'rejected', scope: 'delivery' }))).toMatchObject({
      category: 'bad-request',
      executed: 'no',
    });
  });

  test('no record at all is nothing', () => {
    expect(readAmqpError({})).toBeUndefined();
    expect(readAmqpError({ condition: '', info: {} })).toBeUndefined();
  });
});

describe('an answer over AMQP', () => {
  test.each([
    [{ 'status-code': 401, 'status-description': 'The specified SAS token is expired' }],
    [{ statusCode: 401, statusDescription: 'The specified SAS token is expired' }],
    [
      new Map<string, unknown>([
        ['status-code', '401'],
        ['status-description', 'The specified SAS token is expired'],
      ]),
    ],
  ])('of $cbs, in both spellings: %j', (applicationProperties) => {
    expect(classify(readAmqpAnswer({ applicationProperties, scope: 'cbs' }))).toMatchObject({
      category: 'unauthorized',
      httpStatus: 401,
      scope: 'cbs',
      detail: 'The specified SAS token is expired',
    });
  });

  test('of $cbs with a status that is no refusal of credentials: Node’s SDK takes any for one', () => {
    expect(classify(readAmqpAnswer({ applicationProperties: { 'status-code': 429 }, scope: 'cbs' }))).toMatchObject({
      category: 'throttled',
    });
    expect(classify(readAmqpAnswer({ applicationProperties: { 'status-code': 500 }, scope: 'cbs' }))).toMatchObject({
      category: 'server',
    });
  });

  test('of a twin, status in an annotation and bytes in a data section', () => {
    const body = { typecode: 117, content: Buffer.from('{"errorCode":400004,"message":"bad patch"}') };
    expect(classify({ message_annotations: { status: 400 }, body })).toMatchObject({
      code: 400004,
      httpStatus: 400,
      detail: 'bad patch',
    });
    expect(classify({ message_annotations: { status: 429 }, body: undefined })).toMatchObject({
      category: 'throttled',
    });
  });

  test('that succeeds is none', () => {
    expect(readAmqpAnswer({ applicationProperties: { 'status-code': 202 } })).toBeUndefined();
    expect(readAmqpAnswer({ annotations: { status: 204 } })).toBeUndefined();
    expect(readAmqpAnswer({})).toBeUndefined();
  });

  test('of a management node names its condition', () => {
    const applicationProperties = { statusCode: 404, errorCondition: 'com.microsoft:message-not-found' };
    expect(classify(readAmqpAnswer({ applicationProperties, scope: 'management' }))).toMatchObject({
      condition: 'com.microsoft:message-not-found',
      category: 'not-found',
    });
  });
});
