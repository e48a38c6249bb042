import { classify, type FaultEvent, type RetryCallOptions, retry } from '@faultmap/core';
import { evidence, FaultEvents, runOperation } from '@faultmap/core/adapter';
import { expect, test } from 'vitest';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { throttled } from '../support/faults.ts';

const mistake = (pending: Promise<unknown>) => pending.then(String, (thrown: unknown) => thrown);

/** Runs an operation that is throttled every time; what was told at its end. */
async function ended(options: RetryCallOptions, then: () => void = () => {}) {
  const clock = new FakeClock();
  const events = new FaultEvents();
  const told: FaultEvent[] = [];
  let calls = 0;
  events.on('give-up', (event) => told.push(event));
  const operation = () => {
    calls++;
    return Promise.reject(throttled());
  };
  const thrown = mistake(runOperation(operation, { ...options, clock, events }));
  await settle();
  then();
  return { thrown: await clock.until(thrown), told, calls };
}

test('shouldRetry that gives a promise is a mistake, not a repeat', async () => {
  const shouldRetry = (async () => false) as unknown as () => boolean;
  const { thrown, told, calls } = await ended({ shouldRetry });
  expect(thrown).toBeInstanceOf(TypeError);
  expect(String(thrown)).toContain('shouldRetry');
  expect(calls).toBe(1);
  expect(told).toHaveLength(1);
});

test('an operation ended by a shouldRetry that throws is given up once', async () => {
  const mine = new Error('mine');
  const { thrown, told } = await ended({
    shouldRetry() {
      throw mine;
    },
  });
  expect(thrown).toBe(mine);
  expect(told).toMatchObject([{ error: { code: 429001 }, attempt: 1 }]);
});

test('an operation aborted while it waits is given up once', async () => {
  const controller = new AbortController();
  const { thrown, told } = await ended({ signal: controller.signal }, () => controller.abort('enough'));
  expect(thrown).toBe('enough');
  expect(told).toMatchObject([{ error: { code: 429001 }, attempt: 1 }]);
});

test('an operation that ends with a mistake after a fault is given up once', async () => {
  const clock = new FakeClock();
  const events = new FaultEvents();
  const told: FaultEvent[] = [];
  events.on('give-up', (event) => told.push(event));
  const thrown: unknown[] = [throttled(), new TypeError('mine')];
  const pending = mistake(runOperation(() => Promise.reject(thrown.shift()), { clock, events }));
  expect(await clock.until(pending)).toBeInstanceOf(TypeError);
  expect(told).toHaveLength(1);
});

test('an operation that is no function is said at once', async () => {
  const thrown = await mistake(retry(5 as unknown as () => number));
  expect(thrown).toBeInstanceOf(TypeError);
  expect(String(thrown)).toMatch(/operation.*a function/);
});

test('a message without a text has no bare colon', () => {
  const { message } = classify(evidence({ payloadCode: 404103, transport: 'http' }), { operation: 'reboot it' });
  expect(message).toMatch(/ reboot it$/);
});

test('no candidates are undefined, not an empty list', () => {
  expect(classify(evidence({ silentClose: true })).candidates).toBeUndefined();
});
