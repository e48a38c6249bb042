import { expect, test } from 'vitest';
import { useBench } from './support/bench.ts';
import { eventually } from './support/eventually.ts';

const bench = useBench();
const http = { transports: ['http'] as const };

test('a device is made, read, updated under its ETag, listed and deleted', async () => {
  const { service, emulator } = await bench(http);
  const made = await service('PUT', '/devices/d%232', {
    deviceId: 'd#2',
    status: 'enabled',
    authentication: { type: 'sas', symmetricKey: { primaryKey: 'a2V5', secondaryKey: '' } },
    capabilities: { iotEdge: true },
  });
  expect(made.data).toMatchObject({
    deviceId: 'd#2',
    connectionState: 'Disconnected',
    capabilities: { iotEdge: true },
  });
  expect(made.data.authentication.symmetricKey.primaryKey).toBe('a2V5');
  expect(made.data.authentication.symmetricKey.secondaryKey).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(made.headers.etag).toBe(`"${made.data.etag}"`);
  const ifMatch = { headers: { 'if-match': made.headers.etag } };
  const updated = await service(
    'PUT',
    '/devices/d%232',
    { deviceId: 'd#2', status: 'disabled', statusReason: 'lost' },
    ifMatch,
  );
  expect(updated.data).toMatchObject({ status: 'disabled', statusReason: 'lost' });
  expect(updated.data.etag).not.toBe(made.data.etag);
  expect((await service('GET', '/devices/')).data).toHaveLength(2);
  expect((await service('GET', '/statistics/devices')).data).toEqual({
    totalDeviceCount: 2,
    enabledDeviceCount: 1,
    disabledDeviceCount: 1,
  });
  expect((await service('DELETE', '/devices/d%232', undefined, ifMatch)).status).toBe(412);
  expect((await service('DELETE', '/devices/d%232', undefined, { headers: { 'if-match': '*' } })).status).toBe(204);
  expect(emulator.devices.map((device) => device.deviceId)).toEqual(['device1']);
});

test('modules live and die with their device', async () => {
  const { service, emulator } = await bench(http);
  const path = '/devices/device1/modules/m1';
  expect((await service('PUT', path, { deviceId: 'device1', moduleId: 'm1' })).data).toMatchObject({ moduleId: 'm1' });
  expect((await service('PUT', path, {})).status).toBe(409);
  expect((await service('GET', '/devices/device1/modules')).data).toHaveLength(1);
  expect((await service('GET', '/twins/device1/modules/m1')).data).toMatchObject({ moduleId: 'm1', version: 1 });
  expect((await service('GET', '/devices/device1/modules/m2')).headers['iothub-errorcode']).toBe('ModuleNotFound');
  await service('DELETE', '/devices/device1');
  expect(emulator.state.identities.find({ deviceId: 'device1', moduleId: 'm1' })).toBeUndefined();
});

test('a bulk call goes through entry by entry', async () => {
  const { service } = await bench(http);
  const create = (id: string) => ({ id, importMode: 'create', tags: { site: 'a' } });
  const first = await service('POST', '/devices', [create('b1'), create('b2')]);
  expect(first).toMatchObject({ status: 200, data: { isSuccessful: true, errors: [], warnings: [] } });
  const second = await service('POST', '/devices', [create('b2'), create('b3'), { id: 'b1', importMode: 'delete' }]);
  expect(second).toMatchObject({
    status: 400,
    data: { isSuccessful: false, errors: [{ deviceId: 'b2', errorCode: 409001, errorStatus: 'DeviceAlreadyExists' }] },
  });
  expect((await service('GET', '/twins/b3')).data.tags).toEqual({ site: 'a' });
  expect((await service('GET', '/devices/b1')).status).toBe(404);
  expect((await service('POST', '/devices', [create('x'), create('x')])).headers['iothub-errorcode']).toBe(
    'DeviceDefinedMultipleTimes',
  );
  const many = Array.from({ length: 101 }, (_, index) => create(`n${index}`));
  expect((await service('POST', '/devices', many)).status).toBe(413);
});

