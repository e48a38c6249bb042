import { classify, dps, iotHub } from '@faultmap/core';
import { type EvidenceFields, evidence, readAmqpError, readHttpAnswer } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';

/** One test per hazard: evidence that contradicts itself, and what has to win. */
const judged = (fields: EvidenceFields) => classify(evidence(fields));

describe('the number in the payload', () => {
  test('beats the HTTP status: a gateway answers 500 around a 404103', () => {
    expect(judged({ httpStatus: 500, payloadCode: 404103 })).toMatchObject({
      category: 'offline',
      code: 404103,
      httpStatus: 500,
    });
  });

  test('beats another name beside it, and the name of the number is told', () => {
    expect(judged({ payloadCode: 404001, payloadName: 'DeviceNotOnline' })).toMatchObject({
      code: 404001,
      reason: 'DeviceNotFound',
    });
  });

  test('beats the AMQP condition: 403004 under amqp:not-allowed is a full queue', () => {
    expect(judged({ condition: 'amqp:not-allowed', payloadCode: 403004 })).toMatchObject({
      category: 'quota',
      code: 403004,
    });
  });

  test('that no catalogue lists is kept and judged by its first three digits', () => {
    expect(judged({ httpStatus: 500, payloadCode: 404999 })).toMatchObject({
      category: 'not-found',
      code: 404999,
      reason: 'Unlisted',
    });
    expect(judged({ payloadCode: 500999 })).toMatchObject({ category: 'server', code: 500999, transient: true });
    expect(judged({ payloadCode: 429999 })).toMatchObject({ category: 'throttled', code: 429999 });
  });

  test('that no catalogue lists keeps the name the cloud gave beside it', () => {
    expect(judged({ payloadCode: 409999, payloadName: 'BrandNewConflict' })).toMatchObject({
      category: 'conflict',
      code: 409999,
      reason: 'BrandNewConflict',
    });
  });

  test('that is misprinted in the documentation is kept as it came, under the row it was meant for', () => {
    expect(judged({ payloadCode: 404102 })).toMatchObject({
      code: 404102,
      reason: 'DeviceNotOnline',
      category: 'offline',
    });
  });

  test('that says no fault leaves the status to decide', () => {
    expect(judged({ httpStatus: 503, payloadCode: 0 })).toMatchObject({
      category: 'server',
      httpStatus: 503,
    });
  });

  test('that is no number of a cloud at all leaves the status to decide', () => {
    expect(judged({ httpStatus: 503, payloadCode: 1_234_567 })).toMatchObject({ category: 'server', httpStatus: 503 });
  });
});

describe('the name', () => {
  test('in a header gives the number where the body has none', () => {
    const answer = readHttpAnswer({ status: 404, headers: { 'IotHub-ErrorCode': 'DeviceNotOnline' }, body: '' });
    expect(classify(answer)).toMatchObject({ code: 404103, category: 'offline' });
  });

  test('beats a number that prose only links to', () => {
    expect(judged({ payloadName: 'DeviceNotFound', textCode: 404103 })).toMatchObject({ code: 404001 });
  });

  test('in any letter case and known spelling', () => {
    expect(judged({ payloadName: 'IoTHubUnauthorizedAccess' })).toMatchObject({
      code: 401002,
      reason: 'IotHubUnauthorizedAccess',
    });
  });

  test('that any web server uses is no code: NotFound stays a status', () => {
    const error = judged({ httpStatus: 404, payloadName: 'NotFound' });
    expect(error).toMatchObject({ category: 'not-found', reason: 'NotFound' });
    expect(error.code).toBeUndefined();
  });

  test('that nobody knows leaves the status to decide', () => {
    expect(judged({ httpStatus: 409, payloadName: 'SomethingElse' })).toMatchObject({ category: 'conflict' });
  });
});

