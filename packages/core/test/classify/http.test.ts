import { Readable } from 'node:stream';
import { classify } from '@faultmap/core';
import { readHttpAnswer } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';

/*
 * Bodies as they were captured in public reports (ids and times replaced); what is expected is
 * written by hand, not taken from the catalogue.
 */
const id = '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24';

const answers = {
  'number in JSON nested once (azure-iot-cli-extension#54)': {
    status: 404,
    body: `{"Message":"{\\"errorCode\\":404103,\\"trackingId\\":\\"${id}\\",\\"message\\":\\"Timed out waiting for device to connect.\\",\\"info\\":{\\"timeout\\":\\"00:01:00\\"},\\"timestampUtc\\":\\"2025-10-16T03:11:24.1Z\\"}","ExceptionMessage":""}`,
    expected: {
      code: 404103,
      reason: 'DeviceNotOnline',
      category: 'offline',
      executed: 'no',
      trackingId: id,
      timestamp: '2025-10-16T03:11:24.1Z',
      detail: 'Timed out waiting for device to connect.',
    },
  },
  'number in JSON nested twice': {
    status: 504,
    body: JSON.stringify({
      message: JSON.stringify({
        Message: JSON.stringify({
          errorCode: 504101,
          trackingId: id,
          message: 'Timed out waiting for the response from device.',
          info: {},
        }),
        ExceptionMessage: '',
      }),
    }),
    expected: { code: 504101, category: 'timeout', executed: 'unknown', trackingId: id },
  },
  'a sentence around the JSON (azure-iot-sdk-csharp#1089)': {
    status: 404,
    body: `Device {"Message":"{\\"errorCode\\":404103,\\"trackingId\\":\\"${id}\\",\\"message\\":\\"Timed out waiting for device to connect.\\"}","ExceptionMessage":""} not registered`,
    expected: { code: 404103, category: 'offline', trackingId: id, detail: 'Timed out waiting for device to connect.' },
  },
  'object-valued info and an id after a hop (azure-iot-sdk-java#640)': {
    status: 504,
    body: `{"Message":"{\\"errorCode\\":504101,\\"trackingId\\":\\"0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:12/04/2025 15:17:09-G:11-TimeStamp:12/04/2025 15:17:10\\",\\"message\\":\\"x\\",\\"info\\":{\\"a\\":{\\"b\\":[1]}}}"}`,
    expected: {
      code: 504101,
      trackingId:
        '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:12/04/2025 15:17:09-G:11-TimeStamp:12/04/2025 15:17:10',
      timestamp: '12/04/2025 15:17:10',
    },
  },
  'cut off by a logger (azure-iot-sdk-c capture)': {
    status: 403,
    body: '{"Message":"{\\"errorCode\\":403006,\\"trackingId\\":\\"0a1b2c3d4e5f60718293a4b5c6d7e8f9-B:_Backend_0_38-P:3fc393f4-708c-4602-a1d2-849739744035-TimeStamp:01/03/2025 09:44:55\\",\\"message\\":\\"Number of active file upload requests exceeded limit\\",',
    expected: {
      code: 403006,
      category: 'quota',
      trackingId:
        '0a1b2c3d4e5f60718293a4b5c6d7e8f9-B:_Backend_0_38-P:3fc393f4-708c-4602-a1d2-849739744035-TimeStamp:01/03/2025 09:44:55',
      detail: 'Number of active file upload requests exceeded limit',
    },
  },
  'wrapped by a console: the number holds, a broken id is not given': {
    status: 404,
    body: '{"Message":"{\\"errorCode\\":404103,\\"trackingId\\":\\"0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:0- \n    TimeStamp:08/25/2025 17:06:33\\",\\"message\\":\\"Timed out waiting for device to connect.\\",\\"timestampUtc\\":\\"2018-08- \n    24T17:49:33.201157Z\\"}"}',
    expected: {
      code: 404103,
      trackingId: undefined,
      timestamp: undefined,
      detail: 'Timed out waiting for device to connect.',
    },
  },
  'the old form, cut off behind the name': {
    status: 412,
    body: '{"Message":"ErrorCode:PreconditionFailed;The etag in the request does not match the etag of the existing res',
    expected: { code: 412001, reason: 'PreconditionFailed', category: 'precondition' },
  },
  'the old form: a name, text with more ; and :': {
    status: 409,
    body: `{"Message":"ErrorCode:DeviceAlreadyExists;A device with ID d:1 exists; choose another","ExceptionMessage":"Tracking ID:${id}"}`,
    expected: {
      code: 409001,
      reason: 'DeviceAlreadyExists',
      category: 'conflict',
      trackingId: id,
      detail: 'A device with ID d:1 exists; choose another',
    },
  },
  'a name inside a name: the outer id is the answer’s own': {
    status: 429,
    body: `{"Message":"ErrorCode:ThrottlingMaxActiveJobCountExceeded;Error: 429 {\\"Message\\":\\"ErrorCode:ThrottlingMaxActiveJobCountExceeded;429\\",\\"ExceptionMessage\\":\\"Tracking ID:bd0dc87e679a3f6ccffbb075dbe2f263-TimeStamp:02/06/2025 11:58:56\\"}","ExceptionMessage":"Tracking ID:${id}"}`,
    expected: { reason: 'ThrottlingMaxActiveJobCountExceeded', category: 'throttled', trackingId: id },
  },
  'an answer within an answer, the outer one first: its id, and the number of the inner': {
    status: 502,
    body: `{"trackingId":"${id}","errorCode":502,"message":"{\\"errorCode\\":404103,\\"trackingId\\":\\"bd0dc87e679a3f6ccffbb075dbe2f263\\",\\"message\\":\\"x\\"}"}`,
    expected: { code: 404103, trackingId: id },
  },
  'the same with the inner one first': {
    status: 502,
    body: `{"message":"{\\"errorCode\\":404103,\\"message\\":\\"x\\"}","errorCode":502,"trackingId":"${id}"}`,
    expected: { code: 404103, trackingId: id },
  },
  'the same, cut off: six digits are the cloud’s, three a status': {
    status: 502,
    body: '{"message":"{\\"errorCode\\":404103,\\"message\\":\\"x\\"}","errorCode":502,"trackingId":"bd0d',
    expected: { code: 404103, trackingId: undefined },
  },
  'a wait in prose (Iot-Telemetry-Simulator#39)': {
    status: 429,
    body: '{"Message":"ErrorCode:ThrottlingBacklogTimeout;THROTTLED. Wait 10 seconds and try again. Operation type: CRUD"}',
    expected: { code: 429003, category: 'throttled', executed: 'no', retryAfterMs: 10_000 },
  },
  'flat, of the provisioning service (vscode-iot-workbench#590)': {
    status: 401,
    body: '{"errorCode":401002,"trackingId":"5f58ab41-6154-4565-a531-4c11cf286e85","message":"Invalid certificate","timestampUtc":"2019-03-15T19:43:02.79Z","info":{"k":"v"}}',
    expected: {
      code: 401002,
      category: 'unauthorized',
      trackingId: '5f58ab41-6154-4565-a531-4c11cf286e85',
      timestamp: '2019-03-15T19:43:02.79Z',
    },
  },
  'a failed registration inside a 200 (iotedge#3233)': {
    status: 200,
    body: '{"operationId":"4.x","status":"failed","registrationState":{"registrationId":"d","status":"failed","errorCode":400209,"errorMessage":"Custom allocation failed with status code: 500"}}',
    expected: {
      code: 400209,
      category: 'bad-request',
      httpStatus: 200,
      detail: 'Custom allocation failed with status code: 500',
    },
  },
  'a disabled registration inside a 200': {
    status: 200,
    body: '{"operationId":"4.x","status":"disabled"}',
    expected: { category: 'unauthorized', reason: 'RegistrationDisabled', code: undefined },
  },
  'of the resource manager': {
    status: 409,
    body: '{"error":{"code":"IotHubNameUnavailable","message":"taken","details":[{"code":"X","message":"y"}]}}',
    expected: { category: 'conflict', detail: 'taken' },
  },
  'a phrase of HTTP as code of the resource manager is no code of the hub': {
    status: 503,
    body: '{"error":{"code":"ServiceUnavailable","message":"x"}}',
    expected: { category: 'server', code: undefined, reason: 'ServiceUnavailable' },
  },
  'a page of a gateway': {
    status: 502,
    body: '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>',
    expected: { category: 'server', reason: 'BadGateway', detail: '502 Bad Gateway' },
  },
  'empty, with a name in the header': {
    status: 401,
    body: '',
    headers: { 'iothub-errorcode': 'IotHubUnauthorizedAccess' },
    expected: { code: 401002, category: 'unauthorized' },
  },
  'empty, without anything': { status: 412, body: undefined, expected: { category: 'precondition', code: undefined } },
  'null instead of an object': { status: 500, body: 'null', expected: { category: 'server' } },
} as const;

