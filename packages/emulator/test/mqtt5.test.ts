import type { IConnackPacket, IDisconnectPacket, IPubackPacket, IPublishPacket } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { closing, connackOf, packet, useBench } from './support/bench.ts';
import { eventually } from './support/eventually.ts';
import { previewConnect } from './support/preview-connect.ts';

/* MQTT 5 as the cloud's preview had it: iot-hub-mqtt-5 and its reference. */

const bench = useBench();
const v5 = { protocolVersion: 5 } as const;
const EVENTS = 'devices/device1/messages/events/';

const keyOf = (emulator: { devices: readonly { primaryKey: string }[] }) => emulator.devices[0]?.primaryKey ?? '';

test('the CONNACK says what the cloud does not do', async () => {
  const { mqtt, emulator } = await bench();
  const client = await mqtt({ ...previewConnect(keyOf(emulator)), keepalive: 1_177 });
  expect(connackOf(client)?.properties).toEqual({
    receiveMaximum: 16,
    maximumQoS: 1,
    retainAvailable: false,
    maximumPacketSize: 262_144,
    topicAliasMaximum: 10,
    subscriptionIdentifiersAvailable: false,
    sharedSubscriptionAvailable: false,
    serverKeepAlive: 1_140,
    authenticationMethod: 'SAS',
  });
});

test('telemetry with properties, and the twin by Correlation Data', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt(previewConnect(keyOf(emulator)));
  await client.publishAsync('$iothub/telemetry', 'hi', {
    qos: 1,
    properties: { contentType: 'text/plain', userProperties: { 'message-id': 'm1', '@color': 'red' } },
  });
  expect(emulator.state.events.from(0)).toMatchObject([
    { messageId: 'm1', contentType: 'text/plain', properties: { color: 'red' } },
  ]);
  const ask = async (topic: string, payload: string, userProperties?: Record<string, string>) => {
    const answer = packet<IPublishPacket>(client, 'publish');
    client.publish(topic, payload, {
      properties: { correlationData: Buffer.from([1, 250]), ...(userProperties && { userProperties }) },
    });
    return answer;
  };
  const twin = await ask('$iothub/twin/get', '');
  expect(twin).toMatchObject({ topic: '$iothub/responses', properties: { correlationData: Buffer.from([1, 250]) } });
  expect(JSON.parse(twin.payload.toString())).toHaveProperty('desired.$version', 1);
  const patched = await ask('$iothub/twin/patch/reported', '{"a":1}', { 'if-version': '1' });
  expect(patched.properties?.userProperties).toMatchObject({ version: '2' });
  const stale = await ask('$iothub/twin/patch/reported', '{"a":1}', { 'if-version': '1' });
  expect(stale.properties?.userProperties).toMatchObject({ status: '0104' });
  emulator.inject({ match: { operation: 'twin-get' }, fault: 429001 });
  const throttled = await ask('$iothub/twin/get', '');
  expect(throttled.properties?.userProperties).toMatchObject({ status: '0501', reason: 'ThrottlingException' });
});

test.each([
  [429001, 0x97, '0501'],
  [403002, 0x97, '0502'],
  [404001, 0x83, '0504'],
  [500001, 0x83, '0601'],
  [401002, 0x87, '0101'],
] as const)('%i in a PUBACK is reason %i with status %s', async (code, reasonCode, status) => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt(v5);
  emulator.inject({ match: { operation: 'd2c' }, fault: code });
  const puback = packet<IPubackPacket>(client, 'puback');
  await expect(client.publishAsync(EVENTS, 'x', { qos: 1 })).rejects.toThrow();
  expect(await puback).toMatchObject({ reasonCode, properties: { userProperties: { status } } });
  expect(client.connected).toBe(true);
});

test('without Request Problem Information a PUBACK has the reason code alone', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt({ ...v5, properties: { requestProblemInformation: false } });
  emulator.inject({ match: { operation: 'd2c' }, fault: 429001 });
  const puback = packet<IPubackPacket>(client, 'puback');
  await expect(client.publishAsync(EVENTS, 'x', { qos: 1 })).rejects.toThrow();
  const { reasonCode, properties } = await puback;
  expect([reasonCode, properties?.userProperties]).toEqual([0x97, undefined]);
});

type Made = Awaited<ReturnType<typeof bench>>;