describe('the AMQP condition', () => {
  test('resource-limit-exceeded is the daily quota on a device link, a full queue on a service link', () => {
    const condition = 'amqp:resource-limit-exceeded';
    const at = (address: string) =>
      classify(readAmqpError({ condition, scope: 'delivery', direction: 'send', address }));
    expect(at('/devices/d1/messages/events')).toMatchObject({ code: 403002, advice: 'at-reset' });
    expect(at('amqps://hub.example/messages/devicebound')).toMatchObject({ code: 403004, advice: 'never' });
  });

  test('resource-limit-exceeded raised by this side is an idle connection, no quota', () => {
    const error = classify(
      readAmqpError({ condition: 'amqp:resource-limit-exceeded', scope: 'connection', local: true }),
    );
    expect(error).toMatchObject({ category: 'timeout', transient: true });
    expect(error.code).toBeUndefined();
  });

  test('resource-limit-exceeded without a place is told by its text', () => {
    const by = (description: string) => classify({ condition: 'amqp:resource-limit-exceeded', description });
    expect(by('max idle time exceeded')).toMatchObject({ category: 'timeout', transient: true });
    expect(by("Total number of messages on IotHub 'h' exceeded the allocated quota.")).toMatchObject({
      advice: 'at-reset',
      candidates: [403002],
    });
    expect(by('C2D messages exceeded the queue limit of 50')).toMatchObject({ advice: 'never', candidates: [403004] });
    expect(by('')).toMatchObject({ category: 'quota', candidates: [403002, 403004] });
  });

  test('without a place names no number, only candidates', () => {
    const error = classify({ condition: 'com.microsoft:message-lock-lost', description: '' });
    expect(error).toMatchObject({
      category: 'precondition',
      candidates: [412002],
      reason: 'com.microsoft:message-lock-lost',
    });
    expect(error.code).toBeUndefined();
  });

  test('not-allowed with a status in its text is what the status says', () => {
    const description = 'Service rejected the message with status: 429';
    expect(classify({ condition: 'amqp:not-allowed', description })).toMatchObject({
      category: 'throttled',
      httpStatus: 429,
    });
  });

  test('not-found on a settlement is a lost lock, elsewhere a missing device', () => {
    const of = (scope: 'settlement' | 'link') => classify(readAmqpError({ condition: 'amqp:not-found', scope }));
    expect(of('settlement')).toMatchObject({ code: 412002, executed: 'yes' });
    expect(of('link')).toMatchObject({ category: 'not-found', candidates: [404001, 404006, 404010] });
  });

  test('internal-error with the text of a take-over is no fault to reconnect after', () => {
    const description = 'Another AMQP Client has opened a new connection for the same device';
    expect(classify({ condition: 'amqp:internal-error', description })).toMatchObject({
      category: 'conflict',
      transient: false,
    });
  });

  test('a redirect with an address says where, one without is no use', () => {
    const info = { hostname: 'ns.example', 'network-host': 'ns-1.example', port: 5671, address: 'events' };
    expect(classify({ condition: 'amqp:link:redirect', info })).toMatchObject({
      category: 'not-found',
      serverReference: 'ns-1.example:5671/events',
    });
    expect(classify({ condition: 'amqp:link:redirect' })).toMatchObject({ category: 'protocol' });
  });

  test('that nobody knows is unknown and kept, whatever four SDKs make of it', () => {
    expect(classify({ condition: 'vendor:odd', description: 'x' })).toMatchObject({
      category: 'unknown',
      reason: 'vendor:odd',
      condition: 'vendor:odd',
    });
  });
});

