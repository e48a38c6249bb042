import { classify, fromJSON, isDeviceCloudError } from '@faultmap/core';
import { type EvidenceFields, evidence, isEvidence } from '@faultmap/core/adapter';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const now = Date.UTC(2026, 0, 15, 12);
const context = { readers: [readAzureSdk], now };

const words = fc.constantFrom(
  'ErrorCode:DeviceNotFound;x',
  'amqp:not-found',
  'status: 429',
  'ECONNRESET',
  'Wait 10 seconds',
  'x',
  '',
  'Tracking ID:0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9',
  'UnauthorizedError',
  '{"errorCode":404103}',
);
const text = fc.oneof(
  fc.string(),
  words,
  fc.array(words).map((all) => all.join(' ')),
);
const code = fc.oneof(
  fc.integer({ min: 0, max: 9_999_999 }),
  fc.constantFrom(404103, 403002, 429001, 500001, 401002, 202, 0),
);
const body = fc.oneof(
  text,
  fc.anything(),
  fc
    .record({ errorCode: code, message: text, trackingId: text, info: fc.anything() }, { requiredKeys: [] })
    .map((inner) => JSON.stringify({ Message: JSON.stringify(inner), ExceptionMessage: '' })),
);
const fields: fc.Arbitrary<EvidenceFields> = fc.record(
  {
    transport: fc.constantFrom('http', 'mqtt', 'amqp'),
    payloadCode: code,
    payloadName: text,
    textCode: code,
    condition: fc.constantFrom('amqp:not-found', 'amqp:internal-error', 'vendor:x', 'amqp:link:redirect'),
    scope: fc.constantFrom('connection', 'link', 'settlement', 'request'),
    answerStatus: fc.integer({ min: 0, max: 999 }),
    httpStatus: fc.integer({ min: 0, max: 999 }),
    reasonCode: fc.integer({ min: 0, max: 255 }),
    protocolVersion: fc.constantFrom(3, 4, 5),
    systemCode: fc.constantFrom('ECONNRESET', 'CERT_HAS_EXPIRED', 'EODD'),
    silentClose: fc.constant(true as const),
    text,
    trackingId: text,
    timestamp: text,
    retryAfterMs: fc.nat(),
    clockSkewMs: fc.integer(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<EvidenceFields>;
const input = fc.oneof(
  text,
  fc.anything(),
  fc.record({ status: fc.integer({ min: 100, max: 599 }), headers: fc.dictionary(text, text), body }),
  fc.record({ condition: text, description: text, info: fc.anything() }),
  fc.record({
    topic: fc.constantFrom('$iothub/twin/res/500/?$rid=1', '$dps/registrations/res/429/?retry-after=3', 'x'),
    payload: body,
  }),
  fc.record({
    cmd: fc.constantFrom('connack', 'disconnect', 'suback', 'puback'),
    reasonCode: fc.integer(),
    returnCode: fc.integer(),
    granted: fc.anything(),
  }),
  fc
    .tuple(text, fc.anything(), fc.anything())
    .map(([message, cause, code]) => Object.assign(new Error(message, { cause }), { code })),
  fields.map((one) => evidence(one)),
);

test('classify is total: an error of ours for anything', () => {
  fc.assert(
    fc.property(input, (one) => isDeviceCloudError(classify(one, context))),
    { numRuns: 3000 },
  );
});

test('classify is idempotent: an error comes back as it is', () => {
  fc.assert(
    fc.property(input, (one) => {
      const error = classify(one, context);
      expect(classify(error, context)).toBe(error);
    }),
    { numRuns: 500 },
  );
});

test('classify is deterministic', () => {
  fc.assert(
    fc.property(input, (one) => {
      expect(classify(one, context).toJSON()).toEqual(classify(one, context).toJSON());
    }),
    { numRuns: 1000 },
  );
});

test('fromJSON of toJSON is the same', () => {
  fc.assert(
    fc.property(input, (one) => {
      const json = classify(one, context).toJSON();
      expect(fromJSON(JSON.parse(JSON.stringify(json))).toJSON()).toEqual(json);
    }),
    { numRuns: 2000 },
  );
});

test('data that was handed over is not changed', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (one) => {
      const before = JSON.stringify(one);
      classify(one, context);
      expect(JSON.stringify(one)).toBe(before);
      expect(isEvidence(one)).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

test('a number that a wire form says is kept, whatever is around it', () => {
  const known = fc.integer({ min: 300_000, max: 599_999 });
  fc.assert(
    fc.property(
      known,
      fc.integer({ min: 300, max: 599 }),
      fc.dictionary(fc.string(), fc.string()),
      (number, status, info) => {
        const inner = JSON.stringify({ info, errorCode: number, message: 'x' });
        expect(classify({ status, body: JSON.stringify({ Message: inner }) }).code).toBe(number);
        expect(classify({ condition: 'amqp:internal-error', description: inner }).code).toBe(number);
        expect(classify({ topic: `$iothub/twin/res/${status}/?$rid=1`, payload: inner }).code).toBe(number);
        expect(classify(`call failed: ${inner}`).code).toBe(number);
      },
    ),
    { numRuns: 500 },
  );
});