test('queries: conditions, count and pages', async () => {
  const device = (deviceId: string, floor: number) => ({ deviceId, tags: { floor, site: { city: "O'Hare" } } });
  const { service } = await bench({ ...http, devices: [device('a', 1), device('b', 2), device('c', 3), 'plain'] });
  const ids = async (where: string) => {
    const answer = await service('POST', '/devices/query', { query: `SELECT * FROM devices WHERE ${where}` });
    return answer.status === 200
      ? answer.data.map((twin: { deviceId: string }) => twin.deviceId).join('')
      : answer.status;
  };
  expect(await ids('tags.floor >= 2')).toBe('bc');
  expect(await ids("tags.site.city = 'O''Hare' AND NOT (tags.floor = 2)")).toBe('ac');
  expect(await ids("deviceId IN ['a', 'plain'] OR tags.floor <> 1")).toBe('abcplain');
  expect(await ids('NOT is_defined(tags.floor)')).toBe('plain');
  expect(await ids("status = 'enabled' and connectionState != 'Connected' AND tags.floor < 2")).toBe('a');
  for (const wrong of ['tags.floor', 'tags.floor = ', '(((a = 1)', 'a = 1 b', "a = 'x", `${'('.repeat(100)}a = 1`]) {
    expect(await ids(wrong)).toBe(400);
  }
  const count = await service('POST', '/devices/query', { query: 'SELECT COUNT() AS total FROM devices' });
  expect(count.data).toEqual([{ total: 4 }]);
  const page = (token = '') =>
    service(
      'POST',
      '/devices/query',
      { query: 'select * from devices' },
      {
        headers: { 'x-ms-max-item-count': '3', 'x-ms-continuation': token },
      },
    );
  const first = await page();
  expect(first.data).toHaveLength(3);
  expect((await page(first.headers['x-ms-continuation'])).data).toHaveLength(1);
  expect((await page('garbage')).status).toBe(400);
});

test('twins: merge, replace, limits, and $metadata that is not stored', async () => {
  const { service } = await bench(http);
  const patch = (data: unknown) => service('PATCH', '/twins/device1', data);
  await patch({ tags: { a: { b: 1, c: 2 } }, properties: { desired: { $version: 7, x: [1], __proto__: null } } });
  const merged = await patch({ tags: { a: { b: null, d: 3 } } });
  expect(merged.data.tags).toEqual({ a: { c: 2, d: 3 } });
  expect(merged.data.properties.desired).toMatchObject({ x: [1], $version: 2 });
  const replaced = await service('PUT', '/twins/device1', { tags: { e: 1 }, properties: { desired: {} } });
  expect(replaced.data).toMatchObject({ tags: { e: 1 }, properties: { desired: { $version: 3 } } });
  expect((await patch({ tags: { big: 'x'.repeat(9_000) } })).status).toBe(400);
  expect((await patch({ tags: [] })).status).toBe(400);
  expect((await patch({ properties: { desired: 'x' } })).status).toBe(400);
});

test('feedback of messages, and file notifications', async () => {
  const { service, device } = await bench(http);
  const send = (id: string, ack: string) =>
    service('POST', '/messages/devicebound', 'x', {
      headers: { 'iothub-to': '/devices/device1/messages/devicebound', 'iothub-messageid': id, 'iothub-ack': ack },
    });
  await send('good', 'full');
  await send('quiet', 'none');
  await send('bad', 'negative');
  for (const how of ['', '', '?reject']) {
    const got = await device('GET', '/devices/device1/messages/devicebound');
    const lock = got.headers.etag.replaceAll('"', '');
    expect((await device('DELETE', `/devices/device1/messages/devicebound/${lock}${how}`)).status).toBe(204);
  }
  expect((await service('GET', '/messages/serviceBound/feedback')).data).toMatchObject([
    { originalMessageId: 'good', statusCode: 'Success', deviceId: 'device1' },
    { originalMessageId: 'bad', statusCode: 'Rejected' },
  ]);
  expect((await service('GET', '/messages/serviceBound/feedback')).status).toBe(204);
});

