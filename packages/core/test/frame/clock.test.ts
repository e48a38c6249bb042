import { MAX_TIMER_MS, sleep, systemClock } from '@faultmap/core/adapter';
import { expect, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';

test('a wait longer than a timer can hold is waited in pieces, not cut short', async () => {
  const clock = new FakeClock();
  const start = clock.now();
  const ms = 3 * MAX_TIMER_MS + 5;
  await clock.until(sleep(clock, ms), ms + 1);
  expect(clock.now() - start).toBe(ms);
});

test('a timer that fires early is set again', async () => {
  const clock = new FakeClock();
  const early = { now: () => clock.now(), after: (ms: number, run: () => void) => clock.after(ms * 0.9, run) };
  const start = clock.now();
  const pending = sleep(early, 1_000);
  await clock.advance(999);
  let done = false;
  pending.then(() => {
    done = true;
  });
  await clock.advance(0);
  expect(done).toBe(false);
  await clock.until(pending);
  expect(clock.now() - start).toBeGreaterThanOrEqual(999);
});

test('no listener and no timer is left behind', async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = ((...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  }) as typeof signal.addEventListener;
  signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  }) as typeof signal.removeEventListener;
  for (let i = 0; i < 100; i++) await clock.until(sleep(clock, 10, signal));
  expect([listeners, clock.pending]).toEqual([0, 0]);
  controller.abort('enough');
  await expect(sleep(clock, 10, signal)).rejects.toBe('enough');
  expect(clock.pending).toBe(0);
});

test('the clock of the system counts from the epoch and does not go back', () => {
  const one = systemClock.now();
  expect(Math.abs(one - Date.now())).toBeLessThan(86_400_000);
  expect(systemClock.now()).toBeGreaterThanOrEqual(one);
});
