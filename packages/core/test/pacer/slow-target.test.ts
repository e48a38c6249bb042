import { createPacer, retry } from '@faultmap/core';
import { expect, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { throttled } from '../support/faults.ts';

// Measured against an emulator that allows one query per second, 15 ms away: the first of two queries in a row
// succeeds, the second gets 429 without a hint. One success in 15 ms is no rate of 66/s: the four attempts would be
// gone within 30 ms, where plain backoff comes through.
test('a lone operation at a slow target is not hurried through its attempts', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const clock = new FakeClock();
    let state = seed;
    const random = () => {
      state = (state * 16_807) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const pacer = createPacer({ clock, random });
    let tokens = 1;
    let at = clock.now();
    const query = async () => {
      await new Promise<void>((resolve) => clock.after(15, resolve));
      tokens = Math.min(1, tokens + (clock.now() - at) / 1_000);
      at = clock.now();
      if (tokens < 1) throw throttled();
      tokens -= 1;
      return 'ok';
    };
    const options = { pacer, clock, random } as const;
    expect(await clock.until(retry(query, options))).toBe('ok');
    expect(await clock.until(retry(query, options))).toBe('ok');
  }
});
