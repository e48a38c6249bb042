import { type Catalogue, type CodeRow, classify, dps, iotHub, lookup } from '@faultmap/core';
import { describe, expect, test } from 'vitest';
import { rowOfCode, rowOfName } from '../src/catalogue/indexes.ts';

/*
 * The 17 rows of the page "Common error codes", written down here by hand from the page and its
 * corrections, not from the catalogue: a test that reads its expectation from the data repeats its
 * mistakes.
 */
const SEED = [
  // code, what the page calls it, its status, category, advice, executed at a first attempt
  [400004, 'ArgumentInvalid', 400, 'bad-request', 'never', 'no'],
  [400027, 'ConnectionForcefullyClosedOnNewConnection', null, 'conflict', 'never', 'unknown'],
  [401003, 'IoTHubUnauthorized', 401, 'unauthorized', 'renew-credentials', 'no'],
  [403002, 'IoTHubQuotaExceeded', 403, 'quota', 'at-reset', 'no'],
  [403004, 'DeviceMaximumQueueDepthExceeded', 403, 'quota', 'never', 'no'],
  [403006, 'DeviceMaximumActiveFileUploadLimitExceeded', 403, 'quota', 'never', 'no'],
  [404001, 'DeviceNotFound', 404, 'not-found', 'never', 'no'],
  [404103, 'DeviceNotOnline', 404, 'offline', 'never', 'no'],
  [404104, 'DeviceConnectionClosedRemotely', 404, 'offline', 'backoff', 'unknown'],
  [409001, 'DeviceAlreadyExists', 409, 'conflict', 'never', 'unknown'],
  [409002, 'LinkCreationConflict', null, 'conflict', 'never', 'unknown'],
  [412001, 'PreconditionFailed', 412, 'precondition', 'never', 'no'],
  [412002, 'DeviceMessageLockLost', null, 'precondition', 'never', 'yes'],
  [429001, 'ThrottlingException', 429, 'throttled', 'throttled', 'no'],
  [500001, 'ServerError', 500, 'server', 'backoff', 'unknown'],
  [503003, 'PartitionNotFound', 503, 'server', 'backoff', 'unknown'],
  [504101, 'GatewayTimeout', 504, 'timeout', 'backoff', 'unknown'],
] as const;

describe('the 17 rows of the common error codes', () => {
  test.each(SEED)('%i %s', (code, name, httpStatus, category, advice, executed) => {
    const found = lookup(code);
    expect(found).toMatchObject({ kind: 'code', code, httpStatus, category, advice, executed });
    // Found by the page's own spelling of the name as well, whatever its letter case.
    expect(lookup(name)?.code).toBe(code);
    expect(found?.transient).toBe(['now', 'backoff', 'throttled'].includes(advice));
  });

  test('the row printed as 404104 that links to 404001 is findable under both', () => {
    const found = lookup(404104);
    expect(found?.reason).toBe('DeviceConnectionClosedRemotely');
    expect(found?.alsoPrintedFor?.map((row) => [row.code, row.reason])).toEqual([[404001, 'DeviceNotFound']]);
  });

  test('500xxx is a family, not a number', () => {
    expect(lookup('500xxx')).toMatchObject({
      kind: 'family',
      category: 'server',
      advice: 'backoff',
      executed: 'unknown',
    });
    expect(lookup('500XXX')?.category).toBe('server');
    expect(lookup('500xxx')).not.toHaveProperty('code');
  });
});

describe('what the documentation misprints', () => {
  test.each([
    [5000001, 500001],
    ['5000001', 500001],
    [404102, 404103],
  ])('%s is found as %i', (printed, code) => {
    expect(lookup(printed)?.code).toBe(code);
  });

  test('names that sources give to two numbers are found, with the other number beside', () => {
    expect(lookup('JobQuotaExceeded')).toMatchObject({ code: 403003, alsoPrintedFor: [{ code: 403001 }] });
    expect(lookup('IotHubSuspended')).toMatchObject({ code: 403001, alsoPrintedFor: [{ code: 400020 }] });
    expect(lookup('InvalidThrottleParameter')).toMatchObject({ code: 500009, alsoPrintedFor: [{ code: 429003 }] });
  });

  test('"400 Bad Format" is 400 Bad Request', () => {
    expect(lookup('Bad Format')).toMatchObject({ code: 400, category: 'bad-request' });
    expect(lookup('Bad Request')).toMatchObject({ code: 400, category: 'bad-request' });
  });
});

describe('facts that a rule by the first digits would get wrong', () => {
  test.each([
    [400021, 'cancelled', 'backoff', 'unknown'],
    [400023, 'precondition', 'never', 'no'],
    [400024, 'timeout', 'backoff', 'unknown'],
    [400029, 'server', 'now', 'unknown'],
    [400030, 'server', 'backoff', 'no'],
    [401001, 'not-found', 'never', 'no'],
    [401002, 'unauthorized', 'renew-credentials', 'no'],
    [403001, 'unauthorized', 'never', 'no'],
    [403010, 'unauthorized', 'never', 'no'],
    [403011, 'unauthorized', 'never', 'no'],
    [403012, 'unauthorized', 'never', 'no'],
    [404012, 'server', 'backoff', 'unknown'],
    [413001, 'bad-request', 'never', 'no'],
    [429005, 'throttled', 'throttled', 'no'],
    [500002, 'cancelled', 'never', 'unknown'],
    [500008, 'server', 'backoff', 'no'],
    [503008, 'throttled', 'throttled', 'no'],
  ])('%i is %s, %s, executed: %s', (code, category, advice, executed) => {
    expect(lookup(code)).toMatchObject({ category, advice, executed });
  });

  test('429005 concerns one device, 429001 the hub', () => {
    expect(lookup(429005)?.scope).toBe('device');
    expect(lookup(429001)?.scope).toBe('hub');
  });
});