describe('an HTTP answer', () => {
  test.each(Object.entries(answers))('%s', (_name, { expected, ...answer }) => {
    expect(classify(readHttpAnswer(answer))).toMatchObject({
      transport: 'http',
      httpStatus: answer.status,
      ...expected,
    });
  });

  test('is the same as string, bytes, other bytes or parsed', () => {
    const { body } = answers['number in JSON nested once (azure-iot-cli-extension#54)'];
    const bytes = new TextEncoder().encode(body);
    for (const form of [body, Buffer.from(body), bytes, bytes.buffer, JSON.parse(body)])
      expect(classify({ status: 404, body: form })).toMatchObject({ code: 404103, trackingId: id });
  });

  test('leaves a stream as it is', () => {
    const stream = Readable.from(['{"errorCode":404103}']);
    expect(classify(readHttpAnswer({ status: 404, body: stream }))).toMatchObject({ category: 'not-found' });
    expect(stream.readableDidRead).toBe(false);
  });

  test('that succeeds is none, also when a device answered 500 to a method', () => {
    expect(readHttpAnswer({ status: 200, body: '{"status":500,"payload":null}' })).toBeUndefined();
    expect(readHttpAnswer({ status: 202, body: '{"operationId":"4.x","status":"assigning"}' })).toBeUndefined();
    expect(readHttpAnswer({ status: 204 })).toBeUndefined();
  });

  test('never leaves the input changed', () => {
    const answer = Object.freeze({
      status: 404,
      headers: Object.freeze({ a: 'b' }),
      body: Object.freeze({ Message: Object.freeze({ errorCode: 404001 }) }),
    });
    expect(classify(answer)).toMatchObject({ code: 404001 });
  });
});

