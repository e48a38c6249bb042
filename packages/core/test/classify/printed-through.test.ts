import { classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

const judged = (text: string) => classify(text, { readers: [readAzureSdk] });
const trackingId = 'b0c1b2a3948576e5f4a3b2c1d0e9f8a7-G:3-TimeStamp:05/05/2025 23:23:13';
const body = `{"errorCode":404103,"trackingId":"${trackingId}","message":"Timed out waiting for device to connect."}`;

describe('colours of a terminal are no part of the words', () => {
  test.each([
    ['\u001b[31m', '\u001b[0m'],
    ['\u001b[1;31m', '\u001b[39;49m'],
    ['[0;31m', '[0m'], // the escape character was lost in a copy
    [String.raw`\u001b[31m`, String.raw`\u001b[0m`], // in JSON
    [String.raw`\x1b[31m`, String.raw`\x1b[0m`],
    ['^[[31m', '^[[0m'],
  ])('%j', (on, off) => {
    const printed = (text: string) => judged(`${on}${text}${off}`);
    expect(printed('amqp:link:redirect')).toMatchObject({ condition: 'amqp:link:redirect', category: 'protocol' });
    expect(printed('DeviceMessageLockLost')).toMatchObject({ code: 412002 });
    expect(printed('IOTHUB_CLIENT_CONNECTION_NO_NETWORK')).toMatchObject({ category: 'network' });
    expect(printed('ErrorCodes.UnauthorizedAccess: x')).toMatchObject({ condition: 'amqp:unauthorized-access' });
    expect(printed(body)).toMatchObject({ code: 404103, trackingId });
  });
});

test('brackets of other things stay', () => {
  expect(judged('values[m] and [5m 3s] timed out').detail).toBe('values[m] and [5m 3s] timed out');
});

describe('quotes that a page or a table escaped', () => {
  const escaped = (quote: string) => body.replaceAll('"', quote);

  test.each([['&quot;'], ['&#34;'], ['&amp;quot;'], ['“'], ['""'], ['&#39;'], ['&#x27;'], ['&apos;']])(
    '%s',
    (quote) => {
      expect(judged(`failed: ${escaped(quote)}`)).toMatchObject({ code: 404103, trackingId });
    },
  );

  test('a table of values, with JSON in JSON', () => {
    const nested = JSON.stringify({ Message: body, ExceptionMessage: '' });
    const cell = `"Failed to invoke: ${nested.replaceAll('"', '""')}",2025-05-05`;
    expect(judged(cell)).toMatchObject({ code: 404103, trackingId });
  });

  test('an empty text beside a name stays one', () => {
    expect(judged(`x {"Message":"${body.replaceAll('"', String.raw`\"`)}","ExceptionMessage":""}`).code).toBe(404103);
  });

  test('an arrow', () => {
    expect(judged('[INFO] - --&gt; 401 {&quot;content-type&quot;: &quot;application/json&quot;}')).toMatchObject({
      httpStatus: 401,
    });
  });
});

test('a status is found in a line wrapped before it was quoted, however often', () => {
  let text = 'HTTP request failed: [401    \n       Unauthorized]';
  for (let times = 0; times < 3; times++) {
    expect(judged(text)).toMatchObject({ httpStatus: 401 });
    text = JSON.stringify({ msg: text });
  }
});
