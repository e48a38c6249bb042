import { connect } from 'node:net';
import axios from 'axios';
import { expect, test } from 'vitest';
import { useBench } from './support/bench.ts';
import { eventually } from './support/eventually.ts';

const bench = useBench();

/** What axios makes of it: a status and body, or a code. */
async function attempt(run: () => Promise<{ status: number; data: unknown }>): Promise<unknown> {
  try {
    const { status, data } = await run();
    return { status, data };
  } catch (error) {
    return axios.isAxiosError(error) ? error.code : error;
  }
}

const create = (id: string) => ['PUT', `/devices/${id}`, { deviceId: id }] as const;

test.each([
  ['reset-before', 'ECONNRESET', 0],
  ['close', 'ECONNRESET', 0],
  ['garbage', 'HPE_INVALID_CONSTANT', 0],
  ['reset-during', expect.stringMatching(/ERR_BAD_RESPONSE|ECONNRESET/), 1],
  ['truncated', expect.stringMatching(/ERR_BAD_RESPONSE|ECONNRESET/), 1],
  ['half-open', 'ERR_CANCELED', 0],
  ['lost-ack', 'ERR_CANCELED', 1],
] as const)('%s: the client sees %s, the operation ran %i times', async (fault, seen, executions) => {
  const { emulator, service } = await bench({ transports: ['http'] });
  emulator.inject({ fault });
  const leaving = new AbortController();
  // Where nothing comes the client gives up, after it was heard: a while in which an answer would have come.
  if (seen === 'ERR_CANCELED') emulator.on('request', () => setTimeout(() => leaving.abort(), 100));
  expect(await attempt(() => service(...create('new'), { signal: leaving.signal }))).toEqual(seen);
  expect(emulator.log.executions('device-create', 'new')).toBe(executions);
  expect(emulator.requests).toMatchObject([{ operation: 'device-create', outcome: fault, scripted: true }]);
});

test('reset-after: the whole answer comes, then the connection is gone', async () => {
  const { emulator, service } = await bench({ transports: ['http'] });
  emulator.inject({ fault: 'reset-after' });
  expect((await service(...create('new'))).status).toBe(200);
});

test('not-json: a success that is a page of a gateway', async () => {
  const { emulator, service } = await bench({ transports: ['http'] });
  emulator.inject({ fault: 'not-json' });
  const answer = await service('GET', '/devices/device1');
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('text/html');
  expect(answer.data).toMatch(/Service Unavailable/);
});

test('slow: the body comes byte by byte', async () => {
  const { emulator, service } = await bench({ transports: ['http'] });
  emulator.inject({ fault: { unclean: 'slow', bytesPerSecond: 2_000 } });
  expect((await service('GET', '/statistics/service')).data).toEqual({ connectedDeviceCount: 0 });
  emulator.inject({ fault: { unclean: 'slow', bytesPerSecond: 1 } });
  expect(await attempt(() => service('GET', '/statistics/service', undefined, { timeout: 100 }))).toMatch(
    /ERR_BAD_RESPONSE|ECONNABORTED/,
  );
});

test('duplicate: the operation runs twice', async () => {
  const { emulator, device } = await bench({ transports: ['http'] });
  emulator.inject({ match: { operation: 'd2c' }, fault: 'duplicate' });
  await device('POST', '/devices/device1/messages/events', 'x', { headers: { 'iothub-messageid': 'm1' } });
  expect(emulator.executions('m1')).toBe(2);
});

test('a clock that is off: a good token is expired, the Date header says why', async () => {
  const { emulator, service } = await bench({ transports: ['http'] });
  emulator.inject({ fault: { clockSkewMs: 2 * 3_600_000 } });
  const refused = await service('GET', '/devices/device1');
  expect(refused.status).toBe(401);
  expect(Date.parse(refused.headers.date) - Date.now()).toBeGreaterThan(7_000_000);
  expect((await service('GET', '/devices/device1')).status).toBe(200);
});

