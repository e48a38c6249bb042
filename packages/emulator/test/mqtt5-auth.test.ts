import { X509Certificate } from 'node:crypto';
import type { IAuthPacket, IConnectPacket, IPublishPacket } from 'mqtt-packet';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import type { Emulator, EmulatorOptions } from '../src/index.ts';
import { connackOf, useBench } from './support/bench.ts';
import { eventually } from './support/eventually.ts';
import { type PreviewConnect, previewConnect, sasProof } from './support/preview-connect.ts';
import { RawMqtt } from './support/raw-mqtt.ts';

/* Authentication and settlement of the MQTT 5 preview: iot-hub-mqtt-5@3063533f and its reference. */

const bench = useBench();
const opened: RawMqtt[] = [];

afterEach(() => {
  for (const client of opened.splice(0)) client.end();
});

const keyOf = ({ state }: Emulator) => state.identities.get({ deviceId: 'device1' }).primaryKey;

/** A client that is in, by SAS. */
async function admitted(emulator: Emulator, proof: PreviewConnect = {}, key = keyOf(emulator)): Promise<RawMqtt> {
  const client = new RawMqtt(emulator.mqttUrl);
  opened.push(client);
  const { clientId, properties } = previewConnect(key, proof);
  expect(await client.connect({ clientId, properties })).toMatchObject({ reasonCode: 0 });
  return client;
}

const auth = (properties: NonNullable<IAuthPacket['properties']>, reasonCode = 0x19): IAuthPacket => ({
  cmd: 'auth',
  reasonCode,
  properties,
});

describe('CONNECT', () => {
  const reasonOf = async (emulator: Emulator, properties: NonNullable<IConnectPacket['properties']>) => {
    const client = new RawMqtt(emulator.mqttUrl);
    opened.push(client);
    const connack = await client.connect({ clientId: 'device1', properties });
    if (connack.cmd !== 'connack') throw new Error(connack.cmd);
    if (connack.reasonCode !== 0) await client.closed;
    return connack.reasonCode;
  };

  test('is refused by the reason that fits: method, signature, expiry, another method than the device has', async () => {
    const { emulator } = await bench({
      devices: ['device1', { deviceId: 'cert', authenticationType: 'selfSigned', primaryThumbprint: 'AB' }],
    });
    const key = keyOf(emulator);
    const good = sasProof(key, {});
    expect(await reasonOf(emulator, good)).toBe(0);
    expect(await reasonOf(emulator, { ...good, authenticationMethod: 'OAUTH' })).toBe(0x8c);
    const { authenticationData: _none, ...withoutData } = good;
    expect(await reasonOf(emulator, withoutData)).toBe(0x86);
    expect(await reasonOf(emulator, sasProof(Buffer.alloc(32).toString('base64'), {}))).toBe(0x87);
    expect(await reasonOf(emulator, sasProof(key, { expiry: Date.now() - 1 }))).toBe(0x87);
    expect(await reasonOf(emulator, { authenticationMethod: 'X509' })).toBe(0x87);
    const cert = emulator.state.identities.get({ deviceId: 'cert' });
    const client = new RawMqtt(emulator.mqttUrl);
    opened.push(client);
    const properties = sasProof(cert.primaryKey, { clientId: 'cert' });
    expect(await client.connect({ clientId: 'cert', properties })).toMatchObject({ reasonCode: 0x87 });
  });

  test('mqtt.js hears 0x8C for a method that nobody knows', async () => {
    const { emulator, mqtt } = await bench();
    const { properties, ...rest } = previewConnect(keyOf(emulator));
    const refused = mqtt({ ...rest, properties: { ...properties, authenticationMethod: 'SCRAM-SHA-1' } });
    await expect(refused).rejects.toMatchObject({ code: 0x8c });
  });

  test('method X509 is the certificate of the connection, and nothing without one that the device has', async () => {
    const [own, other] = await Promise.all(
      [0, 1].map(() => generate([{ name: 'commonName', value: 'x' }], { keyType: 'ec' })),
    );
    const { fingerprint: primaryThumbprint } = new X509Certificate(own?.cert ?? '');
    const device = { deviceId: 'device1', authenticationType: 'selfSigned', primaryThumbprint } as const;
    const { emulator, mqtt } = await bench({ tls: true, devices: [device] });
    const connect = (pair: { cert: string; private: string } | undefined) =>
      mqtt({
        url: emulator.urls.mqtts,
        ca: emulator.ca ?? '',
        protocolVersion: 5,
        username: '',
        password: '',
        properties: { authenticationMethod: 'X509' },
        ...(pair && { cert: pair.cert, key: pair.private }),
      });
    const client = await connect(own);
    await client.publishAsync('$iothub/telemetry', 'x', { qos: 1 });
    expect(connackOf(client)?.properties?.authenticationMethod).toBe('X509');
    await expect(connect(other)).rejects.toMatchObject({ code: 0x87 });
    await expect(connect(undefined)).rejects.toMatchObject({ code: 0x87 });
  });

  test('a policy with device rights signs too', async () => {
    const { emulator } = await bench({ policies: { device: 'a2V5' } });
    await admitted(emulator, { policy: 'device' }, 'a2V5');
  });
});

