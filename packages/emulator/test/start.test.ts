import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import axios from 'axios';
import { generate } from 'selfsigned';
import { expect, test } from 'vitest';
import { CloudFault, startEmulator } from '../src/index.ts';
import { useBench } from './support/bench.ts';

const bench = useBench();

test('starts with one device and what is needed to reach it, and ends everything', async () => {
  const emulator = await startEmulator();
  expect(emulator.devices.map((device) => device.deviceId)).toEqual(['device1']);
  expect(emulator.connectionString('device1')).toMatch(
    /^HostName=127\.0\.0\.1;DeviceId=device1;SharedAccessKey=.{43}=$/,
  );
  expect(emulator.serviceConnectionString).toMatch(
    /^HostName=127\.0\.0\.1;SharedAccessKeyName=iothubowner;SharedAccessKey=/,
  );
  expect(() => emulator.connectionString('nobody')).toThrow(CloudFault);
  expect([emulator.httpUrl, emulator.mqttUrl]).toEqual([
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    expect.stringMatching(/^mqtt:\/\/127\.0\.0\.1:\d+$/),
  ]);
  await emulator.stop();
  await emulator.stop();
  await expect(axios.get(emulator.httpUrl)).rejects.toThrow(/ECONNREFUSED/);
});

test('devices, modules, keys, policies and ports can be given', async () => {
  const key = Buffer.alloc(32, 1).toString('base64');
  const { emulator } = await bench({
    host: '127.0.0.9',
    hostName: 'lab-hub.azure-devices.net',
    devices: [{ deviceId: 'a', primaryKey: key, modules: ['m', { moduleId: 'n', primaryKey: key }], tags: { x: 1 } }],
    policies: { iothubowner: key },
  });
  expect(emulator.connectionString('a', 'n')).toBe(
    `HostName=lab-hub.azure-devices.net;DeviceId=a;ModuleId=n;SharedAccessKey=${key}`,
  );
  expect(emulator.serviceConnectionString).toContain(`SharedAccessKey=${key}`);
  expect(emulator.httpUrl).toMatch(/127\.0\.0\.9/);
  expect(emulator.state.twins.get({ deviceId: 'a' }).tags).toEqual({ x: 1 });
});

test.each([
  [{ prots: {} }, 'startEmulator: prots: expected one of host, ports,'],
  [{ ports: { http: 70_000 } }, 'startEmulator: ports.http: expected a port, received 70000'],
  [
    { ports: { coap: 1 } },
    'startEmulator: ports.coap: expected one of http, https, mqtt, mqtts, amqp, amqps, received coap',
  ],
  [
    { transports: ['coap'] },
    "startEmulator: transports: expected a list of 'http', 'mqtt', 'amqp', received [\"coap\"]",
  ],
  [{ transports: [] }, 'startEmulator: transports: expected at least one, received []'],
  [null, 'startEmulator: expected an object, received null'],
  [{ host: '' }, 'startEmulator: host: expected a text that is not empty, received '],
  [{ devices: 'pump-7' }, 'startEmulator: devices: expected a list of ids and objects, received pump-7'],
  [{ devices: ['a b'] }, 'startEmulator: devices[0].deviceId: expected an id of 1 to 128'],
  [{ devices: ['a', { deviceId: 'a' }] }, 'startEmulator: devices: expected each deviceId once, received a'],
  [{ devices: [{}] }, 'startEmulator: devices[0]: expected an object with deviceId, received {}'],
  [
    { devices: [{ deviceId: 'a', primarykey: 'x' }] },
    'startEmulator: devices[0].primarykey: expected one of deviceId,',
  ],
  [
    { devices: [{ deviceId: 'a', primaryKey: 'no!' }] },
    'startEmulator: devices[0].primaryKey: expected a key in base64',
  ],
  [
    { devices: [{ deviceId: 'a', modules: [{ moduleId: '' }] }] },
    'startEmulator: devices[0].modules[0].moduleId: expected',
  ],
  [
    { enrollments: [{ registrationId: 'r', foo: 1 }] },
    'startEmulator: enrollments[0].foo: expected one of registrationId',
  ],
  [{ policies: { boss: 'a' } }, 'startEmulator: policies.boss: expected one of iothubowner, service'],
  [{ tls: { host: ['x'] } }, 'startEmulator: tls.host: expected one of hosts, received host'],
  [{ throttle: true }, 'startEmulator: throttle: expected false or an object, received true'],
  [{ throttle: { tier: 'S9' } }, 'startEmulator: throttle.tier: expected one of F1, S1, S2, S3, received S9'],
  [{ throttle: { perSecond: { d2C: 1 } } }, 'startEmulator: throttle.perSecond.d2C: expected one of registry, connect'],
  [{ queue: { depth: 5 } }, 'startEmulator: queue.depth: expected one of maxDepth, lockMs'],
  [{ clock: {} }, 'startEmulator: clock: expected an object with now and after, received {}'],
  [{ auth: 'maybe' }, "startEmulator: auth: expected 'sas' or 'none', received maybe"],
  [{ dailyMessages: -1 }, 'startEmulator: dailyMessages: expected a number from 0, received -1'],
])('a wrong option is refused by name: %j', async (options, text) => {
  await expect(startEmulator(options as never)).rejects.toThrow(text);
});

