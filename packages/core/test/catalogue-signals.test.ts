import { describe, expect, test } from 'vitest';
import { amqpConditionRows, amqpOutcomes } from '../src/catalogue/amqp-conditions.ts';
import { categoryTexts, stoppedTexts, textsWithoutCode } from '../src/catalogue/category-texts.ts';
import { httpStatusRows, judgeStatus, judgeUnlisted } from '../src/catalogue/http-statuses.ts';
import { conditionRow, rowOfCode } from '../src/catalogue/indexes.ts';
import { iotHub } from '../src/catalogue/iot-hub.ts';
import { judgeMqttName, judgeMqttReason, judgeMqttStatus, mqtt5Rows } from '../src/catalogue/mqtt-reasons.ts';
import { clientTimeouts, systemFault, systemFaultRows } from '../src/catalogue/system-faults.ts';
import { CATEGORIES } from '../src/categories.ts';

describe('AMQP conditions', () => {
  // The standard ones [AMQP 1.0 part 2, 2.8.15–2.8.18; part 4, 4.5.8].
  const STANDARD =
    'amqp:internal-error amqp:not-found amqp:unauthorized-access amqp:decode-error amqp:resource-limit-exceeded amqp:not-allowed amqp:invalid-field amqp:not-implemented amqp:resource-locked amqp:precondition-failed amqp:resource-deleted amqp:illegal-state amqp:frame-size-too-small amqp:connection:forced amqp:connection:framing-error amqp:connection:redirect amqp:session:window-violation amqp:session:errant-link amqp:session:handle-in-use amqp:session:unattached-handle amqp:link:detach-forced amqp:link:transfer-limit-exceeded amqp:link:message-size-exceeded amqp:link:redirect amqp:link:stolen amqp:transaction:unknown-id amqp:transaction:rollback amqp:transaction:timeout';
  // Azure's own, as its SDKs name them.
  const AZURE =
    'timeout message-lock-lost iot-hub-not-found-error iot-hub-suspended argument-error argument-out-of-range device-already-exists device-container-throttled quota-exceeded precondition-failed link-creation-conflict dead-letter server-busy container-close operation-cancelled auth-failed entity-disabled entity-already-exists publisher-revoked partition-not-owned store-lock-lost session-lock-lost session-cannot-be-locked message-not-found message-wait-timeout no-matching-subscription address-already-in-use relay-not-found';

  test.each([...STANDARD.split(' '), ...AZURE.split(' ').map((name) => `com.microsoft:${name}`)])(
    '%s is known',
    (name) => {
      expect(conditionRow(name)?.reason).toBe(name);
      expect(conditionRow(name.toUpperCase())?.condition).toBe(name);
    },
  );

  test('both spellings of errant-link are one', () => {
    expect(conditionRow('amqp:session-errant-link')).toBe(conditionRow('amqp:session:errant-link'));
  });

  test('no condition occurs twice, and cases and candidates name rows that exist', () => {
    const names = amqpConditionRows.flatMap((row) => [row.condition, ...(row.aliases ?? [])]);
    expect(new Set(names).size).toBe(names.length);
    for (const row of amqpConditionRows) {
      for (const one of [row, ...(row.cases ?? [])]) {
        for (const code of [one.code ?? [], one.candidates ?? []].flat()) {
          expect(rowOfCode(code, [iotHub]), `${row.condition}: ${code}`).toBeDefined();
        }
      }
    }
  });

  test('where a case names a code, category and advice are those of its row', () => {
    for (const { condition, cases, ...row } of amqpConditionRows) {
      for (const one of [row, ...(cases ?? [])]) {
        if (one.code === undefined) continue;
        const { category, advice } = rowOfCode(one.code, [iotHub]) ?? {};
        expect({ ...row, ...one }, condition).toMatchObject({ category, advice });
      }
    }
  });

  test('texts of cases are lower case, or they could never match', () => {
    for (const one of amqpConditionRows.flatMap((row) => row.cases ?? [])) {
      expect(one.text).toBe(one.text?.toLowerCase());
    }
  });

  test('released is safe to send again, modified with delivery-failed may not be', () => {
    expect(amqpOutcomes.released.executed).toBe('no');
    expect(amqpOutcomes['modified:delivery-failed'].executed).toBe('unknown');
  });
});

