import { createPacer, retry } from '@faultmap/core';
import { expect, test } from 'vitest';
import { randomFrom } from '../../../../test/support/random.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { throttled } from '../support/faults.ts';

/** A target 15 ms away that allows one query per second and gives no hint; time and chance are given. */
function slowTarget(seed: number) {
  const clock = new FakeClock();
  const random = randomFrom(seed);
  const away = () => new Promise<void>((resolve) => clock.after(15, resolve));
  let tokens = 1;
  let at = clock.now();
  const query = async () => {
    await away();
    tokens = Math.min(1, tokens + (clock.now() - at) / 1_000);
    at = clock.now();
    if (tokens < 1) throw throttled();
    tokens -= 1;
    return 'ok';
  };
  return { clock, away, query, options: { pacer: createPacer({ clock, random }), clock, random } };
}

// Measured against an emulator that allows one query per second, 15 ms away: the first of two queries in a row
// succeeds, the second gets 429 without a hint. One success in 15 ms is no rate of 66/s: the four attempts would be
// gone within 30 ms, where plain backoff comes through.
test('a lone operation at a slow target is not hurried through its attempts', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, query, options } = slowTarget(seed);
    expect(await clock.until(retry(query, options))).toBe('ok');
    expect(await clock.until(retry(query, options))).toBe('ok');
  }
});

// Met with the same emulator: other operations of the key, with limits of their own, succeed just before. Their pace
// is wrong for the one that is limited, and it used up its attempts in 650 ms. Throttled a second time, its own
// jittered backoff is a floor under the pacer's turn.
test('nor is one whose limit is lower than that of its neighbours', async () => {
  let gaveUp = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const { clock, away, query, options } = slowTarget(seed);
    for (let n = 0; n < 8; n++) await clock.until(retry(away, options));
    await clock.until(retry(query, options));
    await clock.until(
      retry(query, options).catch(() => {
        gaveUp++;
      }),
    );
  }
  expect(gaveUp).toBeLessThan(2);
});
