import axios from 'axios';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../src/index.ts';
import { closing, message } from './support/bench.ts';
import { eventually } from './support/eventually.ts';

let emulator: Emulator;
const clients: MqttClient[] = [];

async function start(options: EmulatorOptions = {}): Promise<void> {
  emulator = await startEmulator({ transports: ['http', 'mqtt'], ...options });
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  await emulator.stop();
});

/** A client as the device SDK of the cloud connects; it does not reconnect. */
function open(deviceId = 'device1', options: IClientOptions = {}, url = emulator.mqttUrl): MqttClient {
  const client = connect(url, {
    clientId: deviceId,
    username: `${emulator.state.hostName}/${deviceId}/?api-version=2021-04-12`,
    password: options.password ?? emulator.deviceToken(deviceId),
    clean: false,
    reconnectPeriod: 0,
    protocolVersion: 4,
    ...options,
  });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

async function connected(deviceId?: string, options?: IClientOptions, url?: string): Promise<MqttClient> {
  const client = open(deviceId, options, url);
  await new Promise((resolve) => client.once('connect', resolve));
  return client;
}

async function refusal(options: IClientOptions, deviceId?: string): Promise<number> {
  const error = await new Promise<Error>((resolve) => open(deviceId, options).once('error', resolve));
  return (error as Error & { code: number }).code;
}

const service = (method: string, path: string, data?: unknown) =>
  axios.request({
    method,
    url: `${emulator.httpUrl}${path}`,
    headers: { authorization: emulator.serviceToken() },
    ...(data === undefined ? {} : { data }),
    validateStatus: () => true,
  });

test('a device sends telemetry with properties', async () => {
  await start();
  const client = await connected();
  await client.publishAsync(
    'devices/device1/messages/events/%24.mid=m1&%24.ct=application%2Fjson&color=dark%20red',
    'hi',
    {
      qos: 1,
    },
  );
  const [event] = emulator.state.events.from(0);
  expect(event).toMatchObject({
    messageId: 'm1',
    contentType: 'application/json',
    properties: { color: 'dark red' },
    transport: 'mqtt',
    identity: { deviceId: 'device1' },
  });
  expect(event?.body.toString()).toBe('hi');
  expect(emulator.log.executions('d2c', 'm1')).toBe(1);
});

test('a message to a device is delivered, acknowledged, and comes again when it was not', async () => {
  await start();
  await service('POST', '/devices/device1/messages/devicebound', 'first');
  const client = await connected();
  const got = message(client, 'devices/device1/messages/devicebound/');
  await client.subscribeAsync('devices/device1/messages/devicebound/#', { qos: 1 });
  expect((await got).payload).toBe('first');
  await eventually(() => emulator.state.queues.depth('device1')).toBe(0);
  // Sent, and the connection is gone before the acknowledgement.
  emulator.inject({ transport: 'mqtt', match: { operation: 'c2d-deliver' }, fault: 'reset-before' });
  const closed = closing(client);
  await service('POST', '/devices/device1/messages/devicebound', 'second');
  await closed;
  expect(emulator.state.queues.depth('device1')).toBe(1);
  const next = open();
  const again = message(next, 'devices/device1/messages/devicebound/');
  expect((await again).payload).toBe('second'); // the session kept its subscription
});

test('a device reads and reports its twin, and hears of desired properties', async () => {
  await start({ devices: [{ deviceId: 'device1', desired: { rate: 1 } }] });
  const client = await connected();
  await client.subscribeAsync(['$iothub/twin/res/#', '$iothub/twin/PATCH/properties/desired/#']);
  const read = message(client, '$iothub/twin/res/');
  client.publish('$iothub/twin/GET/?$rid=a-1', ' ');
  expect((await read).topic).toBe('$iothub/twin/res/200/?$rid=a-1');
  expect(JSON.parse((await read).payload)).toMatchObject({
    desired: { rate: 1, $version: 2 },
    reported: { $version: 1 },
  });
  const patched = message(client, '$iothub/twin/res/');
  client.publish('$iothub/twin/PATCH/properties/reported/?$rid=2', '{"rate":1,"old":null}');
  expect((await patched).topic).toBe('$iothub/twin/res/204/?$rid=2&$version=2');
  const desired = message(client, '$iothub/twin/PATCH/properties/desired/');
  await service('PATCH', '/twins/device1', { properties: { desired: { rate: 5 } } });
  expect((await desired).topic).toBe('$iothub/twin/PATCH/properties/desired/?$version=3');
  expect(JSON.parse((await desired).payload)).toEqual({ rate: 5, $version: 3 });
});

test('a bad patch is 400 with the number in the body, a scripted fault any other', async () => {
  await start();
  const client = await connected();
  await client.subscribeAsync('$iothub/twin/res/#');
  const bad = message(client, '$iothub/twin/res/');
  client.publish('$iothub/twin/PATCH/properties/reported/?$rid=1', '{"a":');
  expect((await bad).topic).toBe('$iothub/twin/res/400/?$rid=1');
  expect(JSON.parse((await bad).payload).errorCode).toBe(400004);
  emulator.inject({ transport: 'mqtt', match: { operation: 'twin-get' }, fault: 429001, retryAfterS: 3 });
  const throttled = message(client, '$iothub/twin/res/');
  client.publish('$iothub/twin/GET/?$rid=2', '');
  expect((await throttled).topic).toBe('$iothub/twin/res/429/?$rid=2&retry-after=3');
  expect(JSON.parse((await throttled).payload)).toMatchObject({ errorCode: 429001, message: 'ThrottlingException' });
  emulator.inject({ match: { operation: 'twin-get' }, fault: { answerStatus: 503 } });
  const bare = message(client, '$iothub/twin/res/');
  client.publish('$iothub/twin/GET/?$rid=3', '');
  expect(await bare).toEqual({ topic: '$iothub/twin/res/503/?$rid=3', payload: '' });
});

test('a service calls a method of the device, which chooses the status', async () => {
  await start();
  const client = await connected();
  await client.subscribeAsync('$iothub/methods/POST/#');
  client.on('message', (topic, payload) => {
    const [, name, rid] = /^\$iothub\/methods\/POST\/(.+)\/\?\$rid=(.+)$/.exec(topic) ?? [];
    if (name === 'silent') return;
    if (name === 'leave') return void client.stream.destroy();
    client.publish(
      `$iothub/methods/res/418/?$rid=${rid}`,
      JSON.stringify({ name, got: JSON.parse(payload.toString()) }),
    );
  });
  const call = (methodName: string, extra: object = {}) =>
    service('POST', '/twins/device1/methods', { methodName, payload: { a: 1 }, ...extra });
  const answered = await call('reboot');
  expect(answered.status).toBe(200);
  expect(answered.data).toEqual({ status: 418, payload: { name: 'reboot', got: { a: 1 } } });
  expect((await call('silent', { responseTimeoutInSeconds: 0.05 })).status).toBe(504);
  const left = await call('leave');
  expect(JSON.parse(left.data.Message).errorCode).toBe(404104);
  expect(JSON.parse((await call('reboot')).data.Message).errorCode).toBe(404103);
});

test('a second connection takes over: the first is closed without a word', async () => {
  await start();
  const first = await connected();
  const packets: string[] = [];
  first.on('packetreceive', (packet) => packets.push(packet.cmd));
  const closed = closing(first);
  await connected();
  await closed;
  expect(packets).toEqual([]);
  await eventually(() => emulator.connections).toBe(1);
});

test('refused connections: 5 for bad tokens and unknown devices, 4 for what is none, 3 for a disabled one, 2 for a wrong id', async () => {
  await start({ devices: ['device1', 'device2', { deviceId: 'off', status: 'disabled' }] });
  expect(await refusal({ password: emulator.deviceToken('device1', undefined, -1) })).toBe(5);
  expect(await refusal({ password: emulator.deviceToken('device2') })).toBe(5);
  expect(await refusal({ password: 'secret' })).toBe(4);
  expect(await refusal({ username: 'hub/other/?api-version=2021-04-12' })).toBe(4);
  expect(await refusal({ clientId: 'a/b/c' })).toBe(2);
  expect(await refusal({ password: emulator.deviceToken('off') }, 'off')).toBe(3);
  expect(await refusal({ password: emulator.deviceToken('device1') }, 'nobody')).toBe(5);
  emulator.inject({ transport: 'mqtt', match: { operation: 'connect' }, fault: { clockSkewMs: 2 * 3_600_000 } });
  expect(await refusal({})).toBe(5);
  for (const [code, returnCode] of [
    [401002, 5],
    [503001, 3],
    [429001, 3],
    [400001, 1],
  ] as const) {
    emulator.inject({ transport: 'mqtt', match: { operation: 'connect' }, fault: code });
    expect(await refusal({})).toBe(returnCode);
  }
});

test('what 3.1.1 has no word for closes the connection', async () => {
  await start({ devices: ['device1', 'device2'], dailyMessages: 3 });
  const acts: ((client: MqttClient) => void)[] = [
    (client) => client.publish('devices/device1/messages/events/', 'x', { qos: 2 }),
    (client) => client.publish('devices/device2/messages/events/', 'x', { qos: 1 }),
    (client) => client.publish('some/topic', 'x'),
    (client) => client.publish('devices/device1/messages/events/', Buffer.alloc(256 * 1024 + 1), { qos: 1 }),
    (client) => {
      for (let sent = 0; sent < 4; sent += 1) client.publish('devices/device1/messages/events/', 'x', { qos: 1 });
    },
  ];
  for (const act of acts) {
    const client = await connected();
    const closed = closing(client);
    act(client);
    await closed;
  }
  expect(emulator.log.requests({ outcome: 'quota-exceeded' })).toHaveLength(1);
  await eventually(() => emulator.connections).toBe(0);
});

test.each(['devices/device2/messages/devicebound/#', '#', '$iothub/gett', '$dps/registrations/res/#'])(
  'a filter that is not the hub’s for this device closes the connection, whatever else is asked for (%s)',
  async (filter) => {
    await start({ devices: ['device1', 'device2'] });
    const client = await connected();
    const closed = closing(client);
    const seen: string[] = [];
    client.on('packetreceive', ({ cmd }) => seen.push(cmd));
    client.subscribe(['$iothub/methods/POST/#', filter], { qos: 1 });
    await closed;
    expect(seen).toEqual([]);
    expect(emulator.log.requests({ operation: 'subscribe' })).toMatchObject([{ outcome: 'address-not-found' }]);
    // Nothing of it is in the session that goes on.
    const again = await connected();
    await again.subscribeAsync('$iothub/twin/res/#');
    const { data } = await service('POST', '/twins/device1/methods', { methodName: 'm', connectTimeoutInSeconds: 0 });
    expect(JSON.stringify(data)).toContain('404103');
  },
);

test('a QoS 2 subscription is granted as QoS 1', async () => {
  await start();
  const client = await connected();
  const granted = await client.subscribeAsync('devices/device1/messages/devicebound/#', { qos: 2 });
  expect(granted[0]?.qos).toBe(1);
});

test('silence longer than one and a half keep-alives ends the connection', async () => {
  await start();
  const client = await connected('device1', { keepalive: 1, reschedulePings: false });
  emulator.inject({ transport: 'mqtt', match: { operation: 'ping' }, fault: 'lost-ack', times: 10 });
  // The client's own keep-alive would end it too: stop its pings.
  (client as unknown as { keepaliveManager?: { destroy(): void } }).keepaliveManager?.destroy();
  await closing(client);
  expect(emulator.log.requests({ operation: 'closed', outcome: 'keep-alive' })).toHaveLength(1);
});

test('a registration with the provisioning service, up to connecting the device', async () => {
  await start({ enrollments: ['reg1'], registrationPolls: 1 });
  const client = await connected('reg1', {
    clean: true,
    username: 'scope1/registrations/reg1/api-version=2019-03-31',
    password: emulator.registrationToken('scope1', 'reg1'),
  });
  await client.subscribeAsync('$dps/registrations/res/#', { qos: 1 });
  const ask = async (topic: string, payload = ' ') => {
    const answer = message(client, '$dps/registrations/res/');
    client.publish(topic, payload, { qos: 1 });
    return answer;
  };
  const registered = await ask('$dps/registrations/PUT/iotdps-register/?$rid=1', '{"registrationId":"reg1"}');
  expect(registered.topic).toBe('$dps/registrations/res/202/?$rid=1&retry-after=3');
  const { operationId } = JSON.parse(registered.payload);
  const poll = (rid: number) =>
    ask(`$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${rid}&operationId=${operationId}`);
  expect((await poll(2)).topic).toMatch(/\/202\//);
  const done = await poll(3);
  expect(done.topic).toBe('$dps/registrations/res/200/?$rid=3');
  expect(JSON.parse(done.payload)).toMatchObject({
    status: 'assigned',
    registrationState: { deviceId: 'reg1', assignedHub: emulator.state.hostName },
  });
  await connected('reg1');
});

test('over TLS and WebSockets, with the authority handed out', async () => {
  await start({ tls: true });
  const ca = emulator.ca ?? '';
  for (const url of [emulator.urls.mqtts, emulator.urls.ws, emulator.urls.wss]) {
    const client = await connected('device1', { ca }, url);
    await client.publishAsync('devices/device1/messages/events/', url ?? '', { qos: 1 });
    await client.endAsync();
  }
  expect(emulator.state.events.count).toBe(3);
});

test('a client that renews its token keeps its subscriptions without asking again; a clean session does not', async () => {
  await start();
  const first = await connected();
  await first.subscribeAsync('devices/device1/messages/devicebound/#', { qos: 1 });
  await first.endAsync();
  await service('POST', '/devices/device1/messages/devicebound', 'while away');
  const second = open('device1', { password: emulator.deviceToken('device1', undefined, 7_200) });
  expect((await message(second, 'devices/device1/messages/devicebound/')).payload).toBe('while away');
  await second.endAsync();
  const clean = await connected('device1', { clean: true });
  await service('POST', '/devices/device1/messages/devicebound', 'unheard');
  await clean.publishAsync('devices/device1/messages/events/', 'x', { qos: 1 });
  await clean.endAsync();
  await connected();
  expect(emulator.state.queues.depth('device1')).toBe(1);
});

test('a connection ends when its token runs out', async () => {
  const clock = handClock(Date.now());
  await start({ clock });
  const client = await connected('device1', { password: emulator.deviceToken('device1', undefined, 60) });
  const closed = closing(client);
  clock.pass(60_000);
  await closed;
  expect(emulator.log.requests({ operation: 'closed', outcome: 'token-expired' })).toHaveLength(1);
});

test('a module is a client of its own', async () => {
  await start({ devices: [{ deviceId: 'device1', modules: ['m1'] }] });
  await connected();
  const module = await connected('device1/m1', {
    username: 'hub/device1/m1/?api-version=2021-04-12',
    password: emulator.deviceToken('device1', 'm1'),
  });
  await module.publishAsync('devices/device1/modules/m1/messages/events/%24.on=out1', 'x', { qos: 1 });
  expect(emulator.state.events.from(0)).toMatchObject([
    { identity: { deviceId: 'device1', moduleId: 'm1' }, output: 'out1' },
  ]);
  await module.subscribeAsync('$iothub/methods/POST/#');
  module.on('message', (topic) => module.publish(`$iothub/methods/res/200/${topic.split('/').at(-1)}`, '"done"'));
  const answer = await service('POST', '/twins/device1/modules/m1/methods', { methodName: 'reset' });
  expect(answer.data).toEqual({ status: 200, payload: 'done' });
  expect(emulator.state.connections.size).toBe(2);
});

test('a device that is deleted or disabled is closed; a will is sent when it goes without a word', async () => {
  await start({ devices: ['device1', 'device2'] });
  const deleted = await connected();
  const gone = closing(deleted);
  await service('DELETE', '/devices/device1');
  await gone;
  const will = {
    topic: 'devices/device2/messages/events/',
    payload: Buffer.from('bye'),
    qos: 1 as const,
    retain: false,
  };
  const client = await connected('device2', { will });
  client.stream.destroy();
  await eventually(() => emulator.state.events.count).toBe(1);
  expect(emulator.state.events.from(0)[0]?.properties).toEqual({ 'iothub-MessageType': 'Will' });
  const polite = await connected('device2', { will });
  await polite.endAsync();
  await eventually(() => emulator.state.connections.size).toBe(0);
  expect(emulator.state.events.count).toBe(1);
});

test('a device that is too fast is answered 429 where there is an answer, and closed where there is none', async () => {
  await start({ throttle: { perSecond: { 'twin-read': 1, d2c: 1 } } });
  const client = await connected();
  await client.subscribeAsync('$iothub/twin/res/#');
  const throttled = message(client, '$iothub/twin/res/429/');
  for (let asked = 0; asked < 3; asked += 1) client.publish(`$iothub/twin/GET/?$rid=${asked}`, '');
  expect(JSON.parse((await throttled).payload).errorCode).toBe(429001);
  const closed = closing(client);
  for (let sent = 0; sent < 3; sent += 1) client.publish('devices/device1/messages/events/', 'x', { qos: 1 });
  await closed;
  expect(emulator.log.requests({ operation: 'd2c' }).map((entry) => entry.outcome)).toEqual(['ok', 'throttled']);
});