describe('headers', () => {
  test.each([
    ['plain', { 'retry-after': '7' }],
    ['in capitals', { 'Retry-After': '7' }],
    ['of fetch', new Headers({ 'retry-after': '7' })],
    ['a Map', new Map([['retry-after', '7']])],
    ['in ms', { 'retry-after-ms': '7000', 'retry-after': '1' }],
    ['in ms, of Azure', { 'x-ms-retry-after-ms': '7000' }],
    ['sent twice', { 'retry-after': ['5', '7'] }],
  ])('%s: a wait of 7 s', (_name, headers) => {
    expect(classify(readHttpAnswer({ status: 429, headers }))).toMatchObject({ retryAfterMs: 7000 });
  });

  test('a date counts from now', () => {
    const now = Date.UTC(2026, 0, 15, 12);
    const seen = readHttpAnswer({ status: 503, headers: { 'retry-after': 'Thu, 15 Jan 2026 12:00:30 GMT' }, now });
    expect(classify(seen)).toMatchObject({ retryAfterMs: 30_000 });
  });

  test('a redirect says where to', () => {
    const seen = readHttpAnswer({ status: 307, headers: { location: 'https://hub-2.example/devices/d?sig=abc' } });
    expect(classify(seen)).toMatchObject({
      category: 'not-found',
      serverReference: 'https://hub-2.example/devices/d?sig=[redacted]',
    });
  });

  test('the request id of the provisioning service is the tracking id', () => {
    const seen = readHttpAnswer({
      status: 401,
      headers: { 'x-ms-request-id': '5f58ab41-6154-4565-a531-4c11cf286e85' },
    });
    expect(classify(seen)).toMatchObject({ trackingId: '5f58ab41-6154-4565-a531-4c11cf286e85' });
  });

  test('a 401 with a clock that is off says so, with one that is right does not', () => {
    const date = 'Thu, 15 Jan 2026 12:00:00 GMT';
    const at = (now: number) => classify(readHttpAnswer({ status: 401, headers: { date }, now }));
    const cloud = Date.UTC(2026, 0, 15, 12);
    expect(at(cloud + 12 * 60_000).fix).toMatch(
      /^The clock of this machine is 12 minutes ahead of the cloud's: set it right first\./,
    );
    expect(at(cloud - 3_600_000)).toMatchObject({ clockSkewMs: -3_600_000 });
    expect(at(cloud + 60_000).fix).not.toMatch(/clock of this machine/);
  });

  test('a used-up daily quota knows when it starts anew', () => {
    const seen = readHttpAnswer({ status: 403, body: '{"Message":"ErrorCode:IotHubQuotaExceeded;x"}' });
    const error = classify(seen, { now: Date.UTC(2026, 11, 31, 23, 59) });
    expect(error).toMatchObject({
      code: 403002,
      advice: 'at-reset',
      transient: false,
      resetAt: new Date('2027-01-01T00:00:00Z'),
    });
  });
});
