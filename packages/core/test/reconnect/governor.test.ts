import { createReconnectGovernor, makeError, type ReconnectOptions } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { exists, refused, throttled, unauthorized } from '../support/faults.ts';

const mean = () => 0.5;
const lost = () => refused();

describe('a reconnect governor', () => {
  test('backs off with full jitter, doubling to its most', () => {
    const governor = createReconnectGovernor(undefined, { clock: new FakeClock(), random: mean });
    const delays = Array.from({ length: 9 }, () => governor.failed(lost())).map((d) => 'delayMs' in d && d.delayMs);
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('begins anew after a connection that was stable', async () => {
    const clock = new FakeClock();
    const governor = createReconnectGovernor(undefined, { clock, random: mean });
    for (let i = 0; i < 5; i++) governor.failed(lost());
    governor.accepted();
    await clock.advance(30_000);
    expect(governor.failed(lost())).toMatchObject({ delayMs: 500, attempt: 1 });
  });

  test('a connection that is closed soon after it was accepted counts as a failure', async () => {
    const clock = new FakeClock();
    const governor = createReconnectGovernor(undefined, { clock, random: mean });
    const delays: number[] = [];
    for (let i = 0; i < 4; i++) {
      governor.accepted();
      await clock.advance(100);
      const decision = governor.failed(lost());
      if (decision.action === 'reconnect') delays.push(decision.delayMs);
    }
    expect(delays).toEqual([500, 6_250, 6_250, 6_250]);
  });

  test('does not take back what was taken over: waits longer each time', async () => {
    const clock = new FakeClock();
    const governor = createReconnectGovernor(undefined, { clock, random: () => 0 });
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      governor.accepted();
      // The other owner does the same, so that each lives as long as the other waits.
      await clock.advance(delays.at(-1) ?? 100_000);
      const decision = governor.failed(exists({ code: 400027 }));
      if (decision.action !== 'reconnect') throw new Error('stopped');
      expect(decision.kind).toBe('take-over');
      delays.push(decision.delayMs);
    }
    expect(delays).toEqual([60, 120, 240, 480, 960, 1_800, 1_800, 1_800].map((s) => s * 1_000));
  });

  test('does not take for lasting what is being taken out of the way', () => {
    const governor = createReconnectGovernor(undefined, { clock: new FakeClock(), random: mean });
    const refusal = makeError('bad-request', { reason: 'Topic Filter invalid', advice: 'never' });
    expect(governor.failed(refusal, { passing: true })).toMatchObject({ kind: 'backoff', delayMs: 500 });
    expect(governor.failed(refusal)).toMatchObject({ kind: 'probe', delayMs: 900_000 });
    expect(governor.failed(throttled(), { passing: true })).toMatchObject({ kind: 'backoff', delayMs: 20_000 });
  });

  test('asks for fresh credentials first, then probes slowly', () => {
    const governor = createReconnectGovernor(undefined, { clock: new FakeClock(), random: mean });
    expect(governor.failed(unauthorized())).toMatchObject({ kind: 'backoff', renewCredentials: true });
    expect(governor.failed(unauthorized())).toMatchObject({ kind: 'probe', delayMs: 900_000, renewCredentials: true });
    governor.resume();
    expect(governor.failed(unauthorized())).toMatchObject({ kind: 'backoff', attempt: 1 });
  });

  test('stops where that is asked for', () => {
    const setup = { clock: new FakeClock() };
    const permanent = createReconnectGovernor({ onPermanentFault: 'stop' }, setup);
    permanent.failed(unauthorized());
    expect(permanent.failed(unauthorized())).toMatchObject({ action: 'stop', stopped: 'not-transient' });
    const takeOver = createReconnectGovernor({ onTakeOver: 'stop' }, setup);
    expect(takeOver.failed(exists({ code: 400027 }))).toMatchObject({ action: 'stop' });
    const twice = createReconnectGovernor({ maxAttempts: 2 }, setup);
    expect([1, 2, 3].map(() => twice.failed(lost()).action)).toEqual(['reconnect', 'reconnect', 'stop']);
  });

  test('a throttled connection waits longer, and never less than asked', () => {
    const governor = createReconnectGovernor(undefined, { clock: new FakeClock(), random: mean });
    expect(governor.failed(throttled())).toMatchObject({ delayMs: 5_000 });
    expect(governor.failed(throttled({ retryAfterMs: 70_000 }))).toMatchObject({ delayMs: 72_500 });
  });

  test('a quota is waited for until it resets, probed slowly, or ends it', () => {
    const clock = new FakeClock();
    const resetAt = new Date(clock.now() + 7_200_000);
    const after = (options: ReconnectOptions | undefined) =>
      createReconnectGovernor(options, { clock, random: () => 0.5 }).failed(
        makeError('quota', { reason: 'IoTHubQuotaExceeded', advice: 'at-reset', resetAt }),
      );
    expect(after(undefined)).toMatchObject({ kind: 'at-reset', delayMs: 7_230_000 });
    expect(after({ onQuota: 'wait' })).toEqual(after(undefined));
    expect(after({ onQuota: 'slow', slowDelayMs: 1_000 })).toMatchObject({ kind: 'probe', delayMs: 1_000 });
    expect(after({ onQuota: 'stop' })).toMatchObject({ action: 'stop', stopped: 'not-transient' });
  });

  test('a fleet that is told its size spreads over the time that the hub needs', () => {
    const fleet = { size: 100_000, connectionsPerSecond: 100 };
    const delays = Array.from({ length: 2_000 }, () => {
      const governor = createReconnectGovernor({ fleet }, { clock: new FakeClock() });
      const decision = governor.failed(lost());
      return decision.action === 'reconnect' ? decision.delayMs : -1;
    }).sort((a, b) => a - b);
    expect(delays.at(-1)).toBeLessThanOrEqual(1_050_000);
    expect(delays[200] as number).toBeGreaterThan(50_000);
    expect(delays[1_800] as number).toBeGreaterThan(800_000);
  });

  test('options that are not what they should be are refused by name', () => {
    const make = (options: unknown) => () => createReconnectGovernor(options as never, { owner: 'attachMqtt' });
    expect(make({ baseDelayMs: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: attachMqtt: option reconnect.baseDelayMs: expected a finite number of milliseconds, 0 or more, got -1]`,
    );
    expect(make({ fleet: { size: 5 } })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: attachMqtt: option reconnect.fleet: expected an object { size, connectionsPerSecond } of numbers above 0, got a value of type object]`,
    );
    expect(make({ onTakeOver: 'fight' })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: attachMqtt: option reconnect.onTakeOver: expected one of "wait", "stop", got "fight"]`,
    );
  });
});