test.each<[string, number, (made: Made) => unknown]>([
  ['taken over', 0x8e, ({ mqtt }) => mqtt(v5)],
  [
    'the device disabled',
    0x87,
    ({ service }) => service('PUT', '/devices/device1', { status: 'disabled' }, { headers: { 'if-match': '*' } }),
  ],
  [
    'a scripted move',
    0x9d,
    ({ emulator }) =>
      emulator.inject({
        match: { operation: 'd2c' },
        fault: { reasonCode: 0x9d, packet: 'disconnect', serverReference: 'other.example' },
      }),
  ],
])('%s: DISCONNECT, then the close', async (_name, reasonCode, act) => {
  const made = await bench();
  const client = await made.mqtt(v5);
  const disconnect = packet<IDisconnectPacket>(client, 'disconnect');
  const closed = closing(client);
  await act(made);
  if (reasonCode === 0x9d) client.publish(EVENTS, 'x', { qos: 0 });
  const got = await disconnect;
  expect(got.reasonCode).toBe(reasonCode);
  if (reasonCode === 0x9d) expect(got.properties?.serverReference).toBe('other.example');
  await closed;
});

test('a fault of a QoS 0 publish becomes a DISCONNECT with the status', async () => {
  const { mqtt } = await bench({ dailyMessages: 0 });
  const client = await mqtt(v5);
  const disconnect = packet<IDisconnectPacket>(client, 'disconnect');
  client.publish('$iothub/telemetry', 'x');
  expect(await disconnect).toMatchObject({ reasonCode: 0x97, properties: { userProperties: { status: '0502' } } });
});

test('a scripted CONNACK keeps reason string and reference', async () => {
  const { emulator, mqtt } = await bench();
  emulator.inject({
    match: { operation: 'connect' },
    fault: { reasonCode: 0x9c, reasonString: 'use the other', serverReference: 'other.example' },
  });
  const seen: IConnackPacket[] = [];
  const failed = mqtt(v5).catch((error: { code: number; packet?: IConnackPacket }) => {
    if (error.packet) seen.push(error.packet);
    return error.code;
  });
  expect(await failed).toBe(0x9c);
});

test('methods and commands over the preview topics', async () => {
  const { emulator, mqtt, service } = await bench();
  const client = await mqtt(previewConnect(keyOf(emulator)));
  await client.subscribeAsync(['$iothub/methods/+', '$iothub/twin/patch/desired', '$iothub/responses']);
  client.on('message', (topic, payload, { properties }) => {
    if (!topic.startsWith('$iothub/methods/')) return;
    const correlationData = properties?.correlationData as Buffer;
    client.publish('$iothub/responses', payload, {
      properties: { correlationData, userProperties: { 'response-code': '202' } },
    });
  });
  const called = await service('POST', '/twins/device1/methods', { methodName: 'blink', payload: [1] });
  expect(called.data).toEqual({ status: 202, payload: [1] });
  const desired = packet<IPublishPacket>(client, 'publish');
  await service('PATCH', '/twins/device1', { properties: { desired: { rate: 2 } } });
  expect((await desired).properties?.userProperties).toMatchObject({ version: '2' });
  await service('POST', '/devices/device1/messages/devicebound', 'go', { headers: { 'iothub-messageid': 'c1' } });
  const command = packet<IPublishPacket>(client, 'publish');
  await client.subscribeAsync('$iothub/commands', { qos: 1 });
  expect((await command).properties?.userProperties).toMatchObject({ 'message-id': 'c1', 'delivery-count': '0' });
  await eventually(() => emulator.log.executions('c2d-complete', 'c1')).toBe(1);
});

test('unknown topics and filters by their own reasons', async () => {
  const { mqtt } = await bench();
  const client = await mqtt(v5);
  const suback = packet<{ granted: number[] }>(client, 'suback');
  client.subscribe('$iothub/gett');
  expect((await suback).granted).toEqual([0x8f]);
  const puback = packet<IPubackPacket>(client, 'puback');
  await expect(client.publishAsync('$iothub/twin/gett', 'x', { qos: 1 })).rejects.toThrow();
  expect(await puback).toMatchObject({ reasonCode: 0x83, properties: { userProperties: { status: '0504' } } });
});

test('a session lives on for a client that asks for an expiry interval, and for no other', async () => {
  const { mqtt } = await bench();
  const lasting = { ...v5, properties: { sessionExpiryInterval: 60 } };
  await (await mqtt(lasting)).endAsync();
  const second = await mqtt(v5);
  expect(connackOf(second)?.sessionPresent).toBe(true);
  await second.endAsync();
  await eventually(async () => {
    const third = await mqtt(v5);
    await third.endAsync();
    return connackOf(third)?.sessionPresent;
  }).toBe(false);
});
