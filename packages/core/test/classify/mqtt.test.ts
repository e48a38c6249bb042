import { classify } from '@faultmap/core';
import { readMqttAnswer, readMqttPacket } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';

const judged = (packet: object, protocolVersion: number) => {
  const seen = readMqttPacket(packet, { protocolVersion });
  return seen === undefined ? undefined : classify(seen);
};

describe('a CONNACK', () => {
  // MQTT 3.1.1, 3.2.2.3
  test.each([
    [1, 'protocol', 'never'],
    [2, 'bad-request', 'never'],
    [3, 'server', 'backoff'],
    [4, 'unauthorized', 'renew-credentials'],
    [5, 'unauthorized', 'renew-credentials'],
    [6, 'unknown', 'never'],
  ])('of 3.1.1 with %i is %s: %s', (returnCode, category, advice) => {
    expect(judged({ cmd: 'connack', returnCode }, 4)).toMatchObject({
      category,
      advice,
      reasonCode: returnCode,
      executed: 'no',
      scope: 'connection',
    });
  });

  // MQTT 5, 3.2.2.2
  test.each([
    [0x84, 'protocol'],
    [0x86, 'unauthorized'],
    [0x87, 'unauthorized'],
    [0x88, 'server'],
    [0x97, 'quota'],
    [0x9d, 'not-found'],
    [0x9f, 'throttled'],
  ])('of MQTT 5 with %i is %s', (reasonCode, category) => {
    expect(judged({ cmd: 'connack', reasonCode }, 5)).toMatchObject({ category, reasonCode });
  });

  test('that accepts is none', () => {
    expect(judged({ cmd: 'connack', returnCode: 0 }, 4)).toBeUndefined();
    expect(judged({ cmd: 'connack', reasonCode: 0 }, 5)).toBeUndefined();
  });
});

describe('other packets', () => {
  test('a reason string, a server reference and user properties are read', () => {
    const properties = {
      reasonString: 'moved',
      serverReference: 'other.example:8883',
      userProperties: { 'trace-id': '0a1b2c3d4e5f60718293a4b5c6d7e8f9' },
    };
    expect(judged({ cmd: 'disconnect', reasonCode: 0x9c, properties }, 5)).toMatchObject({
      category: 'not-found',
      serverReference: 'other.example:8883',
      detail: 'moved',
      trackingId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
    });
  });

  test.each([
    ['0501', 'throttled', 'no'],
    ['502', 'quota', 'no'],
    ['0602', 'timeout', 'unknown'],
    ['06a0', 'offline', 'no'],
    ['06A1', 'timeout', 'unknown'],
    ['01ff', 'bad-request', 'no'],
  ])('user property status %s of the preview is %s', (status, category, executed) => {
    const properties = { userProperties: { status } };
    expect(judged({ cmd: 'puback', reasonCode: 0x83, properties }, 5)).toMatchObject({ category, executed });
  });

  test('a taken-over session is not to be taken back', () => {
    expect(judged({ cmd: 'disconnect', reasonCode: 0x8e }, 5)).toMatchObject({ category: 'conflict', advice: 'never' });
  });

  test('one refused filter of several', () => {
    expect(judged({ cmd: 'suback', granted: [0, 1, 128] }, 4)).toMatchObject({
      category: 'unknown',
      scope: 'subscription',
      reasonCode: 128,
    });
    expect(judged({ cmd: 'suback', granted: [{ qos: 0x87 }] }, 5)).toMatchObject({ category: 'unauthorized' });
    expect(judged({ cmd: 'suback', granted: [0, 1, 2] }, 4)).toBeUndefined();
  });

  test('a packet that hangs on an error is read bare too', () => {
    const error = Object.assign(new Error('Subscribe error'), { packet: { cmd: 'suback', granted: [0, 0x87] } });
    expect(classify(error)).toMatchObject({ category: 'unauthorized', reasonCode: 0x87, cause: error });
  });

  test('no subscribers is no refusal', () => {
    expect(judged({ cmd: 'puback', reasonCode: 0x10 }, 5)).toBeUndefined();
    expect(judged({ cmd: 'publish' }, 5)).toBeUndefined();
  });
});

describe('an answer on a topic', () => {
  test('of a twin', () => {
    expect(classify({ topic: '$iothub/twin/res/429/?$rid=a%20b', payload: '' })).toMatchObject({
      category: 'throttled',
      httpStatus: 429,
      transport: 'mqtt',
    });
    expect(
      classify({
        topic: '$iothub/twin/res/500/?$rid=1&$version=2',
        payload: Buffer.from(
          '{"errorCode":500001,"trackingId":"0a1b2c3d4e5f60718293a4b5c6d7e8f9-TimeStamp:03/15/2025 09:11:49","message":"x"}',
        ),
      }),
    ).toMatchObject({
      code: 500001,
      trackingId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9-TimeStamp:03/15/2025 09:11:49',
    });
  });

  test('of the provisioning service, the wait anywhere in the query and in either spelling', () => {
    for (const topic of [
      '$dps/registrations/res/429/?$rid=1&retry-after=3',
      '$dps/registrations/res/429/?Retry-After=3&$rid=1',
    ])
      expect(classify({ topic, payload: '{"errorCode":429001,"message":"x"}' })).toMatchObject({
        category: 'throttled',
        code: 429001,
        retryAfterMs: 3000,
      });
  });

  test('of a failed registration under status 200', () => {
    const payload =
      '{"operationId":"5.x","status":"failed","registrationState":{"errorCode":404201,"errorMessage":"gone"}}';
    expect(classify({ topic: '$dps/registrations/res/200/?$rid=1', payload })).toMatchObject({
      category: 'not-found',
      code: 404201,
    });
  });

  test('of MQTT 5 requests: absent status is a success', () => {
    const properties = { userProperties: { status: '0501', reason: 'slow down' } };
    expect(classify(readMqttAnswer({ topic: '$iothub/responses', properties }))).toMatchObject({
      category: 'throttled',
      detail: 'slow down',
    });
    expect(readMqttAnswer({ topic: '$iothub/responses', properties: {} })).toBeUndefined();
  });

  test('that succeeds, or is no answer, is none', () => {
    expect(readMqttAnswer({ topic: '$iothub/twin/res/204/?$rid=1' })).toBeUndefined();
    expect(
      readMqttAnswer({
        topic: '$dps/registrations/res/202/?$rid=1&retry-after=3',
        payload: '{"operationId":"x","status":"assigning"}',
      }),
    ).toBeUndefined();
    expect(readMqttAnswer({ topic: 'devices/d/messages/devicebound/400' })).toBeUndefined();
    expect(readMqttAnswer({ topic: '$iothub/methods/res/500/?$rid=1' })).toBeUndefined();
  });
});