describe('MQTT reasons', () => {
  test.each([
    [1, 'protocol', 'never'],
    [2, 'bad-request', 'never'],
    [3, 'server', 'backoff'],
    [4, 'unauthorized', 'renew-credentials'],
    [5, 'unauthorized', 'renew-credentials'],
  ])('CONNACK %i of 3.1.1 is %s, %s', (value, category, advice) => {
    expect(judgeMqttReason(value, 'connack', 4)).toMatchObject({ category, advice, executed: 'no' });
    // Brokers without MQTT 5 answer a client of version 5 so, too.
    expect(judgeMqttReason(value, 'connack', 5)).toMatchObject({ category });
  });

  // Every reason from 0x80 up, with the packets it may come in [MQTT 5.0, table 2-6].
  test.each([
    [0x80, 'Unspecified error', 'connack puback pubrec suback unsuback disconnect', 'unknown'],
    [0x81, 'Malformed Packet', 'connack disconnect', 'protocol'],
    [0x82, 'Protocol Error', 'connack disconnect', 'protocol'],
    [0x83, 'Implementation specific error', 'connack puback pubrec suback unsuback disconnect', 'unknown'],
    [0x84, 'Unsupported Protocol Version', 'connack', 'protocol'],
    [0x85, 'Client Identifier not valid', 'connack', 'bad-request'],
    [0x86, 'Bad User Name or Password', 'connack', 'unauthorized'],
    [0x87, 'Not authorized', 'connack puback pubrec suback unsuback disconnect', 'unauthorized'],
    [0x88, 'Server unavailable', 'connack', 'server'],
    [0x89, 'Server busy', 'connack disconnect', 'server'],
    [0x8a, 'Banned', 'connack', 'unauthorized'],
    [0x8b, 'Server shutting down', 'disconnect', 'server'],
    [0x8c, 'Bad authentication method', 'connack disconnect', 'unauthorized'],
    [0x8d, 'Keep Alive timeout', 'disconnect', 'timeout'],
    [0x8e, 'Session taken over', 'disconnect', 'conflict'],
    [0x8f, 'Topic Filter invalid', 'suback unsuback disconnect', 'bad-request'],
    [0x90, 'Topic Name invalid', 'connack puback pubrec disconnect', 'bad-request'],
    [0x91, 'Packet Identifier in use', 'puback pubrec suback unsuback', 'protocol'],
    [0x92, 'Packet Identifier not found', 'pubcomp', 'protocol'],
    [0x93, 'Receive Maximum exceeded', 'disconnect', 'throttled'],
    [0x94, 'Topic Alias invalid', 'disconnect', 'protocol'],
    [0x95, 'Packet too large', 'connack disconnect', 'bad-request'],
    [0x96, 'Message rate too high', 'disconnect', 'throttled'],
    [0x97, 'Quota exceeded', 'connack puback pubrec suback disconnect', 'quota'],
    [0x98, 'Administrative action', 'disconnect', 'server'],
    [0x99, 'Payload format invalid', 'connack puback pubrec disconnect', 'bad-request'],
    [0x9a, 'Retain not supported', 'connack disconnect', 'bad-request'],
    [0x9b, 'QoS not supported', 'connack disconnect', 'bad-request'],
    [0x9c, 'Use another server', 'connack disconnect', 'not-found'],
    [0x9d, 'Server moved', 'connack disconnect', 'not-found'],
    [0x9e, 'Shared Subscriptions not supported', 'suback disconnect', 'bad-request'],
    [0x9f, 'Connection rate exceeded', 'connack disconnect', 'throttled'],
    [0xa0, 'Maximum connect time', 'disconnect', 'server'],
    [0xa1, 'Subscription Identifiers not supported', 'suback disconnect', 'bad-request'],
    [0xa2, 'Wildcard Subscriptions not supported', 'suback disconnect', 'bad-request'],
  ] as const)('%i %s in %s is %s', (value, reason, packets, category) => {
    for (const packet of packets.split(' ') as ('connack' | 'disconnect')[]) {
      const judged = judgeMqttReason(value, packet, 5);
      expect(judged).toMatchObject({ reason, category });
      // A refusal was not executed; at a DISCONNECT whatever was in flight is in doubt.
      const refused = !['disconnect', 'pubcomp'].includes(packet);
      expect(judged?.executed).toBe(refused ? 'no' : 'unknown');
    }
    expect(judgeMqttName(reason.toUpperCase())?.reason.toLowerCase()).toBe(reason.toLowerCase());
  });

  test('no reason is missing between 0x80 and 0xA2', () => {
    expect(mqtt5Rows.map((row) => row.value)).toEqual(Array.from({ length: 0xa3 - 0x80 }, (_, i) => 0x80 + i));
  });

  test('a subscription refused under 3.1.1 names no cause', () => {
    expect(judgeMqttReason(0x80, 'suback', 4)).toMatchObject({ reason: 'Failure', category: 'unknown' });
  });

  test.each([0, 1, 4, 0x10, 0x11, 0x18])('%i is no failure in an acknowledgement', (value) => {
    expect(judgeMqttReason(value, 'puback', 5)).toBeUndefined();
  });

  test.each([
    ['0100', 'bad-request', 'never'],
    ['0101', 'unauthorized', 'renew-credentials'],
    ['0102', 'bad-request', 'never'],
    ['0103', 'conflict', 'never'],
    ['0104', 'precondition', 'never'],
    ['0501', 'throttled', 'throttled'],
    ['501', 'throttled', 'throttled'],
    ['0502', 'quota', 'at-reset'],
    ['0503', 'quota', 'never'],
    ['0504', 'not-found', 'never'],
    ['0601', 'server', 'backoff'],
    ['0602', 'timeout', 'backoff'],
    ['0603', 'server', 'throttled'],
    ['06a0', 'offline', 'never'],
    ['06A1', 'timeout', 'backoff'],
    ['06A2', 'server', 'backoff'],
    // In no table: by its bits.
    ['01FF', 'bad-request', 'never'],
    ['05FF', 'throttled', 'throttled'],
    ['0299', 'server', 'backoff'],
  ])("IoT Hub's MQTT 5 status %s is %s, %s", (status, category, advice) => {
    expect(judgeMqttStatus(status)).toMatchObject({ category, advice });
  });

  test.each(['', '0000', 'zz', '00000', '-1'])('%j says nothing', (status) => {
    expect(judgeMqttStatus(status)).toBeUndefined();
  });
});

