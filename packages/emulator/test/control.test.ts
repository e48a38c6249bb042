import axios from 'axios';
import { expect, test } from 'vitest';
import { useBench } from './support/bench.ts';
import { eventually } from './support/eventually.ts';

const bench = useBench();
const any = { validateStatus: () => true };

test('describes endpoints and keys, and takes faults as JSON', async () => {
  const { emulator, service } = await bench();
  const { data } = await axios.get(emulator.controlUrl);
  expect(data.urls.mqtt).toBe(emulator.mqttUrl);
  expect(data.devices).toMatchObject([{ deviceId: 'device1', connectionString: emulator.connectionString('device1') }]);
  expect(data.serviceConnectionString).toBe(emulator.serviceConnectionString);
  expect(data.eventHubConnectionString).toBe(emulator.eventHubConnectionString);
  const fault = { match: { path: { regex: '^.twins.', flags: 'i' } }, fault: { code: 429001 }, times: 'always' };
  const posted = await axios.post(`${emulator.controlUrl}/faults`, fault);
  expect(posted).toMatchObject({ status: 201, data: { remaining: 'always' } });
  expect((await service('GET', '/twins/device1')).status).toBe(429);
  expect((await axios.get(`${emulator.controlUrl}/faults`)).data).toEqual([
    { id: posted.data.id, spec: fault, hits: 1, remaining: 'always' },
  ]);
  expect((await axios.delete(`${emulator.controlUrl}/faults/${posted.data.id}`)).status).toBe(204);
  expect((await axios.delete(`${emulator.controlUrl}/faults/${posted.data.id}`, any)).status).toBe(404);
  expect((await service('GET', '/twins/device1')).status).toBe(200);
});

test('shows the log, executions and sets the clock', async () => {
  const { emulator, service, device } = await bench();
  await device('POST', '/devices/device1/messages/events', 'x', { headers: { 'iothub-messageid': 'm1' } });
  const log = await axios.get(`${emulator.controlUrl}/log`, { params: { operation: 'd2c' } });
  expect(log.data).toMatchObject([{ transport: 'http', outcome: 'ok', status: 204, messageId: 'm1' }]);
  expect((await axios.get(`${emulator.controlUrl}/executions`, { params: { id: 'm1' } })).data).toEqual({
    executions: 1,
  });
  await axios.put(`${emulator.controlUrl}/clock`, { skewMs: 2 * 3_600_000 });
  expect(
    (
      await service('GET', '/devices/device1', undefined, {
        headers: { authorization: emulator.serviceToken('iothubowner', -1) },
      })
    ).status,
  ).toBe(401);
  emulator.setClockSkew(0);
});

test('streams what happens', async () => {
  const { emulator, service, mqtt } = await bench();
  const { data } = await axios.get(`${emulator.controlUrl}/events`, { responseType: 'stream' });
  let seen = '';
  data.on('data', (chunk: Buffer) => {
    seen += chunk;
  });
  await service('GET', '/devices/device1');
  await mqtt();
  await eventually(() => seen).toMatch(/event: request\ndata: \{.*"operation":"device-get".*\}\n\n/);
  await eventually(() => seen).toMatch(/event: connect\ndata: \{"deviceId":"device1","transport":"mqtt"\}\n\n/);
  data.destroy();
  await eventually(() => emulator.log.recorded.size).toBe(0);
});

test.each([
  ['POST', 'faults', '{"fault":"explode"}', 400],
  ['POST', 'faults', '{"fault":', 400],
  ['POST', 'faults', '[]', 400],
  ['POST', 'faults', '{"fault":1,"match":{"path":{"regex":"("}}}', 400],
  ['PUT', 'clock', '{}', 400],
  ['PUT', 'clock', 'null', 400],
  ['PUT', 'clock', '{"skewMs":1e300}', 400],
  ['GET', 'nothing', undefined, 404],
])('%s %s %s is refused', async (method, path, data, status) => {
  const { emulator } = await bench();
  const headers = { 'content-type': 'text/plain' };
  const answer = await axios.request({ method, url: `${emulator.controlUrl}/${path}`, data, headers, ...any });
  expect(answer.status).toBe(status);
  expect(answer.data.error).toEqual(expect.any(String));
});

test('is closed to pages of a browser and to other names, and can be switched off', async () => {
  const { emulator } = await bench();
  for (const headers of [
    { origin: 'http://evil.example' },
    { host: 'evil.example' },
    { 'sec-fetch-site': 'same-origin' },
  ]) {
    expect((await axios.get(emulator.controlUrl, { headers, ...any })).status).toBe(403);
  }
  const closed = await bench({ control: false });
  expect(closed.emulator.controlUrl).toBe('');
  expect((await axios.get(`${closed.emulator.httpUrl}/$emulator`, any)).status).toBe(404);
});

test('listeners hear the same, and one that throws stops nothing', async () => {
  const { emulator, mqtt, service } = await bench();
  const heard: string[] = [];
  emulator.on('request', () => {
    throw new Error('mine');
  });
  emulator.on('request', (entry) => heard.push(entry.operation));
  const off = emulator.on('event', (event) => heard.push(event.body.toString()));
  emulator.on('connect', ({ transport }) => heard.push(transport));
  const warned = new Promise((resolve) => process.once('warning', resolve));
  const client = await mqtt();
  await client.publishAsync('devices/device1/messages/events/', 'hi', { qos: 1 });
  off();
  expect((await service('GET', '/devices/device1')).status).toBe(200);
  expect(heard).toEqual(['mqtt', 'connect', 'hi', 'd2c', 'device-get']);
  await warned;
});
