import { describe, expect, test } from 'vitest';
import { client } from './support/client.ts';
import { ManualClock, until } from './support/clock.ts';
import { FAST, rejection, script } from './support/script.ts';

describe('a wait that the cloud asks for', () => {
  const HINTS: readonly (readonly [
    name: string,
    headers: Record<string, string>,
    body: string | undefined,
    ms: number,
  ])[] = [
    ['seconds', { 'retry-after': '7' }, undefined, 7_000],
    ['an HTTP date', { 'retry-after': new Date(Date.now() + 20_000).toUTCString() }, undefined, 18_000],
    ['an RFC 850 date', { 'retry-after': rfc850(new Date(Date.now() + 20_000)) }, undefined, 18_000],
    ['an asctime date', { 'retry-after': asctime(new Date(Date.now() + 20_000)) }, undefined, 18_000],
    ['retry-after-ms', { 'retry-after-ms': '1500' }, undefined, 1_500],
    ['x-ms-retry-after-ms', { 'x-ms-retry-after-ms': '2500' }, undefined, 2_500],
    [
      'prose',
      {},
      '{"Message":"ErrorCode:ThrottlingBacklogTimeout;Wait 10 seconds and try again. Operation type: CRUD"}',
      10_000,
    ],
  ];

  test.each(HINTS)('%s: never earlier', async (_, headers, body, ms) => {
    const clock = new ManualClock();
    const server = await script([429, headers, body ?? '{}'], 200);
    const { instance } = client({ retry: { clock, pacer: false } }, { baseURL: server.url });
    const pending = instance.post('/', {});
    await until(() => clock.pending > 0);
    expect(clock.nextMs).toBeGreaterThanOrEqual(ms);
    expect(clock.nextMs).toBeLessThanOrEqual(ms * 1.5 + 2_000);
    clock.advance(ms - 1);
    await new Promise((next) => setTimeout(next, 10));
    expect(server.count()).toBe(1);
    clock.advance(ms);
    expect((await pending).status).toBe(200);
  });

  test('one that is longer than allowed ends the request at once, and says so', async () => {
    const server = await script([429, { 'retry-after': '61' }]);
    const { instance } = client({ retry: { ...FAST } }, { baseURL: server.url });
    expect(await rejection(instance.get('/'))).toMatchObject({
      stopped: 'hint-too-long',
      attempts: 1,
      retryAfterMs: 61_000,
    });
  });

  test('one that does not fit the deadline ends the request at once, and says so', async () => {
    const server = await script([503, { 'retry-after': '5' }]);
    const { instance } = client({ retry: { ...FAST, deadlineMs: 4_000 } }, { baseURL: server.url });
    expect(await rejection(instance.get('/'))).toMatchObject({ stopped: 'deadline', attempts: 1 });
  });

  test('one that no timer can hold is not at once', async () => {
    const clock = new ManualClock();
    const server = await script([429, { 'retry-after': '10000000' }], 200);
    const retry = { clock, pacer: false as const, maxRetryAfterMs: Infinity, deadlineMs: Infinity };
    const { instance } = client({ retry }, { baseURL: server.url });
    const pending = instance.get('/');
    await until(() => clock.pending > 0);
    for (let day = 0; day < 120 && server.count() === 1; day++) clock.advance(86_400_000);
    expect(clock.now() - 1_700_000_000_000).toBeGreaterThanOrEqual(10_000_000_000);
    await until(() => server.count() === 2);
    expect((await pending).status).toBe(200);
  });

  test.each(['abc', '-1', '1e3', '0x10'])('%s is none: backoff', async (value) => {
    const server = await script([429, { 'retry-after': value }], 200);
    const { instance } = client({ retry: FAST }, { baseURL: server.url });
    expect((await instance.get('/')).status).toBe(200);
  });
});

function rfc850(date: Date): string {
  const day = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][date.getUTCDay()];
  const [, dd, month, year, time] = /^..., (\d\d) (...) \d\d(\d\d) (\S+)/.exec(date.toUTCString()) as RegExpExecArray;
  return `${day}, ${dd}-${month}-${year} ${time} GMT`;
}

function asctime(date: Date): string {
  const [, day, dd, month, year, time] = /^(...), (\d\d) (...) (\d{4}) (\S+)/.exec(
    date.toUTCString(),
  ) as RegExpExecArray;
  return `${day} ${month} ${String(Number(dd)).padStart(2, ' ')} ${time} ${year}`;
}
