import { classify } from '@faultmap/core';
import { describe, expect, test } from 'vitest';

/** The recorded shapes: TrackingHelper.cs of the C# SDK, and captures in public reports (ids replaced). */
const shapes = [
  [
    '32 digits, gateway, time',
    '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24',
    '10/16/2025 03:11:24',
  ],
  ['without a gateway', '0a1b2c3d4e5f60718293a4b5c6d7e8f9-TimeStamp:03/15/2025 09:11:49', '03/15/2025 09:11:49'],
  [
    'capitals, G2, ISO time',
    '0A1B2C3D4E5F60718293A4B5C6D7E8F9-G2:-TimeStamp:2025-07-02T12:16:54.653313718Z',
    '2025-07-02T12:16:54.653313718Z',
  ],
  [
    'after a hop',
    '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:12/04/2025 15:17:09-G:11-TimeStamp:12/04/2025 15:17:10',
    '12/04/2025 15:17:10',
  ],
  [
    'backend and partition',
    '0a1b2c3d4e5f60718293a4b5c6d7e8f9-B:_Backend_0_38-P:3fc393f4-708c-4602-a1d2-849739744035-TimeStamp:01/03/2025 09:44:55',
    '01/03/2025 09:44:55',
  ],
  ['a GUID', 'e73aec30-0820-4d31-ae14-5477c4ee5214', undefined],
  ['of Event Hubs', '199d4ef5701b45dd9f64a6fc9fcde7f4_G28', undefined],
  ['of Event Hubs, with dashes', '8ed64a36-f063-43c8-97a5-382fe36360cf_B2', undefined],
] as const;

describe.each(shapes)('%s', (_name, trackingId, timestamp) => {
  test.each([
    ['a field', { status: 500, body: JSON.stringify({ errorCode: 500001, trackingId, message: 'x' }) }],
    [
      'a field of JSON in JSON',
      {
        status: 500,
        body: JSON.stringify({ Message: JSON.stringify({ errorCode: 500001, trackingId, message: 'x' }) }),
      },
    ],
    [
      'the ExceptionMessage',
      {
        status: 500,
        body: JSON.stringify({ Message: 'ErrorCode:ServerError;x', ExceptionMessage: `Tracking ID:${trackingId}` }),
      },
    ],
    ['info', { condition: 'amqp:internal-error', description: 'x', info: { 'com.microsoft:tracking-id': trackingId } }],
    ['prose', `An internal server error has occurred.\nTracking Id:${trackingId}`],
    ['prose that goes on', `failed. TrackingId:${trackingId}, SystemTracker:gateway5`],
    ['prose without a colon', `failed, tracking id ${trackingId}`],
    ['what Python prints', `{u'errorCode': 500001, u'trackingId': u'${trackingId}', u'message': u'x'}`],
    ['quotes escaped for a page', `{&quot;errorCode&quot;:500001,&quot;trackingId&quot;:&quot;${trackingId}&quot;}`],
    ['turned quotes', `{“Message”:“ErrorCode:ServerError;x”,“ExceptionMessage”:“Tracking ID:${trackingId}”}`],
    ['prose in JSON', JSON.stringify({ level: 'error', msg: `failed.\nTracking Id:${trackingId}` })],
    ['a frame log', `{amqp:not-found,x,{[com.microsoft:tracking-id:${trackingId}],[com.microsoft:is-filtered:true]}}`],
    [
      'a log line with JSON in it',
      `error: failed: {"Message":"{\\"errorCode\\":500001,\\"trackingId\\":\\"${trackingId}\\",\\"message\\":\\"x\\"}"} again`,
    ],
  ])('in %s', (_where, input) => {
    const error = classify(input);
    expect(error.trackingId).toBe(trackingId);
    if (timestamp !== undefined) expect(error.timestamp).toBe(timestamp);
  });

  test('cut off is not given: half an id finds nothing', () => {
    for (const cut of [trackingId.slice(0, -3), `${trackingId.slice(0, 20)}\n      ${trackingId.slice(20)}`])
      expect(classify(`error: {"errorCode":500001,"trackingId":"${cut}`).trackingId).toBeUndefined();
  });
});

test('a body that was cut off anywhere gives no half number and no half id', () => {
  const trackingId = shapes[0][1];
  const number = JSON.stringify({ errorCode: 404103, trackingId, message: 'm', timestampUtc: '2025-01-01T00:00:00Z' });
  const nested = JSON.stringify({ Message: number, ExceptionMessage: '' });
  const named = JSON.stringify({
    Message: 'ErrorCode:DeviceNotFound;d',
    ExceptionMessage: `Tracking ID:${trackingId}`,
  });
  for (const [body, code] of [
    [number, 404103],
    [nested, 404103],
    [named, 404001],
    [`failed: ${nested}`, 404103],
  ] as const)
    for (let end = 1; end < body.length; end++) {
      const cut = body.slice(0, end);
      for (const input of [cut, { status: 404, body: cut }, { condition: 'amqp:not-found', description: cut }]) {
        const error = classify(input);
        expect([code, undefined], cut).toContain(error.code);
        expect([trackingId, undefined], cut).toContain(error.trackingId);
      }
    }
});

test('an id of another grammar is kept where it has a field of its own', () => {
  for (const id of ['gw-7/2025-10-16T03:11:24Z', 'req_01HZX.west.3', 'G:9-B:7 03:11:24-x'])
    expect(classify({ status: 500, body: JSON.stringify({ errorCode: 500001, trackingId: id }) }).trackingId).toBe(id);
  for (const none of ['', 'two words', 'sig=abc', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abc', 'x'.repeat(500), 5, null])
    expect(
      classify({ status: 500, body: JSON.stringify({ errorCode: 500001, trackingId: none }) }).trackingId,
    ).toBeUndefined();
});

test('of a call that failed since one behind it did, the outer id, wherever the text stands', () => {
  const [outer, inner] = [shapes[0][1], shapes[1][1]];
  const behind = JSON.stringify({
    Message: 'ErrorCode:ThrottlingException;429',
    ExceptionMessage: `Tracking ID:${inner}`,
  });
  const body = JSON.stringify({
    Message: `ErrorCode:ThrottlingException;Error: 429 ${behind}`,
    ExceptionMessage: `Tracking ID:${outer}`,
  });
  for (const text of [
    body,
    `IotHubException: ${body}\n   at X`,
    JSON.stringify({ level: 'error', msg: `failed: ${body}` }),
  ])
    expect(classify(text).trackingId).toBe(outer);
});

test('what looks like none is none', () => {
  for (const text of ['Tracking ID:', 'TrackingId: (none)', '(TrackingID:  Time: )', 'tracking identity'])
    expect(classify(text).trackingId).toBeUndefined();
});

test('a time of the cloud comes from its own field first', () => {
  const body = JSON.stringify({
    errorCode: 500001,
    trackingId: shapes[0][1],
    message: 'x',
    timestampUtc: '2025-10-16T03:11:25.1Z',
  });
  expect(classify({ status: 500, body }).timestamp).toBe('2025-10-16T03:11:25.1Z');
  expect(classify('closed. Timestamp:7/13/2025 7:59:20 AM').timestamp).toBe('7/13/2025 7:59:20 AM');
});