describe('statuses and faults of the system', () => {
  test('the status of an answer beats a reason code of the packet', () => {
    expect(judged({ answerStatus: 429, reasonCode: 0x80 })).toMatchObject({ category: 'throttled' });
  });

  test('the status property of MQTT 5 beats the reason code that carries it', () => {
    expect(judged({ reasonCode: 0x83, packet: 'puback', protocolVersion: 5, statusProperty: '0501' })).toMatchObject({
      category: 'throttled',
      reasonCode: 0x83,
    });
  });

  test('an HTTP status beats a reset that ended the body', () => {
    expect(judged({ httpStatus: 503, systemCode: 'ECONNRESET' })).toMatchObject({ category: 'server' });
  });

  test('a success that was cut off is no success', () => {
    expect(judged({ httpStatus: 200, brokenAnswer: true })).toMatchObject({
      category: 'protocol',
      reason: 'BrokenAnswer',
    });
  });

  test('a code of the system beats the words around it: "Not authorized" when TCP was refused', () => {
    expect(classify('Failure on first connection (Not authorized): connect ECONNREFUSED 192.0.2.4:8883')).toMatchObject(
      {
        category: 'network',
        reason: 'ECONNREFUSED',
      },
    );
  });

  test('a 403 is a matter of rights, unless the words tell of a quota', () => {
    expect(judged({ transport: 'http', httpStatus: 403 })).toMatchObject({ category: 'unauthorized', advice: 'never' });
    expect(
      judged({ transport: 'http', httpStatus: 403, text: 'Total number of messages exceeded the allocated quota' }),
    ).toMatchObject({
      category: 'quota',
    });
  });

  test('a 403 on a twin is a quota: who is not signed in gets no answer there', () => {
    expect(classify({ topic: '$iothub/twin/res/403/?$rid=1', payload: '' })).toMatchObject({
      category: 'quota',
      advice: 'at-reset',
      candidates: [403002, 403001],
    });
  });

  test('a 404 whose words tell of an offline device is no missing one', () => {
    expect(judged({ httpStatus: 404, text: 'Timed out waiting for device to connect.' })).toMatchObject({
      category: 'offline',
    });
    expect(judged({ httpStatus: 404, text: 'Device d1 not registered' })).toMatchObject({ category: 'not-found' });
  });

  test('a close without a word over MQTT 3.1.1 names no cause, over MQTT 5 it is the network', () => {
    expect(judged({ transport: 'mqtt', silentClose: true, protocolVersion: 4 })).toMatchObject({
      category: 'unknown',
      transient: true,
      candidates: [400027, 401003, 403002, 404104, 413001, 429001],
    });
    expect(judged({ transport: 'mqtt', silentClose: true, protocolVersion: 5 })).toMatchObject({ category: 'network' });
  });

  test('nothing at all is unknown and not repeated', () => {
    expect(judged({})).toMatchObject({
      category: 'unknown',
      reason: 'Unlisted',
      transient: false,
      executed: 'unknown',
    });
  });
});

describe('which catalogue', () => {
  test("a user's own comes first and has its own texts", () => {
    const row = {
      code: 404001,
      reason: 'TurbineNotFound',
      category: 'not-found',
      httpStatus: 404,
      transports: [],
      advice: 'backoff',
      executed: 'no',
      scope: 'device',
    } as const;
    const own = { name: 'wind', rows: [row], texts: { 404001: { summary: 'No such turbine.', fix: 'Build one.' } } };
    const error = classify(evidence({ payloadCode: 404001 }), { catalogues: [own] });
    expect(error).toMatchObject({
      reason: 'TurbineNotFound',
      advice: 'backoff',
      summary: 'No such turbine.',
      fix: 'Build one.',
    });
    expect(classify(evidence({ payloadCode: 404103 }), { catalogues: [own] })).toMatchObject({
      reason: 'DeviceNotOnline',
    });
  });

  test('the service that answered explains its own numbers', () => {
    const of = (service: 'dps' | 'iot-hub') => judged({ payloadCode: 401002, service }).summary;
    expect(of('dps')).toBe(dps.texts?.[401002]?.summary);
    expect(of('iot-hub')).toBe(iotHub.texts?.[401002]?.summary);
    expect(of('dps')).not.toBe(of('iot-hub'));
  });

  test('a three-digit number of the provisioning service is no zero', () => {
    const seen = readHttpAnswer({ status: 429, body: '{"errorCode":429,"operationId":"4.x","message":"Too many"}' });
    expect(classify(seen)).toMatchObject({ category: 'throttled', code: 429 });
  });
});
