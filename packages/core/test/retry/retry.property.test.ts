import { type AnyDeviceCloudError, createPacer, isDeviceCloudError, retry } from '@faultmap/core';
import { FaultEvents, runOperation } from '@faultmap/core/adapter';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { notFound, refused, throttled, unauthorized, unavailable } from '../support/faults.ts';

/** How one attempt ends, and after how long. */
const attempt = fc.record({
  tookMs: fc.integer({ min: 0, max: 20_000 }),
  how: fc.oneof(
    { weight: 1, arbitrary: fc.constant('ok' as const) },
    { weight: 4, arbitrary: fc.constantFrom('throttled', 'unavailable', 'refused', 'hint') },
    { weight: 1, arbitrary: fc.constantFrom('not-found', 'unauthorized', 'mistake', 'hangs') },
  ),
  hintMs: fc.integer({ min: 0, max: 90_000 }),
});
type Step = typeof attempt extends fc.Arbitrary<infer S> ? S : never;

const options = fc.record(
  {
    maxAttempts: fc.integer({ min: 1, max: 9 }),
    deadlineMs: fc.oneof(fc.integer({ min: 0, max: 120_000 }), fc.constant(Infinity)),
    baseDelayMs: fc.integer({ min: 0, max: 5_000 }),
    maxDelayMs: fc.integer({ min: 0, max: 60_000 }),
    throttledBaseDelayMs: fc.integer({ min: 0, max: 9_000 }),
    throttledMaxDelayMs: fc.integer({ min: 0, max: 60_000 }),
    maxRetryAfterMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.constant(Infinity)),
    idempotent: fc.boolean(),
    wish: fc.constantFrom(true, false, undefined),
  },
  { requiredKeys: [] },
);

const fault = (step: Step): unknown => {
  switch (step.how) {
    case 'throttled':
      return throttled();
    case 'hint':
      return throttled({ retryAfterMs: step.hintMs });
    case 'unavailable':
      return unavailable();
    case 'refused':
      return refused();
    case 'not-found':
      return notFound();
    case 'unauthorized':
      return unauthorized();
    default:
      return new TypeError('a mistake');
  }
};

interface Seen {
  readonly sentAt: number[];
  readonly endedAt: number[];
  readonly faults: AnyDeviceCloudError[];
}

/** An operation that goes as planned; after the plan it succeeds. A repeat that hangs is cut, a first attempt ends. */
function planned(clock: FakeClock, steps: readonly Step[]) {
  const seen: Seen = { sentAt: [], endedAt: [], faults: [] };
  const operation = () => {
    const step = steps[seen.sentAt.length];
    const first = seen.sentAt.length === 0;
    seen.sentAt.push(clock.now());
    return new Promise<string>((resolve, reject) => {
      if (step?.how === 'hangs' && !first) return;
      clock.after(step?.tookMs ?? 1, () => {
        seen.endedAt.push(clock.now());
        if (!step || step.how === 'ok' || step.how === 'hangs') return resolve('done');
        const error = fault(step);
        if (isDeviceCloudError(error)) seen.faults.push(error);
        reject(error);
      });
    });
  };
  return { seen, operation };
}

type Given = typeof options extends fc.Arbitrary<infer O> ? O : never;

const retryOptions = ({ wish, ...given }: Given) => ({
  ...given,
  // A hang without a deadline would be the operation's own fault.
  deadlineMs: given.deadlineMs === Infinity ? 3_000_000 : given.deadlineMs,
  shouldRetry: wish === undefined ? undefined : () => wish,
});

async function outcome<T>(pending: Promise<T>): Promise<{ value?: T; error?: unknown }> {
  return pending.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
}

const random = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};

const pacers = fc.constantFrom('none', 'plain', 'slow') as fc.Arbitrary<'none' | 'plain' | 'slow'>;
const pacerOf = (kind: 'none' | 'plain' | 'slow', clock: FakeClock, chance: () => number) =>
  kind === 'none' ? (false as const) : createPacer({ clock, random: chance, slowStart: kind === 'slow' });