describe('HTTP statuses', () => {
  test.each([
    [301, 'not-found', 'never', 'no'],
    [400, 'bad-request', 'never', 'no'],
    [401, 'unauthorized', 'renew-credentials', 'no'],
    [403, 'unauthorized', 'never', 'no'],
    [404, 'not-found', 'never', 'no'],
    [405, 'bad-request', 'never', 'no'],
    [408, 'timeout', 'backoff', 'unknown'],
    [409, 'conflict', 'never', 'unknown'],
    [410, 'not-found', 'never', 'no'],
    [412, 'precondition', 'never', 'no'],
    [413, 'bad-request', 'never', 'no'],
    [415, 'bad-request', 'never', 'no'],
    [418, 'bad-request', 'never', 'no'],
    [422, 'bad-request', 'never', 'no'],
    [429, 'throttled', 'throttled', 'no'],
    [500, 'server', 'backoff', 'unknown'],
    [502, 'server', 'backoff', 'unknown'],
    [503, 'server', 'backoff', 'unknown'],
    [504, 'timeout', 'backoff', 'unknown'],
    [520, 'server', 'backoff', 'unknown'],
  ])('%i is %s, %s, executed: %s', (status, category, advice, executed) => {
    expect(judgeStatus(status)).toMatchObject({ category, advice, executed });
  });

  test('an unlisted number is judged as its status', () => {
    expect(judgeUnlisted(429_777)?.category).toBe('throttled');
    expect(judgeUnlisted(503_777)?.category).toBe('server');
    expect(judgeUnlisted(422_001)?.category).toBe('bad-request');
    // The provisioning service writes some numbers with three digits: they must not come to nothing.
    expect(judgeUnlisted(429)?.category).toBe('throttled');
  });

  test.each([0, 1, 99, 200, 202, 299, 600, 999, 1000, 299_999, 600_000, 4_010_020, -404, 404.5, Number.NaN])(
    '%d is no fault',
    (code) => {
      expect(judgeUnlisted(code)).toBeUndefined();
    },
  );

  test('no status occurs twice', () => {
    const statuses = httpStatusRows.map((row) => row.status);
    expect(new Set(statuses).size).toBe(statuses.length);
  });
});

