import { iotHub, lookup } from '@faultmap/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeUnlisted } from '../src/catalogue/http-statuses.ts';
import { CATEGORIES } from '../src/categories.ts';

describe('lookup', () => {
  test('never throws and answers with a whole row or nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer(), fc.double(), fc.anything()), (asked) => {
        const found = lookup(asked as never);
        if (found === undefined) return;
        expect(CATEGORIES).toContain(found.category);
        expect(found.summary).not.toBe('');
        expect(found.fix).not.toBe('');
      }),
    );
  });

  test('does not care for the letter case of a name', () => {
    const names = iotHub.rows.flatMap((row) => [row.reason, ...(row.aliases ?? [])]);
    const flip = (name: string, mask: boolean[]) =>
      [...name].map((c, i) => (mask[i % mask.length] ? c.toUpperCase() : c.toLowerCase())).join('');
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), (name, mask) => {
        expect(lookup(flip(name, mask))).toEqual(lookup(name));
      }),
    );
  });

  test('an unlisted number is judged by its first three digits, and keeps its number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 400_000, max: 599_999 }), (code) => {
        const found = lookup(code);
        expect(found?.code === code || found?.misprints?.includes(code)).toBe(true);
        if (found?.kind === 'family') expect(found.category).toBe(judgeUnlisted(Math.floor(code / 1000))?.category);
      }),
    );
  });

  test.each([
    ['404103 DeviceNotOnline', 'DeviceNotOnline'],
    ['  404103  ', 'DeviceNotOnline'],
    ['Receive link throttled', 'ReceiveLinkOpensThrottled'],
    ['device-not-online', 'DeviceNotOnline'],
    ['amqp:session-errant-link', 'amqp:session:errant-link'],
    ['AMQP:LINK:STOLEN', 'amqp:link:stolen'],
    ['0x8E', 'Session taken over'],
    ['session taken over', 'Session taken over'],
    ['econnreset', 'ECONNRESET'],
    ['https://aka.ms/iothub403004', 'DeviceMaximumQueueDepthExceeded'],
    ['iot-hub-troubleshoot-error-404001-devicenotfound', 'DeviceNotFound'],
  ])('%s is found as %s', (asked, reason) => {
    expect(lookup(asked)?.reason).toBe(reason);
  });

  test.each([
    ['4xxNNN', 'bad-request'],
    ['5xx', 'server'],
    ['503xxx', 'server'],
    ['429xxx', 'throttled'],
    ['500xxx Internal errors', 'server'],
    ['404xxx', 'not-found'],
  ])('the family %s is %s', (asked, category) => {
    expect(lookup(asked)).toMatchObject({ kind: 'family', category });
  });

  test.each([999999, 12, -404103, 404103.5, Number.NaN, '', ' ', 'x'.repeat(1e6), 'constructor', '__proto__'])(
    'nothing is known of %s',
    (asked) => {
      expect(lookup(asked)).toBeUndefined();
    },
  );

  test.each([null, undefined, {}, [], Symbol('x')])('%s is no code', (asked) => {
    expect(lookup(asked as never)).toBeUndefined();
  });
});
