import { inspect } from 'node:util';
import { classify } from '@faultmap/core';
import { redact } from '@faultmap/core/adapter';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

const KEY = 'q7Vx2mTz9LkR4wB8nYcJ5hGfD3sPaE6uQ1iO0tZrWvU=';

describe('a secret is masked under more names', () => {
  test.each([
    // Authorization, whatever its scheme
    ['Authorization: SharedKeyLite acct:q7Vx2mTz9LkR4w=', 'Authorization: [redacted]'],
    ['Authorization: Custom q7Vx2mTz9LkR4w failed', 'Authorization: [redacted] failed'],
    ['Authorization: Digest username="u", nonce="n", response="0123abcd"', 'Authorization: [redacted]'],
    ['sent Digest username="u", response="0123abcd"', 'sent Digest [redacted]'],
    // keys of devices and enrolments
    ['IOTHUB_DEVICE_SECURITY_KEY=q7Vx2mTz9LkR4wB8', 'IOTHUB_DEVICE_SECURITY_KEY=[redacted]'],
    ['AZ_IOT_PROVISIONING_SAS_KEY = q7Vx2mTz9LkR4wB8==', 'AZ_IOT_PROVISIONING_SAS_KEY = [redacted]'],
    ['{"authenticationKey":"q7Vx2mTz9LkR4wB8nY"}', '{"authenticationKey":"[redacted]"}'],
    ['{"storageRootKey":"AToAAQALAAMAsgAgg3GXZ0SEs2"}', '{"storageRootKey":"[redacted]"}'],
    // passwords
    ['user=u pass=hunter2', 'user=u pass=[redacted]'],
    ['<password>hunter2</password>', '<password>[redacted]</password>'],
    ['&lt;password&gt;hunter2&lt;/password&gt;', '&lt;password&gt;[redacted]&lt;/password&gt;'],
    ['"password: ""hunter2""",1', '"password: ""[redacted]""",1'],
    // options of a command line
    ['curl -u user:hunter2 https://h.example', 'curl -u user:[redacted] https://h.example'],
    ['mosquitto_pub -u dev --pw hunter2 -t x', 'mosquitto_pub -u dev --pw [redacted] -t x'],
    ["Command arguments: ['--key', 'hunter2', '-n', 'h']", "Command arguments: ['--key', '[redacted]', '-n', 'h']"],
    ['az iot hub --primary-key hunter2', 'az iot hub --primary-key [redacted]'],
    // user information with what keys are made of
    ['amqps://owner:ab/cd+ef=@ns.example.net/x', 'amqps://[redacted]@ns.example.net/x'],
    ['mqtts://u:p@ss/w0rd!x@h.example:8883', 'mqtts://[redacted]@h.example:8883'],
    [String.raw`{"m":"x mqtts://u:p@ss/w0rd@h.example\n"}`, String.raw`{"m":"x mqtts://[redacted]@h.example\n"}`],
    [
      'Authorization: Digest username="u",\n   nonce="n", response="0123abcd4567"',
      'Authorization: [redacted]\n   nonce="n", response="[redacted]"',
    ],
    // all of it URL-encoded
    ['q=https%3A%2F%2Fuser%3Ahunter2%40h.example%2Fx', 'q=https%3A%2F%2F[redacted]%40h.example%2Fx'],
    ['q=SharedAccessKey%20%3D%20abcdef', 'q=SharedAccessKey%20%3D%20[redacted]'],
    ['q=%22password%22%3A%22hunter2%22', 'q=%22password%22%3A[redacted]'],
    ['q=a%20Bearer%20abc.def', 'q=a%20Bearer%20[redacted]'],
    ['q=%3Fcode%3Dabc123abc123abc123%3D%3D', 'q=%3Fcode%3D[redacted]'],
    ['q=-----BEGIN%20PRIVATE%20KEY-----%0AMIIabc%0A-----END%20PRIVATE%20KEY-----', 'q=[redacted]'],
    // cut by a console
    ['-----BEGIN RSA PRIVATE\n   KEY-----\n   MIIabc\n   DEF', '[redacted]'],
    ['Set-Cookie: ARRAffi\n   nity=q7Vx2mTz9LkR\n   4w; Path=/', 'Set-Cookie: [redacted]; Path=/'],
  ])('%j', (text, masked) => {
    expect(redact(text)).toBe(masked);
    expect(redact(masked)).toBe(masked);
  });
});

describe('what is no secret stays', () => {
  test.each([
    'https://h.example:443/devices/a@b',
    'http://h.example/x@y',
    'partitionKey: temperature-0001-abcdef',
    'SharedAccessKeyName=iothubowner',
    'tests pass: 12',
    'the monkey said: hello there everybody',
    'digest of the message: failed',
    '<Code>DeviceNotFound</Code><Message>x</Message>',
    'https://learn.microsoft.com/azure/iot-hub/x?tabs=node#a:b',
    'q=https%3A%2F%2Fh.example%2Fa%40b',
    'use --key to give one',
  ])('%s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

test('neither the class of an inner error nor a redirect gives one away', () => {
  const inner = Object.assign(new Error('One or more errors'), {
    name: 'System.AggregateException',
    InnerException: { Type: 'Authorization: Bearer abc.DEFghi123', Message: 'x' },
  });
  const redirect = {
    condition: 'amqp:link:redirect',
    description: 'x',
    info: { hostname: 'Bearer abcDEF123456', address: `x-api-key: ${KEY}` },
  };
  for (const input of [inner, redirect]) {
    const error = classify(input, { readers: [readAzureSdk] });
    const shown = `${error.message} ${error.detail} ${error.serverReference} ${JSON.stringify(error)} ${inspect(error)}`;
    expect(shown).not.toMatch(/DEF|q7Vx2m/);
  }
});