describe('system faults', () => {
  test.each([
    ['ECONNREFUSED', 'network', 'backoff', 'no'],
    ['ENOTFOUND', 'network', 'backoff', 'no'],
    ['EAI_AGAIN', 'network', 'backoff', 'no'],
    ['ECONNRESET', 'network', 'backoff', 'unknown'],
    ['EPIPE', 'network', 'backoff', 'unknown'],
    ['ETIMEDOUT', 'timeout', 'backoff', 'unknown'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'network', 'never', 'no'],
    ['CERT_HAS_EXPIRED', 'network', 'never', 'no'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'network', 'never', 'no'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'network', 'never', 'no'],
    ['ERR_SSL_SOMETHING_NEW', 'network', 'never', 'no'],
    ['HPE_SOMETHING_NEW', 'protocol', 'never', 'unknown'],
  ])('%s is %s, %s, executed: %s', (code, category, advice, executed) => {
    expect(systemFault(code)).toMatchObject({ category, advice, executed });
  });

  test('a certificate out of its dates is not permanent: the clock may be what is off', () => {
    expect(systemFault('CERT_HAS_EXPIRED')).toMatchObject({ tls: true, dates: true });
    expect(systemFault('CERT_HAS_EXPIRED')?.permanent).toBeUndefined();
    expect(systemFault('DEPTH_ZERO_SELF_SIGNED_CERT')?.permanent).toBe(true);
    expect(systemFault('ENOTFOUND')?.permanent).toBeUndefined();
  });

  test.each(['', 'ERR_BAD_RESPONSE', 'ENOENT', 'constructor', 'not a code'])('%j is none', (code) => {
    expect(systemFault(code)).toBeUndefined();
  });

  test('no code occurs twice', () => {
    const codes = systemFaultRows.flatMap((row) => row.codes);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test('only a connection that was never made proves that nothing ran', () => {
    expect(clientTimeouts.connect.executed).toBe('no');
    expect(clientTimeouts.request.executed).toBe('unknown');
  });
});

describe('texts', () => {
  test('every category and every way to stop has its words', () => {
    expect(Object.keys(categoryTexts).sort()).toEqual([...CATEGORIES].sort());
    for (const text of Object.values(stoppedTexts)) expect(text).toMatch(/\.$/);
  });

  test('what was not repeated for fear of running twice names the option', () => {
    expect(stoppedTexts['not-idempotent']).toContain('idempotent: true');
  });

  test('a reason says more than its category, where it is known', () => {
    expect(textsWithoutCode('network', 'ENOTFOUND').summary).toContain('name');
    expect(textsWithoutCode('network', 'ESOMETHING')).toBe(categoryTexts.network);
    expect(textsWithoutCode('network', 'constructor')).toBe(categoryTexts.network);
  });
});