test('a port in use is said, and nothing is left behind', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  await expect(startEmulator({ ports: { mqtt: port } })).rejects.toThrow(/EADDRINUSE/);
  taken.close();
});

test('the certificate names localhost, the address and given hosts, and its authority is handed out', async () => {
  const { emulator } = await bench({ tls: { hosts: ['lab-hub.azure-devices.net'] } });
  const httpsAgent = new Agent({ ca: emulator.ca });
  const headers = { authorization: emulator.serviceToken() };
  const { port } = new URL(emulator.urls.https ?? '');
  for (const host of ['127.0.0.1', 'localhost']) {
    const answer = await axios.get(`https://${host}:${port}/devices`, { httpsAgent, headers });
    expect(answer.data).toHaveLength(1);
  }
  expect(new X509Certificate(emulator.ca ?? '').ca).toBe(true);
  await expect(axios.get(emulator.urls.https ?? '', { headers })).rejects.toMatchObject({
    code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/),
  });
  httpsAgent.destroy();
});

test('a device with a certificate is known by its thumbprint, over HTTPS and MQTT', async () => {
  const made = await generate([{ name: 'commonName', value: 'x509' }], { keyType: 'ec', algorithm: 'sha256' });
  const other = await generate([{ name: 'commonName', value: 'x509' }], { keyType: 'ec', algorithm: 'sha256' });
  const primaryThumbprint = new X509Certificate(made.cert).fingerprint256;
  const devices = [{ deviceId: 'x509', authenticationType: 'selfSigned' as const, primaryThumbprint }];
  const { emulator, mqtt } = await bench({ tls: true, devices });
  const send = async (pair: { cert: string; private: string } | undefined) => {
    const httpsAgent = new Agent({ ca: emulator.ca, ...(pair && { cert: pair.cert, key: pair.private }) });
    const { status } = await axios.post(`${emulator.urls.https}/devices/x509/messages/events`, 'x', {
      httpsAgent,
      validateStatus: () => true,
    });
    httpsAgent.destroy();
    return status;
  };
  expect([await send(made), await send(other), await send(undefined)]).toEqual([204, 401, 401]);
  const tls = { url: emulator.urls.mqtts, clientId: 'x509', ca: emulator.ca ?? '', password: '' };
  const username = 'localhost/x509/?api-version=2021-04-12';
  const options = ({ cert, private: key }: { cert: string; private: string }) => ({
    ...tls,
    username,
    cert,
    key,
    password: undefined as never,
  });
  await mqtt({ ...options(made) });
  await expect(mqtt(options(other))).rejects.toMatchObject({ code: 5 });
});

test('a process that only started and stopped an emulator ends by itself', () => {
  const index = new URL('../dist/index.js', import.meta.url).href;
  const program = `import { startEmulator } from ${JSON.stringify(index)};
    const emulator = await startEmulator({ tls: true });
    await emulator.stop();
    console.log('stopped');`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 50_000 });
  expect(printed.toString()).toBe('stopped\n');
});
