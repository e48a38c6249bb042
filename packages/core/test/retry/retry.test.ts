import { type AnyDeviceCloudError, isDeviceCloudError, retry } from '@faultmap/core';
import { createCredentials, FaultEvents, runOperation } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { exists, notFound, refused, throttled, unauthorized, unavailable } from '../support/faults.ts';

/** Fails with the given values one after the other, then succeeds. */
function failing(...values: unknown[]) {
  const calls: number[] = [];
  const operation = async () => {
    calls.push(calls.length + 1);
    if (values.length > 0) throw values.shift();
    return 'done';
  };
  return { operation, calls };
}

async function rejection(pending: Promise<unknown>): Promise<unknown> {
  return pending.then(
    () => {
      throw new Error('it did not reject');
    },
    (thrown) => thrown,
  );
}

describe('retry', () => {
  test('gives what the operation gives, also when it is no promise', async () => {
    expect(await retry(() => 5)).toBe(5);
    expect(await retry(async () => 6)).toBe(6);
  });

  test('repeats a throttled operation after full jitter of the throttling schedule', async () => {
    const clock = new FakeClock();
    const { operation, calls } = failing(throttled(), throttled());
    const start = clock.now();
    const random = () => 0.5;
    expect(await clock.until(retry(operation, { clock, random }))).toBe('done');
    expect(calls).toHaveLength(3);
    expect(clock.now() - start).toBe(1_000 + 2_000);
  });

  test('does not repeat what may have run, and says which option would let it', async () => {
    const { operation, calls } = failing(unavailable());
    const error = await rejection(retry(operation));
    expect(calls).toHaveLength(1);
    expect(error).toMatchObject({ stopped: 'not-idempotent', attempts: 1, waitsMs: [], executed: 'unknown' });
  });

  test('repeats what may have run when it is declared idempotent', async () => {
    const clock = new FakeClock();
    const { operation, calls } = failing(unavailable(), unavailable(), unavailable(), unavailable());
    const error = await clock.until(rejection(retry(operation, { clock, idempotent: true, random: () => 0.5 })));
    expect(calls).toHaveLength(4);
    expect(error).toMatchObject({ stopped: 'attempts', attempts: 4, waitsMs: [125, 250, 500] });
  });

  test('does not repeat a fault that lasts', async () => {
    const { operation, calls } = failing(notFound());
    expect(await rejection(retry(operation, { idempotent: true }))).toMatchObject({ stopped: 'not-transient' });
    expect(calls).toHaveLength(1);
  });

  test('passes programming errors, cancellations and what is thrown by them as they are', async () => {
    for (const thrown of [new TypeError('x is not a function'), new DOMException('stop', 'AbortError')]) {
      const { operation, calls } = failing(thrown);
      expect(await rejection(retry(operation, { idempotent: true }))).toBe(thrown);
      expect(calls).toHaveLength(1);
    }
  });

  test('types what is no error of ours', async () => {
    const error = await rejection(retry(() => Promise.reject(new Error('whatever'))));
    expect(isDeviceCloudError(error)).toBe(true);
  });

  test('a hint is a floor, with jitter on top', async () => {
    const clock = new FakeClock();
    const start = clock.now();
    const { operation } = failing(throttled({ retryAfterMs: 4_000 }));
    await clock.until(retry(operation, { clock, random: () => 0.5 }));
    expect(clock.now() - start).toBe(4_000 + 0.5 * 2_000);
  });

  test('a hint above the limit ends it at once', async () => {
    const clock = new FakeClock();
    const error = await rejection(
      retry(failing(throttled({ retryAfterMs: 9_000 })).operation, { clock, maxRetryAfterMs: 8_999 }),
    );
    expect(error).toMatchObject({ stopped: 'hint-too-long', retryAfterMs: 9_000 });
  });

  test('a hint beyond the deadline ends it at once, not shortened', async () => {
    const clock = new FakeClock();
    const error = await rejection(
      retry(failing(throttled({ retryAfterMs: 9_000 })).operation, { clock, deadlineMs: 8_000 }),
    );
    expect(error).toMatchObject({ stopped: 'deadline' });
    expect(clock.pending).toBe(0);
  });

  test('an abort ends a wait at once with its reason', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const pending = rejection(retry(failing(throttled()).operation, { clock, signal: controller.signal }));
    await clock.advance(0);
    controller.abort('enough');
    expect(await pending).toBe('enough');
    expect(clock.pending).toBe(0);
  });

  test('a success after the abort still counts', async () => {
    const controller = new AbortController();
    const value = await retry(
      async () => {
        controller.abort();
        return 'it ran';
      },
      { signal: controller.signal },
    );
    expect(value).toBe('it ran');
  });

  test('cuts a repeat at the deadline, never the first attempt', async () => {
    const clock = new FakeClock();
    const signals: (AbortSignal | undefined)[] = [];
    const pending = rejection(
      retry(
        ({ number, signal }) => {
          signals.push(signal);
          if (number === 1) return new Promise((_, reject) => clock.after(5_000, () => reject(refused())));
          return new Promise(() => {});
        },
        { clock, deadlineMs: 6_000, random: () => 0.5 },
      ),
    );
    const start = clock.now();
    expect(await clock.until(pending)).toMatchObject({
      category: 'timeout',
      reason: 'DeadlineExceeded',
      stopped: 'deadline',
      executed: 'unknown',
      attempts: 2,
    });
    expect(clock.now() - start).toBe(6_000);
    expect(signals[1]?.aborted).toBe(true);
  });

  test('a hard deadline cuts the first attempt too', async () => {
    const clock = new FakeClock();
    const pending = rejection(
      runOperation(() => new Promise(() => {}), { clock, deadlineMs: 100, hardDeadline: true }),
    );
    expect(await clock.until(pending)).toMatchObject({ category: 'timeout', stopped: 'deadline', attempts: 1 });
  });

  test('options that are not what they should be are refused by name', async () => {
    const wrong = [{ maxAttempts: 0 }, { deadlineMs: '5' }, { idempotent: 1 }, { maxRetries: 3 }];
    const messages = await Promise.all(
      wrong.map((options) => rejection(retry(() => 1, options as never)).then((e) => (e as Error).message)),
    );
    expect(messages).toMatchInlineSnapshot(`
      [
        "retry: option maxAttempts: expected a whole number, 1 or more, or Infinity, got 0",
        "retry: option deadlineMs: expected a number of milliseconds, 0 or more (Infinity for none), got "5"",
        "retry: option idempotent: expected a boolean, got 1",
        "retry: option maxRetries: expected one of the options maxAttempts, deadlineMs, baseDelayMs, maxDelayMs, throttledBaseDelayMs, throttledMaxDelayMs, maxRetryAfterMs, idempotent, signal, pacer, shouldRetry, clock, random, operation, pacerKey, classify, got "maxRetries"",
      ]
    `);
  });
});

