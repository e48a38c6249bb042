import { classify } from '@faultmap/core';
import { redact } from '@faultmap/core/adapter';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const KEY = 'c2VjcmV0a2V5c2VjcmV0a2V5c2VjcmV0a2V5c2VjcmU=';
const SIG = 'abcDEF123%2Bxyz%3D';

describe('a secret is masked', () => {
  test.each([
    [
      `SharedAccessSignature sr=hub%2Fdevices%2Fd&sig=${SIG}&se=1677331564`,
      'SharedAccessSignature sr=hub%2Fdevices%2Fd&sig=[redacted]&se=1677331564',
    ],
    [`HostName=h;DeviceId=d;SharedAccessKey=${KEY}`, 'HostName=h;DeviceId=d;SharedAccessKey=[redacted]'],
    [
      `SharedAccessKeyName=owner;sharedaccesskey=${KEY};x=1`,
      'SharedAccessKeyName=owner;sharedaccesskey=[redacted];x=1',
    ],
    [`AccountName=a;AccountKey=${KEY};EndpointSuffix=x`, 'AccountName=a;AccountKey=[redacted];EndpointSuffix=x'],
    ['Authorization: Bearer abcdefg.hijk', 'Authorization: [redacted]'],
    [`{"Authorization":"SharedAccessSignature sr=a&sig=${SIG}"}`, '{"Authorization":"[redacted]"}'],
    [`{'Authorization': 'SharedAccessSignature sr=a&sig=${SIG}', 'x': 1}`, "{'Authorization': '[redacted]', 'x': 1}"],
    [String.raw`{\"password\":\"p ss word!\",\"x\":1}`, String.raw`{\"password\":\"[redacted]\",\"x\":1}`],
    [`"authorization":"password: 'hunter2'"`, '"authorization":"[redacted]"'],
    ["mqttPassword: 'hunter2 x'", "mqttPassword: '[redacted]'"],
    ['sent Basic dXNlcjpwYXNz to', 'sent Basic [redacted] to'],
    ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abc-_def back', 'got [redacted] back'],
    ['amqps://user:p@ss@host.name/x', 'amqps://[redacted]@host.name/x'],
    ['-----BEGIN EC PRIVATE KEY-----\nMIIabc\n-----END EC PRIVATE KEY----- tail', '[redacted] tail'],
    [String.raw`-----BEGIN PRIVATE KEY-----\nMIIabc`, '[redacted]'],
    ['SHAREDACCESSKEY%3Dabcdef', 'SHAREDACCESSKEY%3D[redacted]'],
    [`the key ${KEY} is wrong`, 'the key [redacted] is wrong'],
    ['https://f.example/api/x?code=abc123abc123abc123==&y=1', 'https://f.example/api/x?code=[redacted]&y=1'],
    ['Bearer%20abc.def', 'Bearer%20[redacted]'],
    ['SharedAccess\n   Key=abcdef12\n   34567==;x', 'SharedAccess\n   Key=[redacted];x'],
    ['sr=a&sig=abc\n      DEF&se=1', 'sr=a&sig=[redacted]&se=1'],
  ])('%j', (text, masked) => {
    expect(redact(text)).toBe(masked);
  });
});

describe('prose is left alone', () => {
  test.each([
    'Timed out waiting for device to connect.',
    'This capability is not available for Basic Tier IoT Hub.',
    'Basic authentication failed',
    'bearer token expired',
    'the error code: DeviceMaximumQueueDepthExceeded',
    'The specified SAS token has an invalid signature. It does not match either the primary or secondary key.',
    'Tracking ID:0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24',
    'see https://aka.ms/iothub404103 for more',
  ])('%s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

/** Letters that a base64 secret is made of, long enough not to be a word. */
const secret = fc
  .tuple(fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{18,40}$/), fc.integer({ min: 10, max: 99 }))
  .map(([letters, digits]) => `${letters}${digits}`);
const around = fc.constantFrom(
  (s: string) => `sig=${s}&se=1`,
  (s: string) => `SIG%3D${s}`,
  (s: string) => `SharedAccessKey=${s};x`,
  (s: string) => `{"accountKey":"${s}"}`,
  (s: string) => `password: ${s}`,
  (s: string) => JSON.stringify({ a: JSON.stringify({ password: s }) }),
  (s: string) => `Authorization: Bearer ${s}`,
  (s: string) => `authorization=Basic ${s}==`,
  (s: string) => `mqtts://dev:${s}@h.example:8883/x`,
  (s: string) => `client_secret=${s}`,
);
const prose = fc.string({ maxLength: 30 }).map((text) => `${text} `);

describe('as properties', () => {
  test('no planted secret comes through', () => {
    fc.assert(
      fc.property(secret, around, prose, prose, (planted, wrap, before, after) => {
        expect(redact(`${before}${wrap(planted)} ${after}`)).not.toContain(planted);
      }),
      { numRuns: 2000 },
    );
  });

  test('nor any of several, on lines of their own', () => {
    const planted = fc.array(
      fc.oneof(
        fc.tuple(secret, around),
        fc.tuple(secret, around),
        fc.tuple(
          prose,
          fc.constant((s: string) => s),
        ),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(planted, fc.constantFrom('\n', '\r\n  ', ' '), (parts, gap) => {
        const masked = redact(parts.map(([s, wrap]) => wrap(s)).join(gap));
        for (const [s] of parts) if (s.length >= 20 && !s.endsWith(' ')) expect(masked).not.toContain(s);
      }),
      { numRuns: 2000 },
    );
  });

  test('nor one that a console wrapped', () => {
    fc.assert(
      fc.property(secret, around, fc.integer({ min: 6, max: 30 }), (planted, wrap, width) => {
        const lines = wrap(planted).match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
        const masked = redact(lines.join('\n    '));
        expect(masked.replace(/\n {4}/g, '')).not.toContain(planted);
      }),
      { numRuns: 2000 },
    );
  });

  test('masking twice is masking once', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            prose,
            fc.tuple(secret, around).map(([s, wrap]) => wrap(s)),
          ),
          { maxLength: 6 },
        ),
        (parts) => {
          const once = redact(parts.join('\n'));
          expect(redact(once)).toBe(once);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** Where a text may be split before it is looked at: a label that what makes a secret known stands behind. */
const containers = [
  (text: string) => text,
  (text: string) => `ErrorCode:${text}`,
  (text: string) => `ErrorCode: ${text};more`,
  (text: string) => `ErrorCode:DeviceNotFound;${text}`,
  (text: string) => JSON.stringify({ Message: `ErrorCode:${text}`, ExceptionMessage: '' }),
  (text: string) => JSON.stringify({ Message: JSON.stringify({ errorCode: 404001, message: text }) }),
  (text: string) => JSON.stringify({ authorization: text }),
];

test('no planted secret comes through a body, whatever labels stand before it', () => {
  fc.assert(
    fc.property(secret, around, fc.constantFrom(...containers), (planted, wrap, container) => {
      const text = container(wrap(planted));
      for (const input of [
        text,
        { status: 400, headers: {}, body: text },
        { condition: 'amqp:x', description: text },
      ]) {
        const error = classify(input);
        expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(planted);
      }
    }),
    { numRuns: 1_000 },
  );
});
