import { classify } from '@faultmap/core';
import { describe, expect, test } from 'vitest';

const trackingId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24';

describe('a body that was parsed already', () => {
  test.each([
    [
      { errorCode: 404103, trackingId, message: 'm' },
      { code: 404103, detail: 'm', trackingId },
    ],
    [
      { errorCode: '404103', message: 'm' },
      { code: 404103, detail: 'm' },
    ],
    [
      { ErrorCode: 404103, Message: 'm', TrackingId: trackingId },
      { code: 404103, detail: 'm', trackingId },
    ],
    [{ Message: '{"errorCode":404103,"message":"m"}' }, { code: 404103, detail: 'm' }],
    [
      { Message: 'ErrorCode:DeviceNotFound;d1', ExceptionMessage: `Tracking ID:${trackingId}` },
      { code: 404001, trackingId, detail: 'd1' },
    ],
    [{ Message: 'Authorization header missing' }, { category: 'unauthorized', detail: 'Authorization header missing' }],
    // of the provisioning service, inside an answer of 200
    [
      { status: 'failed', registrationState: { status: 'failed', errorCode: 400209, errorMessage: 'm' } },
      { code: 400209, detail: 'm' },
    ],
    [{ status: 'disabled', registrationState: { status: 'disabled' } }, { reason: 'RegistrationDisabled' }],
    // of the resource manager
    [{ error: { code: 'ResourceNotFound', message: 'The resource was not found.' } }, { category: 'not-found' }],
    [{ error: { code: '403002', message: 'm' } }, { code: 403002 }],
    [
      { errorCode: 400004, message: 'm', info: { errorCode: 1, a: { b: 2 } } },
      { code: 400004, detail: 'm' },
    ],
    [[{ errorCode: 409001 }], { code: 409001 }],
    [{ isSuccessful: false, errors: [{ deviceId: 'd', errorCode: 'DeviceAlreadyExists' }] }, { code: 409001 }],
  ])('%j', (body, expected) => {
    expect(classify(body)).toMatchObject(expected);
    expect(classify(JSON.stringify(body))).toMatchObject(expected);
  });

  test('an error in plain form is looked through, unless it has the number itself', () => {
    const response = { status: 404, body: '{"errorCode":404103}' };
    expect(classify({ code: 'ERR_BAD_REQUEST', message: 'm', response })).toMatchObject({ code: 404103 });
    expect(classify({ errorCode: 404001, message: 'm', response: {} })).toMatchObject({ code: 404001 });
    expect(classify({ code: 'ECONNRESET', message: 'm' })).toMatchObject({ reason: 'ECONNRESET' });
  });

  test('one that tells of no fault is none', () => {
    for (const body of [{ status: 'assigned', registrationState: { status: 'assigned' } }, { deviceId: 'd1' }, {}, []])
      expect(classify(body)).toMatchObject({ category: 'unknown', reason: 'Unlisted' });
  });
});
