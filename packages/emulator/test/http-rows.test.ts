import axios, { type AxiosResponse } from 'axios';
import { afterEach, expect, test } from 'vitest';
import { knownCodes } from '../src/forms/codes.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../src/index.ts';

/*
 * The rows of the REST page "Common error codes" that occur over HTTP, each provoked by behaviour
 * through real axios calls. Expectations are written here by hand.
 */

let emulator: Emulator;

async function start(options: EmulatorOptions = {}): Promise<Emulator> {
  emulator = await startEmulator({ transports: ['http'], ...options });
  return emulator;
}

afterEach(() => emulator.stop());

interface Call {
  method?: string;
  path: string;
  data?: unknown;
  headers?: Record<string, string>;
  as?: 'device' | 'service';
  token?: string;
}

function call({ method = 'GET', path, data, headers = {}, as = 'service', token }: Call): Promise<AxiosResponse> {
  const authorization = token ?? (as === 'service' ? emulator.serviceToken() : emulator.deviceToken('device1'));
  return axios.request({
    method,
    url: `${emulator.httpUrl}${path}${path.includes('?') ? '&' : '?'}api-version=2021-04-12`,
    headers: { authorization, ...headers },
    ...(data === undefined ? {} : { data }),
    validateStatus: () => true,
    transformResponse: (body) => body,
    timeout: 30_000,
  });
}

/** The number in a body of the new shape: JSON in a JSON string. */
function numberIn(response: AxiosResponse): number {
  return JSON.parse(JSON.parse(response.data).Message).errorCode;
}

function messageIn(response: AxiosResponse): string {
  return JSON.parse(response.data).Message;
}

const header = (response: AxiosResponse) => response.headers['iothub-errorcode'];

test('400004: a body that cannot be parsed', async () => {
  await start();
  const response = await call({
    method: 'PATCH',
    path: '/twins/device1',
    data: '{"tags":',
    headers: { 'content-type': 'application/json' },
  });
  expect(response.status).toBe(400);
  expect(numberIn(response)).toBe(400004);
  expect(header(response)).toBe('ArgumentInvalid');
});

test('401002: a wrong, an expired and a missing token, and one of another device', async () => {
  await start({ devices: ['device1', 'device2'] });
  const tokens = [
    emulator.deviceToken('device1', undefined, -60),
    emulator.deviceToken('device2'),
    emulator.deviceToken('device1').replace(/sig=[^&]{4}/, 'sig=AAAA'),
    'Bearer nothing',
  ];
  for (const token of tokens) {
    const response = await call({ method: 'POST', path: '/devices/device1/messages/events', data: 'x', token });
    expect(response.status).toBe(401);
    expect(messageIn(response)).toBe('ErrorCode:IotHubUnauthorizedAccess;Unauthorized');
    expect(header(response)).toBe('IotHubUnauthorizedAccess');
    expect(JSON.parse(response.data).ExceptionMessage).toMatch(
      /^Tracking ID:[0-9a-f]{32}-G:5-TimeStamp:\d\d\/\d\d\/\d{4} /,
    );
  }
});

test('403002: the daily quota, until the next UTC midnight', async () => {
  let now = Date.UTC(2026, 0, 1, 23, 59, 0);
  const clock = { now: () => now, after: () => () => {} };
  await start({ dailyMessages: 2, clock });
  const send = () => call({ method: 'POST', path: '/devices/device1/messages/events', data: 'x', as: 'device' });
  expect((await send()).status).toBe(204);
  expect((await send()).status).toBe(204);
  const refused = await send();
  expect(refused.status).toBe(403);
  expect(numberIn(refused)).toBe(403002);
  now += 61_000;
  expect((await send()).status).toBe(204);
});

