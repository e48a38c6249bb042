import { classify } from '@faultmap/core';
import { parseRetryAfter } from '@faultmap/core/adapter';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const NOW = Date.UTC(2026, 0, 15, 12); // Thu, 15 Jan 2026 12:00:00 GMT

// RFC 9110, 10.2.3 and 5.6.7; the values are those on which seven libraries disagree.
test.each([
  ['0', 0],
  ['1.5', 1500],
  ['120', 120_000],
  [' 5 ', 5000],
  [7, 7000],
  ['86400', 86_400_000],
  ['10000000', 10_000_000_000],
  ['-1', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  ['abc', undefined],
  ['', undefined],
  ['5 s', undefined],
  ['Infinity', undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [-3, undefined],
  ['5, 10', 10_000],
  ['10, 5', 10_000],
  ['5, x', undefined],
  [['5', '10'], 10_000],
  [['5', 'x'], undefined],
  [[], undefined],
  ['Thu, 15 Jan 2026 12:00:10 GMT', 10_000],
  ['Thursday, 15-Jan-26 12:00:10 GMT', 10_000],
  ['Thu Jan 15 12:00:10 2026', 10_000],
  ['2026-01-15T12:00:10Z', 10_000],
  ['2026-01-15T12:00:10.500Z', 10_500],
  ['Thu, 15 Jan 2026 11:00:00 GMT', 0],
  ['Thu, 15 Foo 2026 12:00:10 GMT', undefined],
  ['Thu, 99 Jan 2026 12:00:10 GMT', undefined],
  ['2026-13-45T12:00:10Z', undefined],
  [undefined, undefined],
  [null, undefined],
  [{}, undefined],
  [true, undefined],
])('%j is %s ms', (value, ms) => {
  expect(parseRetryAfter(value, NOW)).toBe(ms);
});

test('seconds are never waited shorter than asked', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true }), (seconds) => {
      expect(parseRetryAfter(seconds, NOW)).toBeGreaterThanOrEqual(seconds * 1000);
    }),
  );
});

test('an HTTP date gives the same whatever the time zone of this machine', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      const date = new Date(seconds * 1000);
      expect(parseRetryAfter(date.toUTCString(), 0)).toBe(seconds * 1000);
      expect(parseRetryAfter(date.toISOString(), 0)).toBe(seconds * 1000);
    }),
  );
});

test('never throws, and never gives less than nothing', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const ms = parseRetryAfter(value, NOW);
      expect(ms === undefined || (ms >= 0 && Number.isFinite(ms))).toBe(true);
    }),
  );
});

test.each([
  ['HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\n', 30_000],
  ['{"headers":{"retry-after":"5"},"status":429}', 5000],
  ['$dps/registrations/res/429/?$rid=1&retry-after=3', 3000],
  ['The request has been throttled. Wait 10 seconds and try again.', 10_000],
  // a client's own plans
  ['azure-iot-common:RetryOperation Will retry after: 188.25 milliseconds', undefined],
  ['retry-after: 2026-01-01T00:00:00Z', undefined],
  ['retry-after-policy: 3', undefined],
])('in a text: %j', (text, ms) => {
  expect(classify(text).retryAfterMs).toBe(ms);
});
