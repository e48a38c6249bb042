import { createPacer, type PacerState } from '@faultmap/core';
import { defaultPacer, runOperation } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { refused, throttled, unavailable } from '../support/faults.ts';

const KEY = 'hub/twins';

/** A target that lets so many through per second, and can be down. */
function target(clock: FakeClock, perSecond: number) {
  const seen = { sentAt: [] as number[], throttled: 0, down: false };
  let tokens = 5;
  let at = clock.now();
  const operation = () =>
    new Promise<string>((resolve, reject) => {
      seen.sentAt.push(clock.now());
      clock.after(20, () => {
        if (seen.down) return reject(refused());
        tokens = Math.min(5, tokens + ((clock.now() - at) * perSecond) / 1_000);
        at = clock.now();
        if (tokens >= 1) {
          tokens--;
          return resolve('done');
        }
        seen.throttled++;
        reject(throttled());
      });
    });
  return { seen, operation };
}

const outcome = (pending: Promise<unknown>) =>
  pending.then(
    () => 'done',
    (error) => error.stopped ?? error,
  );

describe('a pacer', () => {
  test('has no effect until the first 429: everything goes at once', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const sent: number[] = [];
    const all = Array.from({ length: 500 }, () =>
      runOperation(
        () => {
          sent.push(clock.now());
          return new Promise((resolve) => clock.after(50, () => resolve(1)));
        },
        { clock, pacer, pacerKey: KEY },
      ),
    );
    expect(sent).toHaveLength(500);
    expect(clock.pending).toBe(500); // the operations' own
    await clock.until(Promise.all(all));
    expect(pacer.state(KEY)).toEqual({ mode: 'off' });
    expect(clock.pending).toBe(0);
  });

  test('paces after the first 429, finishes everything near the limit, and goes off again', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock, slowStart: true });
    const changes: string[] = [];
    pacer.on('change', ({ key, state }) => changes.push(`${key} ${state.mode}`));
    const { seen, operation } = target(clock, 50);
    const start = clock.now();
    const options = { clock, pacer, pacerKey: KEY, deadlineMs: Infinity, maxAttempts: 20 };
    const all = Array.from({ length: 2_000 }, () => runOperation(operation, options));
    await clock.advance(5_000);
    const state = pacer.state(KEY) as Extract<PacerState, { mode: 'pacing' }>;
    expect(state.mode).toBe('pacing');
    expect(state.backlog).toBeGreaterThan(1_000);
    expect(state.perSecond).toBeGreaterThan(25);
    expect(state.perSecond).toBeLessThan(100);
    await clock.until(Promise.all(all));
    expect(clock.now() - start).toBeLessThan(2_000 * 20 * 1.1);
    expect(seen.sentAt.length / 2_000).toBeLessThan(1.15);
    await clock.advance(11_000);
    expect(pacer.state(KEY)).toEqual({ mode: 'off' });
    expect(changes).toEqual([`${KEY} pacing`, `${KEY} off`]);
    expect(clock.pending).toBe(0);
  });

  test('opens after five failures in a row of several operations, sends one probe at a time, closes at the first answer', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const { seen, operation } = target(clock, 1_000);
    const options = { clock, pacer, pacerKey: KEY, deadlineMs: Infinity, maxAttempts: 50 };
    seen.down = true;
    const first = Array.from({ length: 5 }, () => runOperation(operation, options));
    await clock.advance(30);
    expect(pacer.state(KEY)).toMatchObject({ mode: 'open' });
    const more = Array.from({ length: 200 }, () => runOperation(operation, options));
    await clock.advance(60_000);
    expect(pacer.state(KEY)).toMatchObject({ mode: 'open' });
    expect(seen.sentAt.length).toBeLessThan(30);
    const gaps = seen.sentAt.slice(5).map((at, i, all) => at - (all[i - 1] ?? at));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_100);
    seen.down = false;
    await clock.until(Promise.all([...first, ...more]));
    expect(pacer.state(KEY).mode).not.toBe('open');
    expect(seen.throttled).toBeLessThan(20);
    expect(clock.pending).toBe(0);
  });

  test('one operation that fails alone does not open it, nor does a slow device', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const alone = runOperation(() => Promise.reject(refused()), { clock, pacer, pacerKey: KEY, maxAttempts: 9 });
    await clock.until(outcome(alone));
    expect(pacer.state(KEY)).toEqual({ mode: 'off' });
    for (let i = 0; i < 9; i++)
      await outcome(
        runOperation(() => Promise.reject(unavailable({ code: 504101, httpStatus: 504 })), {
          clock,
          pacer,
          pacerKey: KEY,
        }),
      );
    expect(pacer.state(KEY)).toEqual({ mode: 'off' });
  });

  test("a device's own limit slows that operation only", async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const own = runOperation(() => Promise.reject(throttled({ code: 429005, appliesTo: 'device' })), {
      clock,
      pacer,
      pacerKey: KEY,
    });
    await settle();
    expect(pacer.state(KEY)).toEqual({ mode: 'off' });
    expect(await clock.until(outcome(own))).toBe('attempts');
  });

  test('keys do not meet', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const pending = outcome(runOperation(() => Promise.reject(throttled()), { clock, pacer, pacerKey: 'a' }));
    await settle();
    expect(pacer.state('a').mode).toBe('pacing');
    expect(pacer.state('b').mode).toBe('off');
    expect(await runOperation(() => 1, { clock, pacer, pacerKey: 'b' })).toBe(1);
    await clock.until(pending);
  });

  test('a full queue gives up at once, typed', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock, maxQueued: 2 });
    const options = { clock, pacer, pacerKey: KEY };
    const all = [outcome(runOperation(() => Promise.reject(throttled()), options))];
    await settle();
    const late = Array.from({ length: 3 }, () => runOperation(() => 1, options).catch((error) => error));
    expect(await late[2]).toMatchObject({
      category: 'throttled',
      reason: 'PacedOut',
      stopped: 'paced-out',
      executed: 'no',
      attempts: 0,
    });
    await clock.until(Promise.all([...all, ...late]));
  });

  test('one whose turn does not come before its deadline ends at the deadline', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const options = { clock, pacer, pacerKey: KEY };
    const { operation, seen } = target(clock, 0.1);
    seen.sentAt.length = 0;
    const all = Array.from({ length: 40 }, () => outcome(runOperation(operation, { ...options, deadlineMs: 3_000 })));
    await clock.advance(100);
    const start = clock.now();
    const late = runOperation(operation, { ...options, deadlineMs: 1_000 }).catch((error) => error);
    expect(await clock.until(late)).toMatchObject({
      reason: 'PacedOut',
      stopped: 'deadline',
      attempts: 0,
      executed: 'no',
    });
    expect(clock.now() - start).toBe(1_000);
    await clock.until(Promise.all(all));
    expect(clock.now() - start).toBeLessThan(3_000);
  });

  test('an abort takes one out of the queue at once', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const options = { clock, pacer, pacerKey: KEY };
    const first = outcome(runOperation(() => Promise.reject(throttled()), options));
    await settle();
    const controller = new AbortController();
    const waiting = outcome(runOperation(() => 1, { ...options, signal: controller.signal }));
    await settle();
    expect(pacer.state(KEY)).toMatchObject({ backlog: 2 });
    controller.abort('enough');
    expect(await waiting).toBe('enough');
    expect(pacer.state(KEY)).toMatchObject({ backlog: 1 });
    await clock.until(first);
  });

  test('repeats go before new work', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const options = { clock, pacer, pacerKey: KEY };
    const order: string[] = [];
    let failed = false;
    const repeated = runOperation(() => {
      if (failed) return order.push('repeat');
      failed = true;
      throw throttled();
    }, options);
    await settle();
    const fresh = [1, 2, 3].map(() => runOperation(() => order.push('new'), options));
    await clock.until(Promise.all([repeated, ...fresh]));
    expect(order).toEqual(['repeat', 'new', 'new', 'new']);
  });

  test('a Retry-After delays its operation, not the others', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const options = { clock, pacer, pacerKey: KEY };
    let asked = false;
    const start = clock.now();
    const hinted = runOperation(() => {
      if (asked) return clock.now();
      asked = true;
      throw throttled({ retryAfterMs: 30_000 });
    }, options);
    await settle();
    const other = await clock.until(runOperation(() => clock.now(), options));
    expect(other - start).toBeLessThan(5_000);
    expect((await clock.until(hinted)) - start).toBeGreaterThanOrEqual(30_000);
  });

  test('keys that are off and unused for a minute are dropped', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    for (let i = 0; i < 1_000; i++) await runOperation(() => 1, { clock, pacer, pacerKey: `hub-${i}` });
    expect(pacer.keys()).toHaveLength(1_000);
    await clock.advance(63_000);
    await runOperation(() => 1, { clock, pacer, pacerKey: 'another' });
    expect(pacer.keys()).toEqual(['another']);
  });

  test('a listener that throws does not reach the operation', async () => {
    const clock = new FakeClock();
    const pacer = createPacer({ clock });
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on('warning', onWarning);
    pacer.on('change', () => {
      throw new Error('in a listener');
    });
    const pending = runOperation(({ number }) => (number === 1 ? Promise.reject(throttled()) : 'done'), {
      clock,
      pacer,
      pacerKey: KEY,
    });
    expect(await clock.until(pending)).toBe('done');
    await settle();
    process.off('warning', onWarning);
    expect(warnings.join()).toContain('in a listener');
  });

  test('is shared by all who name no other', async () => {
    expect(defaultPacer()).toBe(defaultPacer());
    expect(() => createPacer({ maxQueued: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: createPacer: option maxQueued: expected a whole number, 1 or more, or Infinity, got 0]`,
    );
    expect(() => createPacer({ slowStart: 'yes' } as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: createPacer: option slowStart: expected a boolean or a whole number, 1 or more, got "yes"]`,
    );
  });
});