test('a registration over HTTP, and one that fails inside a success', async () => {
  const { emulator, service } = await bench({
    ...http,
    enrollments: [
      'reg1',
      { registrationId: 'reg2', fails: { errorCode: 400209, errorMessage: 'Custom allocation failed' } },
      'reg3',
    ],
  });
  const as = (id: string) => ({ headers: { authorization: emulator.registrationToken('scope1', id) } });
  const register = async (id: string) => {
    const put = await service('PUT', `/scope1/registrations/${id}/register`, { registrationId: id }, as(id));
    expect(put).toMatchObject({ status: 202, data: { status: 'assigning' } });
    expect(put.headers['retry-after']).toBe('3');
    return service('GET', `/scope1/registrations/${id}/operations/${put.data.operationId}`, undefined, as(id));
  };
  expect(await register('reg1')).toMatchObject({
    status: 200,
    data: { status: 'assigned', registrationState: { deviceId: 'reg1' } },
  });
  expect(await register('reg2')).toMatchObject({
    status: 200,
    data: { status: 'failed', registrationState: { errorCode: 400209 } },
  });
  const lookup = (id: string) => service('POST', `/scope1/registrations/${id}`, { registrationId: id }, as(id));
  expect(await lookup('reg1')).toMatchObject({ status: 200, data: { status: 'assigned', deviceId: 'reg1' } });
  expect(await lookup('reg3')).toMatchObject({ status: 404, data: { errorCode: 404201 } });
  const refused = await service('PUT', '/scope1/registrations/reg1/register', {}, as('reg2'));
  expect(refused).toMatchObject({ status: 401, data: { errorCode: 401002, message: 'Unauthorized' } });
  expect(refused.headers['x-ms-request-id']).toBe(refused.data.trackingId);
});

test('each token is good for its own things only', async () => {
  const { emulator, service } = await bench(http);
  const as = (authorization: string) => ({ headers: { authorization } });
  const reader = as(emulator.serviceToken('registryRead'));
  expect((await service('GET', '/devices/device1', undefined, reader)).status).toBe(200);
  expect((await service('PUT', '/devices/x', {}, reader)).status).toBe(401);
  expect((await service('GET', '/devices/device1', undefined, as(emulator.deviceToken('device1')))).status).toBe(401);
  expect(
    (await service('POST', '/devices/device1/messages/events', 'x', as(emulator.serviceToken('service')))).status,
  ).toBe(401);
  const open = await bench({ ...http, auth: 'none' });
  expect((await open.service('GET', '/devices/device1', undefined, as(''))).status).toBe(200);
});

test('an unknown path and a wrong method', async () => {
  const { service } = await bench(http);
  expect((await service('GET', '/nothing/here')).status).toBe(404);
  const wrong = await service('POST', '/twins/device1');
  expect(wrong.status).toBe(405);
  expect(wrong.data.Message).toMatch(/The requested resource does not support http method 'POST'/);
});

test('jobs over many devices: twins, methods, failures, and one that is cancelled before it begins', async () => {
  const { emulator, service } = await bench({ ...http, devices: ['a', 'b', 'c'] });
  const put = (jobId: string, job: object) => service('PUT', `/jobs/v2/${jobId}`, { jobId, ...job });
  const ended = async (jobId: string) => {
    await eventually(async () => (await service('GET', `/jobs/v2/${jobId}`)).data.endTime).not.toBeNull();
    return (await service('GET', `/jobs/v2/${jobId}`)).data;
  };
  const updateTwin = { etag: '*', tags: { floor: 2 } };
  const queryCondition = "deviceId IN ['a', 'b']";
  expect((await put('j1', { type: 'scheduleUpdateTwin', updateTwin, queryCondition })).status).toBe(200);
  expect(await ended('j1')).toMatchObject({
    status: 'completed',
    updateTwin,
    deviceJobStatistics: { deviceCount: 2, succeededCount: 2, failedCount: 0 },
  });
  expect((await service('GET', '/twins/b')).data.tags).toEqual({ floor: 2 });
  expect((await put('j1', { type: 'scheduleUpdateTwin', updateTwin })).headers['iothub-errorcode']).toBe(
    'JobAlreadyExists',
  );
  const connection = emulator.state.connect({ identity: { deviceId: 'a' }, transport: 'mqtt', close: () => {} });
  connection.onMethod = ({ requestId }) =>
    emulator.state.methods.answer({ deviceId: 'a' }, requestId, { status: 200, payload: null });
  await put('j2', { type: 'scheduleDeviceMethod', cloudToDeviceMethod: { methodName: 'blink' }, queryCondition: '*' });
  expect(await ended('j2')).toMatchObject({
    status: 'failed',
    deviceJobStatistics: { succeededCount: 1, failedCount: 2 },
  });
  const startTime = new Date(Date.now() + 3_600_000).toISOString();
  await put('j3', { type: 'scheduleUpdateTwin', updateTwin, startTime });
  expect((await service('POST', '/jobs/v2/j3/cancel')).data.status).toBe('cancelled');
  expect((await service('GET', '/jobs/v2/query?jobType=scheduleUpdateTwin')).data).toHaveLength(2);
  expect((await service('GET', '/jobs/v2/none')).headers['iothub-errorcode']).toBe('JobNotFound');
  for (const wrong of [
    { type: 'explode' },
    { type: 'scheduleUpdateTwin' },
    { type: 'scheduleUpdateTwin', updateTwin, queryCondition: '(' },
  ]) {
    expect((await put('j4', wrong)).status).toBe(400);
  }
});

