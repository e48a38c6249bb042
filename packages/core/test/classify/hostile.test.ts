import { classify, iotHub, isDeviceCloudError } from '@faultmap/core';
import {
  isForeign,
  readAmqpAnswer,
  readAmqpError,
  readHttpAnswer,
  readMqttAnswer,
  readMqttPacket,
  readSystemError,
  readText,
  redact,
} from '@faultmap/core/adapter';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

const refuse = () => {
  throw new Error('no');
};
const proxy = new Proxy(
  {},
  { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse },
);
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const looped = new Error('a');
looped.cause = Object.assign(new Error('b'), { errors: [looped], cause: looped });

const odd: Record<string, unknown> = {
  undefined,
  null: null,
  number: 5,
  bigint: 1n,
  symbol: Symbol('x'),
  function: () => {},
  'an empty text': '',
  'an invalid date': new Date(Number.NaN),
  'a hostile proxy': proxy,
  'a revoked proxy': revoked,
  'a proxy of a function': new Proxy(() => {}, { get: refuse }),
  'a hostile getter': Object.defineProperty({}, 'status', { enumerable: true, get: refuse }),
  'an error with a hostile message': Object.defineProperty(new Error('x'), 'message', { get: refuse }),
  'a loop of causes': looped,
  'no prototype': Object.assign(Object.create(null), { status: 404 }),
  'a frozen error': Object.freeze(new Error('x')),
};

describe('classify never throws', () => {
  test.each(Object.entries(odd))('for %s', (_name, input) => {
    for (const readers of [[], [readAzureSdk], [refuse], [() => 5 as never]])
      expect(isDeviceCloudError(classify(input, { readers }))).toBe(true);
    expect(() => isForeign(input)).not.toThrow();
  });

  test('nor for evidence that holds the wrong types', () => {
    const brand = Symbol.for('faultmap.evidence');
    for (const value of [5, {}, [], null, proxy, () => {}]) {
      const fields = Object.fromEntries(
        [
          'payloadCode',
          'payloadName',
          'condition',
          'text',
          'trackingId',
          'reasonCode',
          'httpStatus',
          'statusProperty',
          'prose',
          'systemCode',
          'timedOut',
          'cause',
        ].map((key) => [key, value]),
      );
      expect(isDeviceCloudError(classify({ ...fields, [brand]: true }))).toBe(true);
    }
  });

  test('nor do the readers', () => {
    const readers = [
      readHttpAnswer,
      readAmqpError,
      readAmqpAnswer,
      readMqttPacket,
      readMqttAnswer,
      readSystemError,
      readText,
      readAzureSdk,
    ] as readonly ((input: never) => unknown)[];
    for (const reader of readers)
      for (const input of Object.values(odd)) expect(() => reader(input as never)).not.toThrow();
  });
});

/** Much more than any answer; each would take minutes if a single expression were not linear. */
const huge: Record<string, unknown> = {
  'a text of 10 MB': 'x'.repeat(10_000_000),
  'an answer of 10 MB': { status: 500, body: 'x'.repeat(10_000_000) },
  '10 MB of bytes': { status: 500, body: Buffer.alloc(10_000_000, '{"a":') },
  'JSON 10,000 deep': { status: 500, body: `${'{"message":'.repeat(10_000)}1${'}'.repeat(10_000)}` },
  'lists 10,000 deep': { status: 500, body: '['.repeat(10_000) + ']'.repeat(10_000) },
  'a million suback codes': { cmd: 'suback', granted: Array(1_000_000).fill(128) },
  'a topic of 1 MB': { topic: `$iothub/twin/res/400/?${'a&'.repeat(500_000)}`, payload: '' },
  'a hundred thousand headers': {
    status: 500,
    headers: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`h${i}`, ''])),
  },
  'an info map of a hundred thousand': {
    condition: 'amqp:not-found',
    info: new Map(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1])),
  },
  'a hundred thousand errors': Object.assign(new Error('x'), { errors: Array(100_000).fill(new Error('y')) }),
};
const repeated = [
  '"',
  '\\',
  '{',
  '<',
  ' \n',
  'sig=',
  '://',
  '\\"message\\":\\"',
  'ErrorCode:',
  'Tracking ID:',
  'trackingId:a-G:1',
  'status ',
  'AB_CD_',
  'DeviceNot',
  'DeviceNot '.repeat(3),
  'amqp:a-',
  'UnauthorizedError',
  'disconnect ',
  '<html><title',
  'wait ',
  'connection to ',
  'timestamp: ',
  'eyJaaaa-',
  'password',
  'key:',
  'bearer ',
  '-----BEGIN KEY-----',
  '_',
  'A',
  'com.microsoft:a',
  'exceeded ',
  'HTTP/1.1" ',
];

describe('the work is bounded', () => {
  test.each(Object.entries(huge))('for %s', (_name, input) => {
    expect(isDeviceCloudError(classify(input, { readers: [readAzureSdk] }))).toBe(true);
  });

  test.each(repeated)('for %j two million times', (part) => {
    const text = part.repeat(Math.ceil(2_000_000 / part.length));
    expect(isDeviceCloudError(classify(text, { readers: [readAzureSdk] }))).toBe(true);
    expect(redact(text).length).toBeLessThanOrEqual(65_536 * 2);
  });
});

test('a body pollutes no prototype', () => {
  const body = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"errorCode":404001}';
  expect(classify({ status: 404, body })).toMatchObject({ code: 404001 });
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('names of Object.prototype are no codes, categories or rules', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const error = classify({ status: 400, body: JSON.stringify({ Message: `ErrorCode:${name};x` }) });
    expect(error).toMatchObject({ category: 'bad-request' });
    expect(error.code).toBeUndefined();
    expect(classify(`ErrorCodes.${name}: x ${name}Error ${name}Exception`, { readers: [readAzureSdk] })).toMatchObject({
      category: 'unknown',
    });
  }
});

test('an error of ours comes back as it is', () => {
  const error = classify('x');
  expect(classify(error)).toBe(error);
  expect(classify(error, { catalogues: [iotHub], operation: 'y' })).toBe(error);
});