describe.each([iotHub, dps])('catalogue $name', (catalogue: Catalogue) => {
  test('no number occurs twice', () => {
    const codes = catalogue.rows.map((row) => row.code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test('no spelling means two rows, but for a status and its exact code', () => {
    const seen = new Map<string, CodeRow>();
    const clashes: string[] = [];
    for (const row of catalogue.rows) {
      for (const name of [row.reason, ...(row.aliases ?? [])]) {
        const other = seen.get(name.toLowerCase());
        if (other && row.code >= 1000 && other.code >= 1000) clashes.push(`${name}: ${other.code} and ${row.code}`);
        seen.set(name.toLowerCase(), row);
      }
    }
    // Seen under two numbers; what separates them is documented nowhere.
    expect(clashes).toEqual(catalogue.name === 'azure-iot-dps' ? ['CustomAllocationFailed: 400207 and 400209'] : []);
  });

  test('every row has a summary, a fix and a source, in a sentence', () => {
    for (const row of catalogue.rows) {
      const texts = catalogue.texts?.[row.code];
      expect(texts?.summary, String(row.code)).toMatch(/^[A-Z].*\.$/);
      expect(texts?.fix, String(row.code)).toMatch(/^[A-Z].*\.$/);
      expect(texts?.source, String(row.code)).toMatch(/\S/);
    }
    expect(
      Object.keys(catalogue.texts ?? {})
        .map(Number)
        .sort(),
    ).toEqual(catalogue.rows.map((row) => row.code).sort());
  });

  test('every row is found by number, number as text, name and alias, in any letter case', () => {
    for (const row of catalogue.rows) {
      expect(lookup(row.code, [catalogue])?.reason).toBe(row.reason);
      expect(lookup(String(row.code), [catalogue])?.code).toBe(row.code);
      // A status gives its phrase away to the exact row of that name.
      if (row.code < 1000) continue;
      for (const name of [row.reason, ...(row.aliases ?? [])]) {
        const found = lookup(name.toUpperCase(), [catalogue]);
        expect([found, ...(found?.alsoPrintedFor ?? [])].map((one) => one?.code)).toContain(row.code);
      }
    }
  });

  test('a row seen over no HTTP has no status, and every other the status of its number', () => {
    for (const row of catalogue.rows) {
      if (row.httpStatus === null || row.httpStatus === 200) continue;
      expect(row.httpStatus).toBe(row.code < 1000 ? row.code : Math.floor(row.code / 1000));
    }
  });
});

test('no row is lost: at least 179 numbers of IoT Hub, 19 of the provisioning service', () => {
  expect(iotHub.rows.length).toBeGreaterThanOrEqual(179);
  expect(dps.rows.length).toBeGreaterThanOrEqual(19);
});

describe('what is no fault decides nothing', () => {
  test("one SDK's placeholder 0 and DPS's 202 are shown but not matched", () => {
    expect(lookup(0)).toMatchObject({ reason: 'InvalidErrorCode', notAFault: true });
    expect(lookup(202)).toMatchObject({ reason: 'Accepted', notAFault: true });
    expect(rowOfCode(0, [iotHub, dps])).toBeUndefined();
    expect(rowOfCode(202, [iotHub, dps])).toBeUndefined();
    expect(rowOfName('InvalidErrorCode', [iotHub, dps])).toBeUndefined();
  });
});

describe('user catalogues', () => {
  const own: Catalogue = {
    name: 'acme',
    rows: [
      {
        code: 70077,
        reason: 'CoolantLow',
        category: 'precondition',
        httpStatus: null,
        transports: ['mqtt'],
        advice: 'never',
        executed: 'no',
        scope: 'device',
      },
    ],
    texts: { 70077: { summary: 'The coolant is low.', fix: 'Fill it up.' } },
  };

  test('are searched before the built-in ones', () => {
    expect(lookup(70077)).toBeUndefined();
    expect(lookup(70077, [own])).toMatchObject({ catalogue: 'acme', summary: 'The coolant is low.' });
    expect(lookup('coolantlow', [own])?.code).toBe(70077);
    expect(lookup(404103, [own])?.reason).toBe('DeviceNotOnline');
  });

  test('decide before the built-in ones, by number and by name', () => {
    expect(classify({ status: 409, body: '{"errorCode":70077}' }, { catalogues: [own] })).toMatchObject({
      code: 70077,
      reason: 'CoolantLow',
      category: 'precondition',
      fix: 'Fill it up.',
    });
    const renamed = { name: 'other', rows: own.rows.map((row) => ({ ...row, code: 404103 })) };
    expect(classify({ status: 404, body: '{"errorCode":404103}' }, { catalogues: [renamed] }).reason).toBe(
      'CoolantLow',
    );
    expect(classify({ status: 404, body: '{"errorCode":404103}' }).reason).toBe('DeviceNotOnline');
  });

  test.each([{}, { rows: null }, { rows: [null, {}, { code: 'x' }] }])('%j is ignored', (broken) => {
    const context = { catalogues: [broken as never] };
    expect(classify({ status: 404, body: '{"errorCode":404103}' }, context).reason).toBe('DeviceNotOnline');
    expect(lookup(404103, [broken as never])?.reason).toBe('DeviceNotOnline');
    expect(lookup('DeviceNotOnline', [broken as never])?.code).toBe(404103);
  });

  test('have the texts of the category where they bring none', () => {
    const bare = { name: own.name, rows: own.rows };
    expect(lookup(70077, [bare])?.fix).toMatch(/Read again/);
  });
});