test('a device read again tells what has changed meanwhile, and nothing of the others', async () => {
  const { service, emulator, mqtt } = await bench({ devices: ['device1', 'device2'] });
  const read = async (id: string) => (await service('GET', `/devices/${id}`)).data;
  const record = emulator.state.identities.get({ deviceId: 'device1' });
  const [first, other] = [await read('device1'), await read('device2')];
  expect(await read('device1')).toEqual(first);

  await service('POST', '/devices/device1/messages/devicebound', 'hello');
  expect(await read('device1')).toEqual({ ...first, cloudToDeviceMessageCount: 1 });
  await service('DELETE', '/devices/device1/commands');

  const client = await mqtt();
  const connected = await read('device1');
  expect(connected).toMatchObject({ connectionState: 'Connected' });
  expect(connected.lastActivityTime).not.toBe(first.lastActivityTime);
  await client.endAsync();
  await eventually(() => read('device1')).toMatchObject({ connectionState: 'Disconnected' });

  const body = { authentication: { symmetricKey: { primaryKey: 'a2V5' } }, status: 'disabled' };
  await service('PUT', '/devices/device1', body, { headers: { 'if-match': '*' } });
  const updated = await read('device1');
  expect(updated).toMatchObject({ status: 'disabled', authentication: { symmetricKey: { primaryKey: 'a2V5' } } });
  expect(updated.etag).not.toBe(first.etag);

  record.statusReason = 'set by a test';
  expect(await read('device1')).toMatchObject({ statusReason: 'set by a test' });
  expect(await read('device2')).toEqual(other);

  await service('DELETE', '/devices/device1');
  await service('PUT', '/devices/device1', {});
  expect((await read('device1')).generationId).not.toBe(first.generationId);
});

test('a token that was accepted is refused once its key is changed, its device disabled or deleted', async () => {
  const { service, emulator } = await bench(http);
  const token = emulator.deviceToken('device1');
  const status = async () =>
    (await service('POST', '/devices/device1/messages/events', 'x', { headers: { authorization: token } })).status;
  const change = (body: object) => service('PUT', '/devices/device1', body, { headers: { 'if-match': '*' } });
  const keyed = (primaryKey: string) => ({ authentication: { type: 'sas', symmetricKey: { primaryKey } } });
  const { primaryKey } = emulator.state.identities.get({ deviceId: 'device1' });
  expect(await status()).toBe(204);
  await change(keyed('a2V5'));
  expect(await status()).toBe(401);
  await change(keyed(primaryKey));
  expect(await status()).toBe(204);
  await change({ status: 'disabled' });
  expect(await status()).not.toBe(204);
  await change({ status: 'enabled' });
  expect(await status()).toBe(204);
  emulator.setClockSkew(2 * 86_400_000);
  expect(await status()).toBe(401);
  emulator.setClockSkew(0);
  await service('DELETE', '/devices/device1');
  expect(await status()).toBe(401);
});
