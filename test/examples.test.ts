import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Emulator, startEmulator } from '@faultmap/emulator';
import { afterEach, beforeEach, expect, test } from 'vitest';

// Every example is a program: it runs as one, built, and has to end by itself.

const run = promisify(execFile);
const built = fileURLToPath(new URL('../examples/dist/', import.meta.url));
let cloud: Emulator;

beforeEach(async () => {
  cloud = await startEmulator({ devices: ['pump-7'] });
});
afterEach(() => cloud.stop());

async function play(name: string): Promise<string> {
  const env = {
    ...process.env,
    HUB_NAME: cloud.state.hostName,
    HUB_URL: cloud.httpUrl,
    HUB_SAS: cloud.serviceToken(),
    MQTT_URL: cloud.mqttUrl,
    AMQP_URL: cloud.amqpUrl,
    DEVICE_SAS: cloud.deviceToken('pump-7'),
  };
  const { stdout, stderr } = await run(process.execPath, [`${built}${name}.js`], { env, timeout: 50_000 });
  return stdout + stderr;
}

test('http-service tells an offline device', async () => {
  expect(await play('http-service')).toMatch(/^not now: DeviceNotOnline \(404103\), tracking id \S+/);
});

test('mqtt-device reads its twin', async () => {
  cloud.inject({ transport: 'mqtt', match: { operation: 'twin-get' }, fault: 500001 });
  const said = await play('mqtt-device');
  expect(said).toContain('fault [500001 ServerError]');
  expect(said).toContain('twin desired reported');
});

test('amqp-device sends, also past a busy cloud', async () => {
  cloud.inject({ transport: 'amqp', match: { operation: 'd2c' }, fault: { outcome: 'released' } });
  const said = await play('amqp-device');
  expect(said).toContain('accepted 21 °C');
  expect(said).toContain('accepted 22 °C');
  expect(cloud.log.executions('d2c', '21 °C')).toBe(1);
});

test('retry-anything repeats a fetch', async () => {
  cloud.inject({ transport: 'http', match: { operation: 'device-get' }, fault: 503001, times: 2 });
  expect(await play('retry-anything')).toContain('device pump-7');
});

test('own-catalogue types a code of one’s own', async () => {
  expect(await play('own-catalogue')).toContain('[423001 ValveLocked] locked by shift 2 conflict true');
});

test('no example is left out here', () => {
  const here = readFileSync(fileURLToPath(import.meta.url), 'utf8');
  const programs = readdirSync(fileURLToPath(new URL('../examples/src/', import.meta.url)), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name.replace(/\.ts$/, ''));
  expect(programs.filter((name) => !here.includes(`play('${name}')`))).toEqual([]);
});
