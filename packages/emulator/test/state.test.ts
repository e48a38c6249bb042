import fc from 'fast-check';
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { Authority, createToken, parseToken } from '../src/auth.ts';
import { Cloud } from '../src/state/cloud.ts';
import { CloudFault } from '../src/state/fault.ts';
import { type JsonObject, mergePatch } from '../src/state/json.ts';
import { Throttles } from '../src/state/throttles.ts';

const faultOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof CloudFault) return error.fault;
    throw error;
  }
};

test('a queue loses no message and delivers none twice after complete, whatever receivers do', () => {
  const action = fc.oneof(
    fc.constant('send' as const),
    fc.constant('receive' as const),
    fc.constant('complete' as const),
    fc.constant('abandon' as const),
    fc.constant('lockRunsOut' as const),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const clock = handClock();
      const cloud = new Cloud({ clock, throttle: false, queue: { maxDeliveries: 1_000, timeToLiveMs: 1e9 } });
      cloud.identities.create({ deviceId: 'd' });
      const held: string[] = [];
      let sent = 0;
      let completed = 0;
      for (const one of actions) {
        if (one === 'send') {
          const full = cloud.queues.depth('d') >= 50;
          expect(faultOf(() => cloud.sendToDevice('d', { body: Buffer.from('x') }))).toBe(
            full ? 'queue-full' : undefined,
          );
          if (!full) sent += 1;
        } else if (one === 'receive') {
          const got = cloud.queues.receive('d');
          if (got) held.push(got.lockToken);
        } else if (one === 'lockRunsOut') {
          clock.pass(60_000);
          for (const lock of held.splice(0)) expect(faultOf(() => cloud.queues.complete('d', lock))).toBe('lock-lost');
        } else {
          const lock = held.shift();
          if (lock === undefined) continue;
          cloud.queues[one]('d', lock);
          if (one === 'complete') completed += 1;
        }
        expect(cloud.queues.depth('d')).toBe(sent - completed);
      }
    }),
  );
});

test('a message expires, or is dropped after its tenth delivery, and feedback says so', () => {
  const clock = handClock();
  const cloud = new Cloud({ clock, throttle: false });
  cloud.identities.create({ deviceId: 'd' });
  const send = (messageId: string, expiresAt?: number) =>
    cloud.queues.send('d', { messageId, ack: 'full', body: Buffer.from('x'), expiresAt });
  send('short', clock.now() + 1_000);
  clock.pass(1_001);
  expect(cloud.queues.receive('d')).toBeUndefined();
  send('stubborn');
  for (let delivery = 1; delivery <= 10; delivery += 1) {
    const got = cloud.queues.receive('d');
    expect(got?.message.deliveryCount).toBe(delivery);
    cloud.queues.abandon('d', got?.lockToken ?? '');
  }
  expect(cloud.queues.receive('d')).toBeUndefined();
  expect(cloud.feedback.take().map((one) => [one.originalMessageId, one.statusCode])).toEqual([
    ['short', 'Expired'],
    ['stubborn', 'DeliveryCountExceeded'],
  ]);
});

test('a sender hears of what expired or was given up, though nobody looks into the queue again', () => {
  const clock = handClock();
  const cloud = new Cloud({ clock, throttle: false, queue: { maxDeliveries: 1 } });
  cloud.identities.create({ deviceId: 'd' });
  const send = (messageId: string, ack: 'full' | 'positive') =>
    cloud.queues.send('d', { messageId, ack, body: Buffer.from('x'), expiresAt: clock.now() + 1_000 });
  const told = () => cloud.feedback.take().map((one) => [one.originalMessageId, one.statusCode]);
  for (const ack of ['full', 'positive'] as const) send(ack, ack);
  clock.pass(1_001);
  expect(told()).toEqual([['full', 'Expired']]);
  send('locked', 'full');
  const locked = cloud.queues.receive('d');
  clock.pass(2_000); // past its end, but it is held
  expect(told()).toEqual([]);
  cloud.queues.abandon('d', locked?.lockToken ?? '');
  expect(told()).toEqual([['locked', 'Expired']]);
  send('once', 'full');
  cloud.queues.abandon('d', cloud.queues.receive('d')?.lockToken ?? '');
  expect(told()).toEqual([['once', 'DeliveryCountExceeded']]);
  send('done', 'full');
  cloud.queues.complete('d', cloud.queues.receive('d')?.lockToken ?? '');
  clock.pass(2_000);
  expect(told()).toEqual([['done', 'Success']]);
});