test('403004: the 51st message in a queue', async () => {
  await start();
  const send = () => call({ method: 'POST', path: '/devices/device1/messages/devicebound', data: 'x' });
  for (let sent = 0; sent < 50; sent += 1) expect((await send()).status).toBe(204);
  const refused = await send();
  expect(refused.status).toBe(403);
  expect(messageIn(refused)).toMatch(/^ErrorCode:DeviceMaximumQueueDepthExceeded;/);
  expect(emulator.state.queues.depth('device1')).toBe(50);
});

test('403006: the 11th open upload, and room again after a report', async () => {
  await start();
  const begin = () =>
    call({ method: 'POST', path: '/devices/device1/files', data: { blobName: 'a.txt' }, as: 'device' });
  const first = JSON.parse((await begin()).data);
  for (let open = 1; open < 10; open += 1) expect((await begin()).status).toBe(200);
  const refused = await begin();
  expect(refused.status).toBe(403);
  expect(numberIn(refused)).toBe(403006);
  const report = { correlationId: first.correlationId, isSuccess: true, statusCode: 200, statusDescription: 'done' };
  const path = '/devices/device1/files/notifications';
  expect((await call({ method: 'POST', path, data: report, as: 'device' })).status).toBe(204);
  expect((await begin()).status).toBe(200);
  expect((await call({ method: 'POST', path, data: report, as: 'device' })).status).toBe(400);
});

test('404001: a device that does not exist', async () => {
  await start();
  const response = await call({ path: '/devices/nobody' });
  expect(response.status).toBe(404);
  expect(messageIn(response)).toBe('ErrorCode:DeviceNotFound;NotFound');
  expect(header(response)).toBe('DeviceNotFound');
  expect(numberIn(await call({ path: '/twins/nobody' }))).toBe(404001);
});

const method = (extra: object = {}) =>
  call({
    method: 'POST',
    path: '/twins/device1/methods',
    data: { methodName: 'reboot', payload: { now: true }, ...extra },
  });

test('404103: a method for a device that is not connected', async () => {
  await start();
  const response = await method();
  expect(response.status).toBe(404);
  const inner = JSON.parse(messageIn(response));
  expect(inner).toMatchObject({ errorCode: 404103, message: 'Timed out waiting for device to connect.' });
  expect(header(response)).toBe('DeviceNotOnline');
});

test('404104: the device leaves while the method runs, 400027: a newer connection takes over', async () => {
  await start();
  const identity = { deviceId: 'device1' };
  const leaving = emulator.state.connect({ identity, transport: 'mqtt', close: () => {} });
  leaving.onMethod = () => leaving.release();
  expect(numberIn(await method())).toBe(404104);
  const old = emulator.state.connect({ identity, transport: 'mqtt', close: () => {} });
  old.onMethod = () => emulator.state.connect({ identity, transport: 'mqtt', close: () => {} });
  const response = await method();
  expect(response.status).toBe(400);
  expect(numberIn(response)).toBe(400027);
  expect(emulator.log.executions('method', 'device1/reboot')).toBe(2);
});

test('409001: a device made twice', async () => {
  await start();
  const create = () => call({ method: 'PUT', path: '/devices/twice', data: { deviceId: 'twice' } });
  expect((await create()).status).toBe(200);
  const refused = await create();
  expect(refused.status).toBe(409);
  expect(messageIn(refused)).toBe('ErrorCode:DeviceAlreadyExists;Conflict');
  expect(emulator.log.executions('device-create', 'twice')).toBe(1);
});

test('412001: a stale ETag, of a twin and of a device', async () => {
  await start();
  const twin = await call({ path: '/twins/device1' });
  const { etag } = twin.headers as { etag: string };
  const patch = () =>
    call({ method: 'PATCH', path: '/twins/device1', data: { tags: { a: 1 } }, headers: { 'if-match': etag } });
  expect((await patch()).status).toBe(200);
  const refused = await patch();
  expect(refused.status).toBe(412);
  expect(numberIn(refused)).toBe(412001);
  const device = await call({ method: 'DELETE', path: '/devices/device1', headers: { 'if-match': '"AAAA"' } });
  expect(messageIn(device)).toMatch(/^ErrorCode:PreconditionFailed;/);
});

