import { classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

const judged = (text: string) => classify(text, { readers: [readAzureSdk] });

describe('the number of a CONNACK, as clients and their samples print it', () => {
  test.each([
    ['Received CONNACK (0, 5)', 'unauthorized'], // paho: flags and number
    ['CONNACK code 5', 'unauthorized'],
    ['CONNACK received, rc=3', 'server'],
    ['Bad connection Returned code= 5', 'unauthorized'],
    ['Connection returned result: 4', 'unauthorized'],
    ['MQTT connect failed with code 2', 'bad-request'],
  ])('%s', (text, category) => {
    expect(judged(text).category).toBe(category);
  });

  test.each(['Received CONNACK (0, 0)', 'Received CONNACK (1, 0)', 'CONNACK code 0', 'Connection returned result: 0'])(
    'accepted: %s',
    (text) => {
      expect(judged(text).category).toBe('unknown');
    },
  );
});

describe('the reason code of an MQTT 5 packet in prose', () => {
  test.each([
    ['mqtt disconnect reason code 142', 142, 'conflict', 'unknown'],
    ['DISCONNECT received, reasonCode=0x8E', 142, 'conflict', 'unknown'],
    ['Disconnected (reason code: 137)', 137, 'server', 'unknown'],
    ['CONNACK with reason code 135', 135, 'unauthorized', 'no'],
    ['PUBACK reason code: 0x97', 151, 'quota', 'no'],
  ])('%s', (text, reasonCode, category, executed) => {
    expect(judged(text)).toMatchObject({ reasonCode, category, executed });
    expect(classify(text)).toMatchObject({ reasonCode, category, executed });
  });

  test('is none of another number', () => {
    for (const text of ['disconnect reason code 4', 'reason code 142 of the form', 'disconnected: exit code 142'])
      expect(judged(text).reasonCode, text).toBeUndefined();
  });
});

describe('by its name, as HiveMQ prints it', () => {
  test.each([
    ['Mqtt5ConnAckException: CONNECT failed as CONNACK contained an Error Code: BANNED.', 'unauthorized'],
    ['Mqtt3ConnAckException: CONNECT failed as CONNACK contained an Error Code: SERVER_UNAVAILABLE.', 'server'],
    ['Mqtt3ConnAckException: CONNECT failed as CONNACK contained an Error Code: NOT_AUTHORIZED.', 'unauthorized'],
  ])('%s', (text, category) => {
    expect(judged(text)).toMatchObject({ category, executed: 'no' });
  });
});

test('a status that a server returned', () => {
  expect(judged('Server returned 429')).toMatchObject({ httpStatus: 429, category: 'throttled' });
  expect(judged('IoT Hub responded with an error 503')).toMatchObject({ httpStatus: 503, category: 'server' });
  expect(judged('the query returned 404 devices').httpStatus).toBeUndefined();
});

describe('more words', () => {
  test.each([
    ['Rate exceeded', 'throttled'],
    ['Failed to open the connection with CBS.', 'network'],
    ['MqttState(NetworkTimeout)', 'timeout'],
    ['Error parsing connection string', 'bad-request'],
    ['The connection string is missing the property: DeviceId', 'bad-request'],
  ])('%s', (text, category) => {
    expect(judged(text).category).toBe(category);
  });
});
