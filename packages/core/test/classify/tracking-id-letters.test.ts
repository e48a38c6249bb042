import { classify } from '@faultmap/core';
import { describe, expect, test } from 'vitest';

const time = '-G:3-TimeStamp:05/05/2025 23:23:13';

describe('a tracking id in prose is whole, whatever it begins with', () => {
  // `b` and `u` stand before a text in quotes as Python prints it, and begin an id as well as any other letter.
  test.each([
    ['Tracking ID:', ''],
    ['Tracking Id: ', '\n   at x'],
    ['TrackingId:', ', SystemTracker:gateway5'],
    ['TrackingId=', ';'],
    ['{[com.microsoft:tracking-id:', '],[com.microsoft:is-filtered:true]}'],
    ["{'Message': 'ErrorCode:ServerError;x', 'ExceptionMessage': 'Tracking ID:", "'}"],
    ['HTTP request failed: [500 Internal Server Error] {"ExceptionMessage":"Tracking ID:', '"}'],
    ["{b'com.microsoft:tracking-id': b'", "'}"],
    ["{u'trackingId': u'", "'}"],
    ['tracking-id: b"', '"'],
  ])('%s…%s', (before, after) => {
    for (const first of ['b', 'u', 'd', '0']) {
      const id = `${first}0c1b2a3948576e5f4a3b2c1d0e9f8a7${time}`;
      expect(classify(`An internal server error has occurred. ${before}${id}${after}`).trackingId).toBe(id);
    }
  });

  test('a GUID', () => {
    const id = 'bf58ab41-6154-4565-a531-4c11cf286e85';
    const text = `Service Error: 401002 - Invalid certificate. (TrackingID: ${id} Time: 2025-10-14T09:17:13.2276933Z)`;
    expect(classify(text).trackingId).toBe(id);
  });
});