describe('for any outcomes and any options', () => {
  test('attempts stay within their limit, waits within the deadline, hints are kept, every promise settles', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { maxLength: 12 }),
        options,
        pacers,
        fc.nat(),
        async (steps, given, kind, seed) => {
          const clock = new FakeClock();
          const chance = random(seed);
          const { seen, operation } = planned(clock, steps);
          const full = { ...retryOptions(given), clock, random: chance, pacer: pacerOf(kind, clock, chance) };
          const startedAt = clock.now();
          const { error } = await clock.until(outcome(retry(operation, full)), 10_000_000);
          const deadlineAt = startedAt + (full.deadlineMs ?? 60_000);

          if (seen.sentAt.length > (full.maxAttempts ?? 4)) throw new Error(`${seen.sentAt.length} attempts`);
          for (const sentAt of seen.sentAt.slice(1))
            if (sentAt >= deadlineAt) throw new Error('sent after the deadline');
          seen.faults.forEach((fault, i) => {
            const next = seen.sentAt[i + 1];
            if (next !== undefined && next < (seen.endedAt[i] as number) + (fault.retryAfterMs ?? 0))
              throw new Error('sent earlier than asked');
            if (next !== undefined && (fault.retryAfterMs ?? 0) > (full.maxRetryAfterMs ?? 60_000))
              throw new Error('a hint above the limit was waited for');
          });
          // It ends with the deadline, or with the first attempt, which is never cut.
          const latest = Math.max(deadlineAt, seen.endedAt[0] ?? 0);
          if (clock.now() > latest + 1) throw new Error(`ended ${clock.now() - latest} ms late`);
          if (isDeviceCloudError(error)) {
            if (error.stopped === undefined) throw new Error('does not say why it stopped');
            if (error.attempts !== seen.sentAt.length) throw new Error('wrong count');
            if ((error.waitsMs ?? []).some((ms) => ms < 0)) throw new Error('a negative wait');
          }
          // An attempt that was cut may still be on its way; nothing else is left behind.
          if (clock.pending > 0) await clock.advance(20_000);
          if (clock.pending > 0) throw new Error('a timer is left');
        },
      ),
      { numRuns: 1_000 },
    ));

  test('nothing is repeated that may have run, unless declared idempotent or wished', () =>
    fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 6 }), options, async (steps, given) => {
        const clock = new FakeClock();
        const { seen, operation } = planned(clock, steps);
        const full = retryOptions({ ...given, idempotent: false, wish: undefined });
        await clock.until(outcome(retry(operation, { ...full, clock })), 10_000_000);
        seen.faults.forEach((fault, i) => {
          if (fault.executed !== 'no' && seen.sentAt[i + 1] !== undefined) throw new Error('repeated');
        });
      }),
      { numRuns: 300 },
    ));

  test('whoever saw a fault is told once how it ended', () =>
    fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 8 }), options, pacers, async (steps, given, kind) => {
        const clock = new FakeClock();
        const { seen, operation } = planned(clock, steps);
        const told: Record<string, number> = { fault: 0, retry: 0, 'give-up': 0, recovered: 0 };
        const events = new FaultEvents();
        for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const)
          events.on(name, () => {
            told[name] = (told[name] ?? 0) + 1;
          });
        const full = { ...retryOptions(given), clock, events, pacer: pacerOf(kind, clock, Math.random) };
        const { error } = await clock.until(outcome(runOperation(operation, full)), 10_000_000);
        const { fault = 0, retry: repeats = 0, 'give-up': ended, recovered } = told;
        // Being cut at the deadline is the end of the fault before it, not one more.
        if (fault !== seen.faults.length) throw new Error(`${fault} faults told`);
        if (repeats < seen.sentAt.length - 1) throw new Error('a repeat nobody was told of');
        const failed = error !== undefined && (fault > 0 || isDeviceCloudError(error));
        if (ended !== (failed ? 1 : 0)) throw new Error(`${ended} times given up`);
        if (recovered !== (fault > 0 && error === undefined ? 1 : 0)) throw new Error(`${recovered} times recovered`);
      }),
      { numRuns: 500 },
    ));

  test('an abort always ends it: at once in a wait, with the attempt otherwise', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { maxLength: 8 }),
        options,
        pacers,
        fc.integer({ min: 0, max: 100_000 }),
        async (steps, given, kind, abortMs) => {
          const clock = new FakeClock();
          const controller = new AbortController();
          const reason = { why: 'enough' };
          let abortedAt = Infinity;
          clock.after(abortMs, () => {
            abortedAt = clock.now();
            controller.abort(reason);
          });
          const { seen, operation } = planned(clock, steps);
          const pacer = pacerOf(kind, clock, Math.random);
          const full = { ...retryOptions(given), clock, pacer, signal: controller.signal };
          const { error } = await clock.until(outcome(runOperation(operation, full)), 10_000_000);
          const running = seen.sentAt.length > seen.endedAt.length || (seen.endedAt.at(-1) ?? 0) >= abortedAt;
          if (clock.now() > abortedAt && !running) throw new Error('waited on');
          if (seen.sentAt.some((at) => at > abortedAt)) throw new Error('sent after the abort');
          if (error === reason || error === undefined || isDeviceCloudError(error) || error instanceof TypeError)
            return;
          throw new Error('rejected with something else');
        },
      ),
      { numRuns: 500 },
    ));

  test('layers inside one another send no more than the widest of them may', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { minLength: 20, maxLength: 20 }),
        fc.array(options, { minLength: 2, maxLength: 3 }),
        async (steps, layers) => {
          const clock = new FakeClock();
          const { seen, operation } = planned(clock, steps);
          const all = layers.map((given) => ({ ...retryOptions({ ...given, wish: undefined }), clock }));
          const whole = all.reduce<() => Promise<string>>((inner, full) => () => retry(inner, full), operation);
          await clock.until(outcome(whole()), 20_000_000);
          // An outer layer may go on where an inner one had not been told that it may.
          const most = Math.max(...all.map(({ maxAttempts }) => maxAttempts ?? 4));
          const inner = all.slice(0, -1).reduce((sum, { maxAttempts }) => sum + (maxAttempts ?? 4) - 1, 0);
          if (seen.sentAt.length > most + inner) throw new Error(`${seen.sentAt.length} attempts`);
        },
      ),
      { numRuns: 300 },
    ));
});
