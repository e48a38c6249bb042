import { classify } from '@faultmap/core';
import { attachMqtt, readMqtt } from '@faultmap/mqtt';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

class ErrorWithReasonCode extends Error {
  readonly code: number;
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}
const withPacket = (message: string, packet: unknown) => Object.assign(new Error(message), { packet });
const coded = (code: string, message = code) => Object.assign(new Error(message), { code });

const forms: [name: string, input: unknown, level: number | undefined, expected: object | undefined][] = [
  [
    'CONNACK 5 of 3.1.1',
    new ErrorWithReasonCode('Connection refused: Not authorized', 5),
    4,
    { category: 'unauthorized', reasonCode: 5, reason: 'Not authorized' },
  ],
  [
    'CONNACK 5 from a broker without MQTT 5',
    new ErrorWithReasonCode('Connection refused: Not authorized', 5),
    5,
    { category: 'unauthorized', reasonCode: 5 },
  ],
  [
    'CONNACK 0x88',
    new ErrorWithReasonCode('Connection refused: Server unavailable', 136),
    5,
    { category: 'server', scope: 'connection' },
  ],
  [
    'PUBACK 0x97',
    new ErrorWithReasonCode('Publish error: Quota exceeded', 151),
    5,
    { category: 'quota', scope: 'publish', executed: 'no' },
  ],
  [
    'what mqtt.js holds against the server',
    new ErrorWithReasonCode('Protocol error: duplicate CONNACK', 130),
    5,
    { category: 'protocol' },
  ],
  ['a length that is none', new Error('Invalid variable byte integer'), 4, { category: 'protocol' }],
  [
    'SUBACK 0x80',
    withPacket('Subscribe error: Unspecified error', { cmd: 'suback', granted: [1, 128] }),
    4,
    { category: 'unknown', scope: 'subscription', reasonCode: 128 },
  ],
  [
    'SUBACK 0x87',
    withPacket('Subscribe error: Not authorized', { cmd: 'suback', granted: [135] }),
    5,
    { category: 'unauthorized', reasonCode: 135 },
  ],
  [
    'a connection that was closed',
    new Error('Connection closed'),
    4,
    { category: 'network', reason: 'ConnectionLost' },
  ],
  [
    'connack timeout',
    new Error('connack timeout'),
    4,
    { category: 'timeout', reason: 'ConnectTimeout', executed: 'no' },
  ],
  ['keepalive', new Error('Keepalive timeout'), 4, { category: 'timeout', reason: 'KeepAliveTimeout' }],
  ['websocket upgrade', new Error('Unexpected server response: 503'), 4, { category: 'server', httpStatus: 503 }],
  ['garbage', new Error('Invalid header flag bits, must be 0x0 for puback packet'), 4, { category: 'protocol' }],
  [
    'reset',
    coded('ECONNRESET', 'read ECONNRESET'),
    4,
    { category: 'network', reason: 'ECONNRESET', transport: 'mqtt' },
  ],
  ['a certificate', coded('CERT_HAS_EXPIRED'), 4, { category: 'network', advice: 'never' }],
  [
    'two addresses',
    Object.assign(new AggregateError([coded('ECONNREFUSED')], ''), { code: 'ECONNREFUSED' }),
    4,
    { reason: 'ECONNREFUSED', executed: 'no' },
  ],
  [
    'a DISCONNECT',
    { cmd: 'disconnect', reasonCode: 0x8e, properties: { reasonString: 'two of you' } },
    5,
    { category: 'conflict', detail: 'two of you' },
  ],
  [
    'a twin answer',
    { topic: '$iothub/twin/res/429/?$rid=1&retry-after=3', payload: Buffer.from('') },
    4,
    { category: 'throttled', retryAfterMs: 3_000 },
  ],
  ['an accepted CONNACK', { cmd: 'connack', returnCode: 0 }, 4, undefined],
  ['an acknowledgement without subscribers', { cmd: 'puback', reasonCode: 16 }, 5, undefined],
  ['a good answer', { topic: '$iothub/twin/res/200/?$rid=1', payload: '{}' }, 4, undefined],
  ['an error of the program', new TypeError('x is not a function'), 4, undefined],
  ['nothing', undefined, 4, undefined],
  ['a mistake of the program', new TypeError("Cannot read properties of undefined (reading 'topic')"), 4, undefined],
];

describe('readMqtt', () => {
  test.each(forms)('reads %s', (_, input, protocolVersion, expected) => {
    const seen = readMqtt(input, { protocolVersion });
    if (!expected) expect(seen).toBeUndefined();
    else expect(classify(seen)).toMatchObject(expected);
  });

  test.each(forms.filter(([, input]) => input instanceof Error))(
    'says of %s what core says alone, or more',
    (_, input) => {
      const [alone, read] = [classify(input), classify(input, { readers: [readMqtt] })];
      if (alone.category !== 'unknown') expect(read.category).toBe(alone.category);
    },
  );

  test('is a reader for classify', () => {
    const error = classify(new Error('Keepalive timeout'), { readers: [readMqtt], operation: 'watch' });
    expect(error.message).toContain('KeepAliveTimeout');
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('keeps of a packet what tells, and nothing that authenticates', () => {
    const packet = {
      cmd: 'connack',
      reasonCode: 135,
      properties: { reasonString: 'no', authenticationData: Buffer.from('planted') },
    };
    expect(JSON.stringify(readMqtt(packet)?.cause)).toBe('{"cmd":"connack","reasonCode":135,"reasonString":"no"}');
  });

  test('never throws, whatever it is given', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
        has: () => {
          throw new Error('no');
        },
      },
    );
    expect(() => readMqtt(hostile)).not.toThrow();
    const packet = fc.record(
      {
        cmd: fc.constantFrom('connack', 'disconnect', 'puback', 'suback', 'unsuback', 'publish', 'x'),
        reasonCode: fc.anything(),
        returnCode: fc.anything(),
        granted: fc.anything(),
        properties: fc.anything(),
        topic: fc.oneof(fc.string(), fc.constant('$iothub/twin/res/400/?$rid=1')),
        payload: fc.anything(),
        message: fc.anything(),
        code: fc.anything(),
        packet: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), packet), (input) => void readMqtt(input)),
      { numRuns: 2_000 },
    );
  });
});

test('attachMqtt takes the client type of mqtt.js, and no other options', () => {
  const check = () => {
    const client = {} as import('mqtt').MqttClient;
    attachMqtt(client, { operationTimeoutMs: undefined, reconnect: { onTakeOver: 'stop' } });
    // @ts-expect-error a misspelt option
    attachMqtt(client, { operationTimeout: 5 });
    // @ts-expect-error no client
    attachMqtt({});
    const handle = attachMqtt(client);
    handle.on('fault', ({ error }) => error.category);
    // @ts-expect-error no such event
    handle.on('error', () => {});
    return handle
      .request<{ desired: object }>('$iothub/twin/GET/')
      .then(({ payload, status }) => [payload.desired, status + 1]);
  };
  expect(check).toBeTypeOf('function');
});