test('times, after and match decide which requests are hit', async () => {
  const { emulator, service } = await bench({ transports: ['http'], devices: ['device1', 'device2'] });
  const fault = emulator.inject({ match: { deviceId: 'device1', method: 'get' }, fault: 503001, times: 2, after: 1 });
  const statuses = [];
  for (const path of [
    '/devices/device1',
    '/devices/device2',
    '/devices/device1',
    '/twins/device1',
    '/devices/device1',
  ]) {
    statuses.push((await service('GET', path)).status);
  }
  expect(statuses).toEqual([200, 200, 503, 503, 200]);
  expect(fault).toMatchObject({ hits: 2, remaining: 0 });
  const always = emulator.inject({ match: { path: /^\/twins\// }, fault: 429001, times: Number.POSITIVE_INFINITY });
  expect((await service('GET', '/twins/device1')).status).toBe(429);
  always.remove();
  expect((await service('GET', '/twins/device1')).status).toBe(200);
  emulator.inject({
    match: (request) => request.path === '/twins/device2',
    fault: { status: 418, body: { tea: true } },
  });
  expect(await service('GET', '/twins/device2')).toMatchObject({ status: 418, data: { tea: true } });
});

test('executes: the operation runs although the answer is the fault', async () => {
  const { emulator, service } = await bench({ transports: ['http'] });
  emulator.inject({ fault: 500001, executes: true });
  expect((await service(...create('new'))).status).toBe(500);
  expect((await service(...create('new'))).status).toBe(409);
});

test('a delay alone holds the answer back; a client that goes away meanwhile ends it', async () => {
  const { emulator, service } = await bench({ transports: ['http'] });
  emulator.inject({ delayMs: 30 });
  expect((await service('GET', '/devices/device1')).status).toBe(200);
  emulator.inject({ delayMs: 60_000, fault: 500001 });
  expect(await attempt(() => service(...create('new'), { timeout: 50 }))).toBe('ECONNABORTED');
  await eventually(() => emulator.connections).toBe(0);
  expect(emulator.executions('new')).toBe(0);
});

test('the body shape can be chosen, for all answers and for one', async () => {
  const { emulator, service } = await bench({ transports: ['http'], bodyShape: 'new' });
  const nested = await service('GET', '/devices/nobody');
  expect(JSON.parse(nested.data.Message).errorCode).toBe(404001);
  emulator.inject({ fault: { code: 404001, shape: 'old', message: 'Gone;really' } });
  expect((await service('GET', '/devices/device1')).data.Message).toBe('ErrorCode:DeviceNotFound;Gone;really');
  emulator.inject({ fault: { code: 504101, info: { timeout: '00:00:30' } } });
  expect(JSON.parse((await service('GET', '/devices/device1')).data.Message).info).toEqual({ timeout: '00:00:30' });
});

test.each([
  [{ fault: 'explode' }, /inject: fault: expected one of reset-before/],
  [{ fault: {} }, /inject: fault: expected a code, a text, or an object/],
  [{ fault: 429001, times: 0 }, /inject: times: expected a number from 1, received 0/],
  [{ fault: 429001, tmies: 2 }, /inject: tmies: expected one of transport/],
  [{ fault: 429001, transport: 'coap' }, /inject: transport: expected 'http', 'mqtt' or 'amqp', received coap/],
  [{}, /inject: fault: expected a fault, or delayMs alone/],
  [[429001], /inject: fault: expected an object, received \[429001\]/],
  [{ fault: 99 }, /inject: fault: expected a whole number from 200000 to 599999, received 99/],
  [{ fault: { code: 429001, retryAfterS: 3 } }, /inject: fault.retryAfterS: expected one of code, name, message/],
  [{ fault: { status: 99 } }, /inject: fault.status: expected a whole number from 200 to 599, received 99/],
  [{ fault: { status: 200, headers: { 'x y': 'z' } } }, /inject: fault.headers: expected what HTTP can hold/],
  [{ fault: { reasonCode: 300 } }, /inject: fault.reasonCode: expected a whole number from 0 to 255, received 300/],
  [{ fault: { condition: '' } }, /inject: fault.condition: expected a text that is not empty/],
  [{ fault: { condition: 'a:b', at: 'lnk' } }, /inject: fault.at: expected one of connection, session, link, delivery/],
  [{ fault: { unclean: 'slow', bytesPerSecond: 0 } }, /inject: fault.bytesPerSecond: expected a number above 0/],
  [{ fault: { clockSkewMs: 1e300 } }, /inject: fault.clockSkewMs: expected a number of ms, of a hundred years at most/],
  [{ fault: 429001, match: { operaton: 'd2c' } }, /inject: match.operaton: expected one of operation, deviceId/],
  [
    { fault: 429001, match: { operation: 1 } },
    /inject: match.operation: expected a text, a pattern or a list of texts/,
  ],
  [{ fault: 429001, match: 'd2c' }, /inject: match: expected an object or a function, received d2c/],
  [{ fault: 429001, executes: 'yes' }, /inject: executes: expected true or false, received yes/],
])('a wrong fault is refused by name: %j', async (spec, text) => {
  const { emulator } = await bench({ transports: ['http'] });
  expect(() => emulator.inject(spec as never)).toThrow(text);
});

test('stop ends half-open connections, waits and all', async () => {
  const { emulator } = await bench({ transports: ['http'] });
  emulator.inject({ fault: 'half-open' });
  const socket = connect(Number(new URL(emulator.httpUrl).port), '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.write('GET /devices HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => emulator.requests.length).toBe(1);
  await emulator.stop();
  await closed;
  expect(emulator.connections).toBe(0);
});

test('a script that cannot be carried out ends a connection at most, never the process', async () => {
  const { emulator, service } = await bench({ transports: ['http'] });
  const warnings: string[] = [];
  const onWarning = (warning: Error) => warnings.push(warning.message);
  process.on('warning', onWarning);
  const match = () => {
    throw new Error('mine');
  };
  const wrong = emulator.inject({ match, fault: 500001 });
  expect((await service('GET', '/devices/device1')).status).toBe(200);
  wrong.remove();
  emulator.inject({ fault: { code: 404001, name: 'line\nbreak' } });
  emulator.inject({ fault: { code: 404001, info: { toJSON: () => BigInt(1) } } });
  for (let n = 0; n < 2; n += 1) {
    expect(await attempt(() => service('GET', '/devices/device1'))).toBe('ECONNRESET');
  }
  await eventually(() => warnings.length).toBe(3);
  process.off('warning', onWarning);
});

test.each([
  ['refused', undefined],
  ['left half-open', 'half-open'],
] as const)('a client that leaves after its upgrade was %s is not held', async (_name, fault) => {
  const { emulator } = await bench({ transports: ['http'] });
  if (fault) emulator.inject({ match: { operation: 'upgrade' }, fault });
  const socket = connect(Number(new URL(emulator.httpUrl).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'GET /$iothub/websocket HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nmore than was asked for',
  );
  await eventually(() => emulator.connections).toBe(1);
  socket.destroy();
  await eventually(() => emulator.connections).toBe(0);
});