test('a bucket lets through its burst and then its rate, never more', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }),
      (rate, burstS, gaps) => {
        const clock = handClock();
        const throttles = new Throttles(clock, { perSecond: { d2c: rate }, burstS });
        let passed = 0;
        let elapsed = 0;
        for (const gap of gaps) {
          clock.pass(gap);
          elapsed += gap;
          if (faultOf(() => throttles.take('d2c')) === undefined) passed += 1;
          expect(passed).toBeLessThanOrEqual(rate * burstS + (elapsed / 1000) * rate + 1e-6);
        }
        clock.pass((burstS + 1) * 1000);
        expect(faultOf(() => throttles.take('d2c', rate * burstS))).toBeUndefined();
      },
    ),
  );
});

test('the documented limits, by tier and units', () => {
  const rate = (tier: 'S1' | 'S2' | 'S3', units: number, operation: 'registry' | 'd2c' | 'twin-read') =>
    new Throttles(handClock(), { tier, units }).rate(operation);
  expect(rate('S1', 1, 'registry')).toBeCloseTo(100 / 60);
  expect(rate('S1', 2, 'd2c')).toBe(100);
  expect(rate('S1', 10, 'd2c')).toBe(120);
  expect(rate('S3', 2, 'd2c')).toBe(12_000);
  expect(rate('S2', 20, 'twin-read')).toBe(200);
});

const json: fc.Arbitrary<JsonObject> = fc.letrec((tie) => ({
  object: fc.dictionary(fc.string({ maxLength: 3 }), tie('value'), { maxKeys: 4 }),
  value: fc.oneof({ depthSize: 'small' }, fc.constant(null), fc.integer(), fc.string(), tie('object')),
})).object as fc.Arbitrary<JsonObject>;

const hasNull = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.values(value as object).some(hasNull));

test('a twin patch removes what is null, keeps the rest, is its own repetition, and changes no prototype', () => {
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const start = mergePatch({}, target);
      const once = mergePatch(start, patch);
      expect(hasNull(once)).toBe(false);
      expect(mergePatch(once, patch)).toEqual(once);
      for (const name of Object.keys(start)) if (!Object.hasOwn(patch, name)) expect(once[name]).toEqual(start[name]);
    }),
  );
  mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}'));
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('a token is accepted until it expires, and no other reading of it is', () => {
  const clock = handClock();
  const cloud = new Cloud({ clock });
  const { primaryKey: key } = cloud.identities.create({ deviceId: 'a/b'.replace('/', '#') });
  const authority = new Authority(cloud, []);
  const expiresS = clock.now() / 1000 + 60;
  const token = createToken({ resource: 'hub/devices/a%23b', key, expiresS });
  expect(authority.verify(token)).toMatchObject({
    ok: true,
    principal: { kind: 'device', identity: { deviceId: 'a#b' } },
  });
  expect(authority.verify(token, 61_000)).toEqual({ ok: false, why: 'expired' });
  for (const [from, to] of [
    [`se=${expiresS}`, `se=${expiresS + 1}`],
    ['a%2523b', 'a%2523c'],
    ['sig=', 'sig=A'],
  ] as const) {
    expect(authority.verify(token.replace(from, to)).ok).toBe(false);
  }
  clock.pass(60_000);
  expect(authority.verify(token)).toEqual({ ok: false, why: 'expired' });
});

test('whatever text comes as a token is refused, never thrown at', () => {
  const authority = new Authority(new Cloud(), []);
  const piece = fc.constantFrom(
    'SharedAccessSignature ',
    'sr=',
    'sig=',
    'se=',
    'skn=',
    '&',
    '%',
    '%41',
    'hub/devices/d',
    '1999999999',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        expect(authority.verify(text).ok).toBe(false);
        parseToken(text);
      },
    ),
  );
});

test('the quota begins anew at UTC midnight and is spent by blocks of 4 KB', () => {
  const clock = handClock(Date.UTC(2026, 5, 1, 12));
  const cloud = new Cloud({ clock, dailyMessages: 3, throttle: false });
  cloud.identities.create({ deviceId: 'd' });
  const send = (bytes: number) =>
    faultOf(() => cloud.sendEvent({ deviceId: 'd' }, { body: Buffer.alloc(bytes) }, 'mqtt'));
  expect([send(4_097), send(4_097), send(1), send(1)]).toEqual([
    undefined,
    'quota-exceeded',
    undefined,
    'quota-exceeded',
  ]);
  clock.pass(12 * 3_600_000);
  expect(send(1)).toBeUndefined();
});