describe('reauthentication', () => {
  const withClock = async (options: EmulatorOptions = {}) => {
    const clock = handClock(Date.now());
    const { emulator } = await bench({ ...options, clock });
    return { clock, emulator };
  };

  test('a fresh signature is answered with success, and holds the connection past the end of the first', async () => {
    const { clock, emulator } = await withClock();
    const client = await admitted(emulator, { expiry: clock.now() + 10_000 });
    client.send(auth(sasProof(keyOf(emulator), { expiry: clock.now() + 40_000 })));
    expect(await client.next('auth')).toMatchObject({ reasonCode: 0, properties: { authenticationMethod: 'SAS' } });
    clock.pass(20_000);
    client.send({ cmd: 'pingreq' });
    await client.next('pingresp');
    clock.pass(20_000);
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x87 });
    await client.closed;
    expect(emulator.log.requests({ operation: 'auth' })).toMatchObject([{ outcome: 'ok', deviceId: 'device1' }]);
  });

  const key = Buffer.alloc(32, 7).toString('base64');
  const late = () => Date.now() + 60_000;
  test.each<[string, number, IAuthPacket]>([
    ['a wrong signature', 0x87, auth(sasProof(Buffer.alloc(32).toString('base64'), {}))],
    ['an expired one', 0x87, auth(sasProof(key, { expiry: 1 }))],
    ['another method', 0x87, auth({ ...sasProof(key, {}), authenticationMethod: 'X509' })],
    ['another policy than the first', 0x87, auth(sasProof(key, { policy: 'device', expiry: late() }))],
    ['no expiry of its own', 0x87, auth({ ...sasProof(key, {}), userProperties: { host: 'hub.example' } })],
    ['an exchange to go on with, where there is none', 0x82, auth(sasProof(key, {}), 0x18)],
  ])('%s: DISCONNECT %i and the close', async (_name, reasonCode, packetSent) => {
    const { emulator } = await bench({
      devices: [{ deviceId: 'device1', primaryKey: key }],
      policies: { device: key },
    });
    const client = await admitted(emulator);
    client.send(packetSent);
    expect(await client.next('disconnect')).toMatchObject({ reasonCode });
    await client.closed;
  });

  test('a client that named no method may not send AUTH', async () => {
    const { emulator } = await bench();
    const client = new RawMqtt(emulator.mqttUrl);
    opened.push(client);
    const password = Buffer.from(emulator.deviceToken('device1'));
    await client.connect({ clientId: 'device1', username: 'hub/device1/?api-version=2021-04-12', password });
    client.send(auth(sasProof(keyOf(emulator), {})));
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x82 });
  });

  test('mqtt.js sends an AUTH behind its CONNECT and takes the success', async () => {
    const { emulator, mqtt } = await bench();
    const connect = previewConnect(keyOf(emulator));
    const client = await mqtt({ ...connect, authPacket: auth(sasProof(keyOf(emulator), {})) });
    await client.publishAsync('$iothub/telemetry', 'x', { qos: 1 });
    expect(emulator.log.requests({ operation: 'auth' })).toMatchObject([{ outcome: 'ok' }]);
    expect(client.connected).toBe(true);
  });

  test('can be refused by script', async () => {
    const { emulator } = await bench();
    const client = await admitted(emulator);
    emulator.inject({ match: { operation: 'auth' }, fault: { reasonCode: 0x89 } });
    client.send(auth(sasProof(keyOf(emulator), {})));
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x89 });
  });
});

