import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '@faultmap/cli';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../../../test/support/ports.ts';
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
    const { urls, control, devices, service, lines, stop } = await started(
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
    await expect(fetch(control)).rejects.toThrow();
  });

  test('tells where telemetry is read, if AMQP is served', async () => {
    const both = await started('--transports', 'http,amqp');
    expect(both.events).toMatch(/^Endpoint=sb:\/\/127\.0\.0\.1\/;SharedAccessKeyName=iothubowner;.*;EntityPath=/);
    const alone = await started('--transports', 'http');
    expect(alone.events).toBeUndefined();
  });

  test('faults are injected while it runs', async () => {
    const { urls, control } = await started('--no-auth', '--transports', 'http');
    const fault = { transport: 'http', fault: { code: 429001 }, retryAfterS: 3 };
    expect((await fetch(`${control}/faults`, { method: 'POST', body: JSON.stringify(fault) })).status).toBe(201);
    const refused = await fetch(`${urls.http}/devices/device1`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '3']);
    expect((await fetch(`${urls.http}/devices/device1`)).status).toBe(200);
  });

  test('TLS, its certificate in a file, and fixed ports', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultmap-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const caFile = join(folder, 'ca.pem');
    const port = await freePort();
    const { urls, devices } = await started(
      '--transports',
      'mqtt',
      '--port',
      `mqtts=${port}`,
      '--host-name',
      'hub.test',
      '--ca-file',
      caFile,
    );
    expect(urls.mqtts).toBe(`mqtts://127.0.0.1:${port}`);
    expect(devices.device1).toContain('HostName=hub.test;');
    expect(await readFile(caFile, 'utf8')).toContain('BEGIN CERTIFICATE');
  });

  test('for people it prints what clients do, with counts', async () => {
    let interrupt: () => void = () => {};
    const { io, stdout } = streams('', new Promise<void>((resolve) => (interrupt = resolve)));
    const ended = main(['emulator', '--transports', 'http'], io);
    await vi.waitFor(() => expect(stdout.text).toContain('Ctrl-C ends it.'));
    const url = /http +(http:\S+)/.exec(stdout.text)?.[1];
    for (let i = 0; i < 2; i++) await fetch(`${url}/devices/device1`);
    interrupt();
    expect(await ended).toBe(0);
    expect(stdout.text).toMatch(/http device-get +device1 +unauthorized\S* ×2/);
    expect(stdout.text).toMatch(/Stopped\. Counts:\n +2 +http device-get/);
  });

  test('a port in use is said in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const { exitCode, err } = await run(['emulator', '--transports', 'http', '--port', `http=${port}`]);
    expect(err).toMatch(/^faultmap: a port is in use: [^\n]+\n$/);
    expect(exitCode).toBe(2);
  });
});