describe('layers', () => {
  test('do not multiply attempts', async () => {
    const clock = new FakeClock();
    const { operation, calls } = failing(...Array.from({ length: 50 }, () => throttled()));
    const inner = () => retry(operation, { clock });
    const error = await clock.until(rejection(retry(() => retry(inner, { clock }), { clock, maxAttempts: 9 })));
    expect(calls).toHaveLength(4);
    expect(error).toMatchObject({ stopped: 'attempts', attempts: 4 });
  });

  test('what the inner one left undecided is decided outside, and its requests count', async () => {
    const clock = new FakeClock();
    const { operation, calls } = failing(...Array.from({ length: 50 }, () => unavailable()));
    const error = await clock.until(
      rejection(retry(() => retry(operation, { clock }), { clock, idempotent: true, maxAttempts: 3 })),
    );
    expect(calls).toHaveLength(3);
    expect(error).toMatchObject({ stopped: 'attempts', attempts: 3 });
  });

  test('an error that is thrown again later is a new fault', async () => {
    const clock = new FakeClock();
    const error = throttled();
    for (let i = 0; i < 2; i++) {
      let calls = 0;
      await clock.until(
        rejection(
          retry(
            () => {
              calls++;
              throw error;
            },
            { clock },
          ),
        ),
      );
      expect(calls).toBe(4);
    }
  });
});