test('412002: complete after the lock ran out; the message comes again', async () => {
  let now = Date.now();
  const clock = { now: () => now, after: () => () => {} };
  await start({ clock });
  await call({
    method: 'POST',
    path: '/devices/device1/messages/devicebound',
    data: 'hello',
    headers: { 'iothub-messageid': 'm1', 'iothub-app-color': 'red' },
  });
  const receive = () => call({ path: '/devices/device1/messages/devicebound', as: 'device' });
  const got = await receive();
  expect(got.data).toBe('hello');
  expect(got.headers).toMatchObject({ 'iothub-messageid': 'm1', 'iothub-app-color': 'red' });
  const complete = (response: AxiosResponse) => {
    const lock = String(response.headers.etag).replaceAll('"', '');
    return call({ method: 'DELETE', path: `/devices/device1/messages/devicebound/${lock}`, as: 'device' });
  };
  expect((await receive()).status).toBe(204);
  now += 60_001;
  const late = await complete(got);
  expect(late.status).toBe(412);
  expect(messageIn(late)).toMatch(/^ErrorCode:DeviceMessageLockLost;/);
  const again = await receive();
  expect(again.headers['iothub-deliverycount']).toBe('1');
  expect((await complete(again)).status).toBe(204);
  expect(emulator.log.executions('c2d-complete', 'm1')).toBe(1);
});

test('429001: more calls than the limit, with the wait where that is asked for', async () => {
  await start({ throttle: { perSecond: { registry: 2 }, burstS: 1, retryAfter: true } });
  const answers = [];
  for (let sent = 0; sent < 6; sent += 1) answers.push(await call({ path: '/devices/device1' }));
  const refused = answers.find((answer) => answer.status === 429);
  expect(refused && messageIn(refused)).toMatch(/^ErrorCode:ThrottlingException;/);
  expect(refused?.headers['retry-after']).toBe('1');
});

test('504101: the device does not answer in time', async () => {
  await start();
  const connection = emulator.state.connect({
    identity: { deviceId: 'device1' },
    transport: 'mqtt',
    close: () => {},
  });
  connection.onMethod = () => {};
  const response = await method({ responseTimeoutInSeconds: 0.05 });
  expect(response.status).toBe(504);
  expect(numberIn(response)).toBe(504101);
  expect(header(response)).toBe('GatewayTimeout');
});

test.each([
  [401003, 401, 'IoTHubUnauthorized'],
  [404104, 404, 'DeviceConnectionClosedRemotely'],
  [500001, 500, 'ServerError'],
  [500009, 500, 'InvalidThrottleParameter'],
  [503003, 503, 'PartitionNotFound'],
  [409002, 409, 'LinkCreationConflict'],
  [429002, 429, 'ThrottleBacklogLimitExceeded'],
  [599777, 599, undefined],
])('any number can be scripted: %i', async (code, status, name) => {
  await start();
  emulator.inject({ transport: 'http', fault: { code }, retryAfterS: 7 });
  const response = await call({ path: '/devices/device1' });
  expect(response.status).toBe(status);
  expect(numberIn(response)).toBe(code);
  expect(header(response)?.toLowerCase()).toBe(name?.toLowerCase());
  expect(response.headers['retry-after']).toBe('7');
  expect((await call({ path: '/devices/device1' })).status).toBe(200);
});

test('every number of the documents can be scripted, and is written with its name', async () => {
  await start();
  const codes = knownCodes();
  expect(codes.length).toBeGreaterThan(160);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) {
    emulator.inject({ fault: code });
    const response = await call({ path: '/devices/device1' });
    expect(numberIn(response)).toBe(code);
    expect(header(response)).toMatch(/^[A-Z][A-Za-z]+$/);
    // The first three digits, as the clients compute them.
    expect(response.status).toBe(Math.trunc(code / 1000));
  }
});
