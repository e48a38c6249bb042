import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { main } from '@faultmap/cli';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run, streams } from './run.ts';

/** A running `faultmap emulator --json`: its first line, and the way to end it. */
async function started(...argv: string[]) {
  let interrupt: () => void = () => {};
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve;
  });
  const { io, stdout } = streams('', interrupted);
  const ended = main(['emulator', '--json', ...argv], io);
  onTestFinished(async () => {
    interrupt();
    await ended;
  });
  for (let i = 0; i < 500 && !stdout.text.includes('\n'); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  const lines = () =>
    stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const stop = () => {
    interrupt();
    return ended;
  };
  return { ...lines()[0], lines, stop };
}

describe('faultmap emulator', () => {
  test('prints endpoints and a connection string per device, serves, and stops', async () => {
    const { urls, devices, service, lines, stop } = await started(
      '--devices',
      'pump-1, pump-2',
      '--transports',
      'http',
    );
    expect(Object.keys(devices)).toEqual(['pump-1', 'pump-2']);
    expect(devices['pump-1']).toMatch(/^HostName=127\.0\.0\.1;DeviceId=pump-1;SharedAccessKey=/);
    expect(service).toContain('SharedAccessKeyName=iothubowner');
    expect((await fetch(`${urls.http}/devices/pump-1`)).status).toBe(401);
    expect(await stop()).toBe(0);
    expect(lines()).toMatchObject([
      { event: 'started' },
      { event: 'request', transport: 'http', operation: 'device-get', deviceId: 'pump-1', count: 1 },
      { event: 'stopped' },
    ]);
    await expect(fetch(urls.http)).rejects.toThrow();
    await expect(fetch(urls.control)).rejects.toThrow();
  });

  test('faults are injected while it runs', async () => {
    const { urls } = await started('--no-auth', '--transports', 'http');
    const inject = (fault: unknown) => fetch(`${urls.control}/faults`, { method: 'POST', body: JSON.stringify(fault) });
    expect(
      (
        await inject({
          transport: 'http',
          match: { operation: { pattern: '^device-' } },
          fault: { code: 429001 },
          retryAfterS: 3,
        })
      ).status,
    ).toBe(201);
    const refused = await fetch(`${urls.http}/devices/device1`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '3']);
    expect((await fetch(`${urls.http}/devices/device1`)).status).toBe(200);

    expect((await inject({ fault: 503001, times: 9 })).status).toBe(201);
    expect(await (await fetch(`${urls.control}/faults`)).json()).toHaveLength(1);
    expect((await fetch(`${urls.control}/faults`, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(`${urls.http}/devices/device1`)).status).toBe(200);
    expect(await (await fetch(`${urls.control}/requests?limit=1`)).json()).toMatchObject([
      { operation: 'device-get', outcome: 'ok' },
    ]);
  });

  test('the control endpoint says what is wrong, and takes nothing from a browser', async () => {
    const { urls } = await started('--transports', 'http');
    const post = (body: string, headers = {}) => fetch(`${urls.control}/faults`, { method: 'POST', body, headers });
    for (const body of [
      '{ broken',
      '[',
      '7',
      '{"transport":"smoke"}',
      '{"match":{"operation":{"pattern":7}}}',
      '{"match":{"operation":{"pattern":"("}}}',
    ]) {
      const answer = await post(body);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({ error: expect.any(String) });
    }
    expect((await post('{"fault":429001}', { origin: 'http://evil.example' })).status).toBe(403);
    expect((await fetch(`${urls.control}/nothing`)).status).toBe(404);
    expect((await fetch(`${urls.control}/clock`, { method: 'PUT', body: '{"skewMs":"x"}' })).status).toBe(400);
    expect((await fetch(`${urls.control}/clock`, { method: 'PUT', body: '{"skewMs":60000}' })).status).toBe(204);
    expect(await (await fetch(`${urls.control}/`)).json()).toMatchObject({ faults: [] });
  });

  test('a port in use is said in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const { exitCode, err } = await run(['emulator', '--transports', 'http', '--http-port', String(port)]);
    expect(err).toMatch(/^faultmap: a port is in use: [^\n]+\n$/);
    expect(exitCode).toBe(2);
  });
});