describe('what an adapter adds', () => {
  test('fresh credentials allow one repeat', async () => {
    const clock = new FakeClock();
    const { operation, calls } = failing(unauthorized(), unauthorized());
    let asked = 0;
    const renew = async () => {
      asked++;
      return true;
    };
    expect(await clock.until(rejection(runOperation(operation, { clock, renew })))).toMatchObject({
      stopped: 'not-transient',
      attempts: 2,
    });
    expect([calls.length, asked]).toEqual([2, 1]);
  });

  test('no fresh credentials, no repeat', async () => {
    const { operation, calls } = failing(unauthorized());
    await rejection(runOperation(operation, { renew: async () => false }));
    expect(calls).toHaveLength(1);
  });

  test('when the provider of credentials fails, what to do about the refusal begins with that', async () => {
    const { operation } = failing(unauthorized());
    const gate = createCredentials(() => Promise.reject(new Error('vault sealed, password=hunter2')));
    const renew = async (refusal: { error: AnyDeviceCloudError; attempt: number }) => !!(await gate.refresh(refusal));
    const error = (await rejection(runOperation(operation, { renew }))) as AnyDeviceCloudError;
    expect(error.fix).toMatch(/^Fresh credentials were asked for and did not come: the provider failed \(.*Renew the/);
    expect(error.toJSON()).toMatchObject({ fix: error.fix });
    expect(JSON.stringify(error)).not.toContain('hunter2');
    expect(Object.keys(error)).not.toContain('fix');
  });

  test('a used-up body is not repeated', async () => {
    const { operation } = failing(throttled());
    expect(await rejection(runOperation(operation, { replayable: false }))).toMatchObject({ stopped: 'body' });
  });

  test('a conflict after an attempt of unknown outcome may be the own doing', async () => {
    const clock = new FakeClock();
    const { operation } = failing(unavailable(), exists());
    const error = await clock.until(rejection(runOperation(operation, { clock, idempotent: true })));
    expect(error).toMatchObject({ ownEarlierAttempt: 'possible', executed: 'unknown', stopped: 'not-transient' });
    expect(await rejection(runOperation(failing(exists()).operation, {}))).toMatchObject({
      ownEarlierAttempt: undefined,
    });
  });

  test('a 404 after an attempt of unknown outcome is the own doing of a delete only', async () => {
    const clock = new FakeClock();
    const run = (deletes: boolean) =>
      clock.until(
        rejection(runOperation(failing(unavailable(), notFound()).operation, { clock, idempotent: true, deletes })),
      );
    expect(await run(true)).toMatchObject({ ownEarlierAttempt: 'possible' });
    expect(await run(false)).toMatchObject({ ownEarlierAttempt: undefined });
  });

  test('what was never sent does not count', async () => {
    const clock = new FakeClock();
    const events = new FaultEvents();
    const told: unknown[] = [];
    for (const name of ['fault', 'retry', 'give-up'] as const)
      events.on(name, ({ attempt }) => told.push([name, attempt]));
    const error = await clock.until(
      rejection(
        runOperation(
          (attempt) => {
            attempt.unsent();
            throw refused();
          },
          { clock, maxAttempts: 2, events },
        ),
      ),
    );
    expect(error).toMatchObject({ attempts: 0, stopped: 'attempts', executed: 'no' });
    expect(told).toEqual([
      ['fault', 0],
      ['retry', 0],
      ['fault', 0],
      ['give-up', 0],
    ]);
  });

  test('tells each fault, each wait and one end', async () => {
    const clock = new FakeClock();
    const told: string[] = [];
    const events = new FaultEvents();
    for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const)
      events.on(name, ({ attempt, delayMs, stopped }) =>
        told.push([name, attempt, delayMs, stopped].filter((x) => x !== undefined).join(' ')),
      );
    const options = { clock, events, random: () => 0.5, operation: 'twin.get' };
    await clock.until(runOperation(failing(throttled(), throttled()).operation, options));
    expect(told.splice(0)).toEqual(['fault 1', 'retry 1 1000', 'fault 2', 'retry 2 2000', 'recovered 3']);
    await rejection(runOperation(failing(notFound()).operation, options));
    expect(told.splice(0)).toEqual(['fault 1', 'give-up 1 not-transient']);
    await rejection(runOperation(failing(new TypeError('mine')).operation, options));
    await rejection(runOperation(failing(new DOMException('', 'AbortError')).operation, options));
    expect(told).toEqual([]);
  });

  test('an operation rejected because of a told fault is no second fault', async () => {
    const events = new FaultEvents();
    const told: string[] = [];
    const lost = refused();
    events.emit('fault', { error: lost });
    events.on('fault', () => told.push('fault'));
    events.on('give-up', () => told.push('give-up'));
    await rejection(runOperation(failing(notFound({ cause: lost })).operation, { events }));
    expect(told).toEqual(['give-up']);
  });
});
