import { describe, expect, test } from 'vitest';
import { explainLine } from '../src/explain-jsonl.ts';

const explained = (record: unknown) =>
  JSON.parse(explainLine(typeof record === 'string' ? record : JSON.stringify(record)));
const id = '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24';

/* Texts as in public reports, named with each; ids, hosts and times are replaced. */
const records = {
  'Azure/azure-iot-cli-extension#54: a number in JSON in JSON': [
    {
      transport: 'http',
      input: {
        status: 404,
        headers: {},
        body: `{"Message":"{\\"errorCode\\":404103,\\"trackingId\\":\\"${id}\\",\\"message\\":\\"Timed out waiting for device to connect.\\"}","ExceptionMessage":""}`,
      },
    },
    {
      category: 'offline',
      code: 404103,
      httpStatus: 404,
      trackingId: id,
      executed: 'no',
      detail: 'Timed out waiting for device to connect.',
    },
  ],
  'MicrosoftDocs/azure-docs#97504: a forced detach without a number': [
    {
      transport: 'amqp',
      input: { condition: 'amqp:link:detach-forced', description: 'Server Busy. Please try again later', info: {} },
    },
    { category: 'server', code: null, condition: 'amqp:link:detach-forced', advice: 'throttled' },
  ],
  'Azure/iotedge#2858: throttling under amqp:not-allowed': [
    {
      transport: 'amqp',
      input: { condition: 'amqp:not-allowed', description: 'Service rejected the message with status: 429' },
    },
    { category: 'throttled', code: null, httpStatus: 429, transient: true },
  ],
  'a CBS answer': [
    { transport: 'amqp', input: { kind: 'cbs', statusCode: 401, description: 'The specified SAS token is expired' } },
    { category: 'unauthorized', httpStatus: 401, code: null },
  ],
  'a CONNACK of 3.1.1': [
    {
      transport: 'mqtt',
      input: { kind: 'connack', protocolVersion: 4, returnCode: 5, message: 'Connection refused: Not authorized' },
    },
    { category: 'unauthorized', reasonCode: 5, code: null, detail: 'Connection refused: Not authorized' },
  ],
  'a DISCONNECT of MQTT 5': [
    { transport: 'mqtt', input: { kind: 'disconnect', protocolVersion: 5, reasonCode: 142 } },
    { category: 'conflict', reasonCode: 142 },
  ],
  'a twin answer, its payload cut off': [
    {
      transport: 'mqtt',
      input: {
        kind: 'twin-response',
        topic: '$iothub/twin/res/400/?$rid=1',
        payload: '{"errorCode":400004,"trackingId":"0a1b2c3d4e5f6071-',
      },
    },
    { category: 'bad-request', code: 400004, httpStatus: 400, trackingId: null },
  ],
  'a socket': [
    { transport: 'mqtt', input: { kind: 'socket', code: 'ECONNRESET', message: 'read ECONNRESET' } },
    { category: 'network', reason: 'ECONNRESET', executed: 'unknown' },
  ],
  'Azure/azure-iot-sdk-csharp#2116: an SDK class made of one number': [
    {
      transport: 'sdk',
      input: {
        sdk: 'csharp',
        name: 'Microsoft.Azure.Devices.Common.Exceptions.DeviceMaximumQueueDepthExceededException',
        message: 'see more at http://aka.ms/iothub403004',
        fields: {},
      },
    },
    { category: 'quota', code: 403004, reason: 'DeviceMaximumQueueDepthExceeded' },
  ],
  'Azure/azure-iot-sdk-csharp#1189: a wait in prose': [
    {
      transport: 'log',
      input: { text: 'amqp:resource-limit-exceeded Wait 10 seconds and try again. Operation type: AmqpLinkOpen' },
    },
    { retryAfterMs: 10_000 },
  ],
  'a status without its topic': [
    { transport: 'mqtt', input: { kind: 'twin-response', status: 429, payload: '' } },
    { category: 'throttled', httpStatus: 429 },
  ],
  'a registration refused, without its topic': [
    { transport: 'mqtt', input: { kind: 'dps-response', status: 401, payload: '{"errorCode":401002}' } },
    { category: 'unauthorized', httpStatus: 401, code: 401002 },
  ],
  'a return code as text': [
    { transport: 'mqtt', input: { kind: 'connack', returnCode: '0x5' } },
    { category: 'unauthorized', reasonCode: 5 },
  ],
  'Azure/azure-iot-sdk-python#797: words of a client where a socket has no code': [
    { transport: 'mqtt', input: { kind: 'socket', code: null, message: 'Paho returned rc==1' } },
    { category: 'network', code: null },
  ],
  'a reason in words only': [
    { transport: 'mqtt', input: { kind: 'disconnect', reason: 'session taken over' } },
    { category: 'conflict', code: null },
  ],
  'headers as pairs and a status as text': [
    { transport: 'http', input: { status: '404', headers: [['iothub-errorcode', 'DeviceNotOnline']], body: '' } },
    { category: 'offline', httpStatus: 404, code: 404103 },
  ],
  'a success that is none': [
    { transport: 'http', input: { status: 200, headers: {}, body: '<html>sign in</html>' } },
    { category: 'protocol', httpStatus: 200 },
  ],
} as const;

describe('a line of JSON', () => {
  test.each(Object.entries(records))('%s', (name, [record, expected]) => {
    expect(explained({ id: name, ...record })).toMatchObject({ id: name, ...expected });
  });

  test('comes out with every field, null where there is nothing', () => {
    expect(explained({ transport: 'log', input: { text: '' } })).toEqual({
      id: null,
      category: 'unknown',
      reason: 'Unlisted',
      code: null,
      httpStatus: null,
      condition: null,
      reasonCode: null,
      advice: 'never',
      transient: false,
      executed: 'unknown',
      retryAfterMs: null,
      trackingId: null,
      timestamp: null,
      detail: null,
    });
  });

  test('that is none is read as a line of a log', () => {
    expect(explained('ERROR amqp:link:stolen x')).toMatchObject({
      category: 'conflict',
      condition: 'amqp:link:stolen',
    });
  });

  test.each([
    '',
    'null',
    '[]',
    '5',
    '"x"',
    '{',
    '{"id":{}}',
    '{"transport":"http"}',
    '{"transport":"http","input":null}',
    '{"transport":"http","input":{"status":404,"headers":[1,[],[[]]]}}',
    '{"transport":"mqtt","input":{"kind":"twin-response","status":-1}}',
    '{"transport":"mqtt","input":{}}',
    '{"transport":"amqp","input":[]}',
    '{"transport":"sdk","input":{"name":5}}',
    '{"transport":"x","input":{"status":500}}',
  ])('never fails: %s', (line) => {
    expect(Object.keys(explained(line))).toHaveLength(14);
  });
});
