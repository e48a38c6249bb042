import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Emulator, type EmulatorOptions, startEmulator } from '@faultmap/emulator';
import device from 'azure-iot-device';
import deviceAmqp from 'azure-iot-device-amqp';
import deviceHttp from 'azure-iot-device-http';
import deviceMqtt from 'azure-iot-device-mqtt';
import httpBase from 'azure-iot-http-base';
import iothub from 'azure-iothub';
import { afterAll, describe, it } from 'vitest';

// The three ways of the emulator's README to point an official client at it.

const HUB = 'lab-hub.azure-devices.net';
const DPS = 'global.azure-devices-provisioning.net';
const REGISTRATIONS = ['reg-1', 'reg-2', 'reg-3', 'reg-4', 'reg-5'];
const KEY = Buffer.from('a key of the enrolment').toString('base64');
const EVERYTHING = [
  'device mqtt',
  'device mqtt-ws',
  'device amqp',
  'device amqp-ws',
  'device http',
  'registry',
  'events',
  'service amqp',
  'service amqp-ws',
  'provisioning mqtt',
  'provisioning mqtt-ws',
  'provisioning amqp',
  'provisioning amqp-ws',
  'provisioning http',
];

const emulators: Emulator[] = [];

afterAll(async () => {
  await Promise.all(emulators.map((emulator) => emulator.stop()));
});

async function start(options: EmulatorOptions): Promise<Emulator> {
  const enrollments = REGISTRATIONS.map((registrationId) => ({ registrationId, symmetricKey: KEY }));
  const emulator = await startEmulator({ devices: ['d1'], enrollments, ...options });
  emulators.push(emulator);
  return emulator;
}

function portOf(url: string | undefined): number {
  return Number(new URL(url ?? '').port);
}

/** Run the program as it is for Azure, in a process of its own. */
async function runProgram(emulator: Emulator, dps: string, nodeArguments: string[], env: object): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'faultmap-'));
  try {
    await writeFile(join(folder, 'ca.pem'), emulator.ca ?? '');
    const { stdout } = await promisify(execFile)(process.execPath, [...nodeArguments, 'program.mjs'], {
      cwd: import.meta.dirname,
      timeout: 50_000,
      env: {
        PATH: process.env.PATH,
        NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
        DEVICE: emulator.connectionString('d1'),
        SERVICE: emulator.serviceConnectionString,
        EVENTS: emulator.eventHubConnectionString,
        DPS_HOST: dps,
        REGISTRATIONS: REGISTRATIONS.join(),
        REGISTRATION_KEY: KEY,
        ...env,
      },
    });
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

// Together: most of the time is the seconds that provisioning asks its clients to wait.
describe.concurrent('pointing the official clients at the emulator', () => {
  it('by a preload: every line of the program as for Azure', async ({ expect }) => {
    const emulator = await start({ hostName: HUB, tls: { hosts: [HUB, DPS] } });
    const { https: web, mqtts, amqps } = emulator.urls;
    const went = await runProgram(emulator, DPS, ['-r', './portmap.cjs'], {
      FAULTMAP_PORTS: JSON.stringify({ 443: portOf(web), 8883: portOf(mqtts), 5671: portOf(amqps) }),
      FAULTMAP_HOSTS: `${HUB},${DPS}`,
    });
    expect(went).toEqual(EVERYTHING);
  });

  it('the README shows that preload as it is', async ({ expect }) => {
    const [readme, preload] = await Promise.all([
      readFile(join(import.meta.dirname, '../../packages/emulator/README.md'), 'utf8'),
      readFile(join(import.meta.dirname, 'portmap.cjs'), 'utf8'),
    ]);
    expect(readme).toContain(preload.slice(preload.indexOf('const net =')).trimEnd());
  });

  it('by an address of its own with the standard ports, where the system lets us bind them', async ({ expect }) => {
    const host = '127.0.0.7';
    let emulator: Emulator;
    try {
      emulator = await start({ host, tls: true, ports: { https: 443, mqtts: 8883, amqps: 5671 } });
    } catch (error) {
      // Without the right to bind 443 the emulator must say so, and hold nothing.
      expect(error).toMatchObject({ code: expect.stringMatching(/^(EACCES|EADDRINUSE)$/) });
      return;
    }
    expect(await runProgram(emulator, host, [], {})).toEqual(EVERYTHING);
  });

  it('by options: free ports without a preload', async ({ expect }) => {
    const emulator = await start({ tls: true });
    const { ca, urls } = emulator;
    const string = (gateway: string) => `${emulator.connectionString('d1')};GatewayHostName=${gateway}`;
    const agent = new https.Agent({ host: '127.0.0.1', port: portOf(urls.https), servername: 'localhost', ca });
    const clients = [
      [string(`localhost:${portOf(urls.mqtts)}`), deviceMqtt.Mqtt, { ca }],
      [string(`localhost:${portOf(urls.amqps)}`), deviceAmqp.Amqp, { ca }],
      [emulator.connectionString('d1'), deviceMqtt.MqttWs, { mqtt: { webSocketAgent: agent } }],
      [emulator.connectionString('d1'), deviceAmqp.AmqpWs, { amqp: { webSocketAgent: agent } }],
      [emulator.connectionString('d1'), deviceHttp.Http, { http: { agent, receivePolicy: { interval: 1 } } }],
    ] as const;
    for (const [connectionString, transport, options] of clients) {
      const client = device.Client.fromConnectionString(connectionString, transport);
      await client.setOptions(options as never);
      await client.open();
      await client.sendEvent(new device.Message('x'));
      await client.close();
    }
    expect(emulator.state.events.count).toBe(clients.length);

    const sharedAccessSignature = emulator.serviceToken();
    const rest = new httpBase.RestApiClient({ host: '127.0.0.1', sharedAccessSignature } as never, 'test/1');
    rest.setOptions({ http: { agent } } as never);
    // The constructor of Registry would replace the agent.
    (rest as { setOptions?: unknown }).setOptions = undefined;
    const registry = new iothub.Registry({ host: '127.0.0.1', sharedAccessSignature } as never, rest as never);
    expect((await registry.get('d1')).responseBody).toMatchObject({ deviceId: 'd1' });
  });
});