describe('commands', () => {
  const send = (emulator: Emulator, messageId: string) =>
    emulator.state.sendToDevice('device1', { messageId, userId: 'u', ack: 'full', body: Buffer.from('go') });

  /** A client that was sent one command. */
  async function commanded(emulator: Emulator, messageId: string): Promise<[RawMqtt, IPublishPacket]> {
    const client = await admitted(emulator);
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$iothub/commands', qos: 1 }] });
    await client.next('suback');
    send(emulator, messageId);
    return [client, await client.next('publish')];
  }

  const answer = (to: IPublishPacket, status?: string) => ({
    cmd: 'puback' as const,
    messageId: to.messageId as number,
    reasonCode: status === undefined ? 0 : 131,
    ...(status === undefined ? {} : { properties: { userProperties: { status } } }),
  });

  test('131 with 0603 gives one back: it comes again, counted', async () => {
    const { emulator } = await bench();
    const [client, first] = await commanded(emulator, 'c1');
    expect(first).toMatchObject({
      topic: '$iothub/commands',
      qos: 1,
      dup: false,
      properties: { userProperties: { 'message-id': 'c1', 'delivery-count': '0', 'user-id': 'u' } },
    });
    client.send(answer(first, '0603'));
    const again = await client.next('publish');
    expect(again).toMatchObject({ properties: { userProperties: { 'message-id': 'c1', 'delivery-count': '1' } } });
    client.send(answer(again));
    await eventually(() => emulator.state.queues.depth('device1')).toBe(0);
    expect(emulator.log.executions('c2d-complete', 'c1')).toBe(1);
    expect(emulator.log.executions('c2d-abandon', 'c1')).toBe(1);
  });

  test('131 with 0100 refuses one: it is gone, and the sender is told', async () => {
    const { emulator } = await bench();
    const [client, command] = await commanded(emulator, 'c2');
    client.send(answer(command, '0100'));
    await eventually(() => emulator.log.executions('c2d-reject', 'c2')).toBe(1);
    expect(emulator.state.queues.depth('device1')).toBe(0);
    expect(emulator.state.feedback.take()).toMatchObject([{ originalMessageId: 'c2', statusCode: 'Rejected' }]);
  });

  test('one that is given back ten times is dropped', async () => {
    const { emulator } = await bench();
    const [client, first] = await commanded(emulator, 'c3');
    client.send(answer(first, '0603'));
    for (let count = 1; count < 10; count += 1) client.send(answer(await client.next('publish'), '0603'));
    await eventually(() => emulator.state.queues.depth('device1')).toBe(0);
    expect(emulator.state.feedback.take()).toMatchObject([{ statusCode: 'DeliveryCountExceeded' }]);
  });

  test('mqtt.js refuses one by a reason code of its own', async () => {
    const { emulator, mqtt } = await bench();
    const client = await mqtt({
      ...previewConnect(keyOf(emulator)),
      customHandleAcks: (_topic, _message, _packet, done) => done(131 as never),
    });
    await client.subscribeAsync('$iothub/commands', { qos: 1 });
    send(emulator, 'c4');
    await eventually(() => emulator.log.executions('c2d-reject', 'c4')).toBe(1);
  });
});

describe('topics', () => {
  test('an alias stands for the topic it came with; a wrong one ends the connection', async () => {
    const { emulator } = await bench();
    const client = await admitted(emulator);
    const telemetry = (topic: string, topicAlias: number) =>
      client.send({ ...PUBLISH, topic, payload: topic || 'alias', properties: { topicAlias } });
    telemetry('$iothub/telemetry', 3);
    telemetry('', 3);
    await eventually(() => emulator.state.events.count).toBe(2);
    telemetry('$iothub/telemetry', 11);
    expect(await client.next('disconnect')).toMatchObject({ reasonCode: 0x94 });
    const other = await admitted(emulator);
    other.send({ ...PUBLISH, topic: '', payload: 'x', properties: { topicAlias: 3 } });
    expect(await other.next('disconnect')).toMatchObject({ reasonCode: 0x82 });
  });

  test('wildcards under $iothub are refused by 0xA2, a misspelt topic by 144, a request with QoS 1 in its PUBACK', async () => {
    const { emulator } = await bench();
    const client = await admitted(emulator);
    const subscriptions = ['$iothub/#', '$iothub/+', '$iothub/commandz'].map((topic) => ({ topic, qos: 0 as const }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    expect(await client.next('suback')).toMatchObject({ granted: [0xa2, 0xa2, 0x8f] });
    client.send({ ...PUBLISH, qos: 1, messageId: 2, topic: '$iothub/twin/get', payload: '' });
    expect(await client.next('puback')).toMatchObject({
      messageId: 2,
      reasonCode: 131,
      properties: { userProperties: { status: '0100' } },
    });
    client.send({
      ...PUBLISH,
      topic: '$iothub/twin/gett',
      payload: '',
      properties: { correlationData: Buffer.from([10, 16]) },
    });
    expect(await client.next('disconnect')).toMatchObject({
      reasonCode: 144,
      properties: { userProperties: { reason: 'Unsupported topic: `$iothub/twin/gett`' } },
    });
  });

  test('a device that says it cannot be reached makes its caller hear 404103', async () => {
    const { emulator, service } = await bench();
    const client = await admitted(emulator);
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$iothub/methods/+', qos: 0 }] });
    await client.next('suback');
    const called = service('POST', '/twins/device1/methods', { methodName: 'blink' });
    const { properties } = await client.next('publish');
    const correlationData = properties?.correlationData as Buffer;
    const unavailable = { correlationData, userProperties: { status: '06A0' } };
    client.send({ ...PUBLISH, topic: '$iothub/responses', payload: '', properties: unavailable });
    expect(JSON.parse((await called).data.Message).errorCode).toBe(404103);
  });

  test('a session that is asked for is kept for ever', async () => {
    const { emulator } = await bench();
    const client = new RawMqtt(emulator.mqttUrl);
    opened.push(client);
    const { clientId, properties } = previewConnect(keyOf(emulator));
    const connack = await client.connect({ clientId, properties: { ...properties, sessionExpiryInterval: 60 } });
    expect(connack).toMatchObject({ properties: { sessionExpiryInterval: 0xffff_ffff } });
  });
});

const PUBLISH = { cmd: 'publish', qos: 0, dup: false, retain: false } as const;
