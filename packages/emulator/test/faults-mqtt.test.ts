import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { knownCodes } from '../src/forms/codes.ts';
import { closing, message, packet, useBench } from './support/bench.ts';
import { eventually } from './support/eventually.ts';

const bench = useBench();
const EVENTS = 'devices/device1/messages/events/';

test.each([
  ['reset-before', 0],
  ['close', 0],
  ['reset-during', 1],
  ['truncated', 1],
] as const)('%s of a publish: closed, ran %i times', async (fault, executions) => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  emulator.inject({ match: { operation: 'd2c' }, fault });
  const closed = closing(client);
  client.publish(`${EVENTS}%24.mid=m1`, 'x', { qos: 1 });
  await closed;
  expect(emulator.executions('m1')).toBe(executions);
});

test('reset-after: acknowledged, then gone', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  emulator.inject({ match: { operation: 'd2c' }, fault: 'reset-after' });
  const closed = closing(client);
  await client.publishAsync(EVENTS, 'x', { qos: 1 });
  await closed;
});

test('a lost acknowledgement: it ran, nothing is said, the connection lives on', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  emulator.inject({ match: { operation: 'd2c' }, fault: 'lost-ack' });
  client.publish(`${EVENTS}%24.mid=m1`, 'x', { qos: 1 });
  await client.publishAsync(`${EVENTS}%24.mid=m2`, 'x', { qos: 1 });
  expect([emulator.executions('m1'), emulator.executions('m2')]).toEqual([1, 1]);
  expect(client.connected).toBe(true);
});

test('half-open: nothing is answered any more, not even a ping', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt({ keepalive: 1 });
  emulator.inject({ match: { operation: 'd2c' }, fault: 'half-open' });
  const keepalive = new Promise<string>((resolve) => client.on('error', (error) => resolve(error.message)));
  client.publish(EVENTS, 'x', { qos: 1 });
  expect(await keepalive).toMatch(/Keepalive timeout/);
  expect(emulator.state.events.count).toBe(0);
});

test('a duplicate acknowledgement and a duplicate answer', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  const acks: number[] = [];
  client.on('packetreceive', (one) => one.cmd === 'puback' && acks.push(one.messageId ?? 0));
  emulator.inject({ match: { operation: 'd2c' }, fault: 'duplicate' });
  await client.publishAsync(EVENTS, 'x', { qos: 1 });
  await eventually(() => acks.length).toBe(2);
  expect(acks[0]).toBe(acks[1]);
});

test('garbage: the client cannot parse it', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  emulator.inject({ match: { operation: 'd2c' }, fault: 'garbage' });
  const failed = new Promise<Error>((resolve) => client.on('error', resolve));
  client.publish(EVENTS, 'x', { qos: 1 });
  expect((await failed).message).not.toBe('');
});

test('an answer that is no JSON, and one that comes slowly', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  await client.subscribeAsync('$iothub/twin/res/#');
  emulator.inject({ match: { operation: 'twin-get' }, fault: 'not-json' });
  const page = message(client, '$iothub/twin/res/200/');
  client.publish('$iothub/twin/GET/?$rid=1', '');
  expect((await page).payload).toMatch(/^<html>/);
  emulator.inject({ match: { operation: 'twin-get' }, fault: { unclean: 'slow', bytesPerSecond: 5_000 } });
  const slow = message(client, '$iothub/twin/res/200/');
  client.publish('$iothub/twin/GET/?$rid=2', '');
  expect(JSON.parse((await slow).payload)).toHaveProperty('desired');
});

test('a code where 3.1.1 has no packet closes the connection; nothing ran', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  emulator.inject({ match: { operation: 'd2c' }, fault: 403002 });
  const closed = closing(client);
  client.publish(`${EVENTS}%24.mid=m1`, 'x', { qos: 1 });
  await closed;
  expect(emulator.executions('m1')).toBe(0);
  expect(emulator.log.requests({ operation: 'd2c' })).toMatchObject([{ outcome: '403002', scripted: true }]);
});

test('a subscription is refused', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  emulator.inject({ match: { operation: 'subscribe' }, fault: { reasonCode: 0x80 } });
  const suback = packet<{ granted: number[] }>(client, 'suback');
  client.subscribe('$iothub/twin/res/#');
  expect((await suback).granted).toEqual([0x80]);
});

test.each([
  ['reset-before', /ECONNRESET|closed/],
  ['close', /closed/],
  ['truncated', /closed/],
  ['half-open', /connack timeout/],
] as const)('%s of a CONNECT', async (fault, text) => {
  const { emulator, mqtt } = await bench();
  emulator.inject({ match: { operation: 'connect' }, fault });
  await expect(mqtt(fault === 'half-open' ? { connectTimeout: 200 } : {})).rejects.toThrow(text);
});

test('a refused WebSocket upgrade', async () => {
  const { emulator, mqtt } = await bench();
  emulator.inject({ match: { operation: 'upgrade' }, fault: { status: 503 } });
  await expect(mqtt({ url: emulator.urls.ws })).rejects.toThrow('closed');
  await mqtt({ url: emulator.urls.ws });
});

// Over WebSockets no client can tell: the library beneath reports 1006 for both.
test('a reset over TLS is a reset, not a clean close', async () => {
  const { emulator, mqtt } = await bench({ tls: true });
  const client = await mqtt({ url: emulator.urls.mqtts, ca: emulator.ca ?? '' });
  emulator.inject({ match: { operation: 'd2c' }, fault: 'reset-before' });
  const seen = new Promise<string | undefined>((resolve) => {
    client.stream.on('error', (error: Error & { code?: string }) => resolve(error.code));
    client.on('close', () => setTimeout(() => resolve(undefined), 50));
  });
  client.publish(EVENTS, 'x', { qos: 1 });
  expect(await seen).toBe('ECONNRESET');
});

test('every number can be scripted for a request and for a CONNECT: an answer, a code or a close, never silence', async () => {
  const { emulator, mqtt } = await bench({ throttle: false });
  const client = await mqtt();
  await client.subscribeAsync('$iothub/twin/res/#');
  for (const code of knownCodes()) {
    emulator.inject({ match: { operation: 'twin-get' }, fault: code });
    const answer = message(client, '$iothub/twin/res/');
    client.publish(`$iothub/twin/GET/?$rid=${code}`, '');
    const { topic, payload } = await answer;
    expect(topic).toBe(`$iothub/twin/res/${Math.trunc(code / 1000)}/?$rid=${code}`);
    expect(JSON.parse(payload).errorCode).toBe(code);
  }
  const outcomes = new Set<unknown>();
  for (const code of knownCodes()) {
    emulator.inject({ match: { operation: 'connect' }, fault: code });
    outcomes.add(await mqtt().catch((error: Error & { code?: number }) => error.code ?? error.message));
  }
  expect([...outcomes].sort()).toEqual([1, 3, 5, 'closed']);
});

test('executes: it runs although a fault is told; a delay alone holds the acknowledgement back', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt({ protocolVersion: 5 });
  emulator.inject({ match: { operation: 'd2c' }, fault: 500001, executes: true });
  await expect(client.publishAsync(`${EVENTS}%24.mid=m1`, 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x83 });
  expect(emulator.executions('m1')).toBe(1);
  emulator.inject({ match: { operation: 'd2c' }, delayMs: 30 });
  await client.publishAsync(`${EVENTS}%24.mid=m2`, 'x', { qos: 1 });
  expect(emulator.executions('m2')).toBe(1);
});

test('after lets some pass, times says how many are hit', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt({ protocolVersion: 5 });
  const fault = emulator.inject({ match: { operation: 'd2c' }, fault: 429001, after: 1, times: 2 });
  const codes: unknown[] = [];
  for (let n = 0; n < 4; n += 1) {
    await client.publishAsync(EVENTS, 'x', { qos: 1 }).then(
      () => codes.push(0),
      (error: { code: number }) => codes.push(error.code),
    );
  }
  expect(codes).toEqual([0, 0x97, 0x97, 0]);
  expect(fault).toMatchObject({ hits: 2, remaining: 0 });
});

test('any reason in any acknowledgement of MQTT 5, with its text and properties', async () => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt({ protocolVersion: 5 });
  const given = { reasonString: 'no', userProperties: { why: 'because' } };
  emulator.inject({ match: { operation: 'd2c' }, fault: { reasonCode: 0x99, ...given } });
  const puback = packet<object>(client, 'puback');
  client.publish(EVENTS, 'x', { qos: 1 }, () => {});
  expect(await puback).toMatchObject({ reasonCode: 0x99, properties: given });
  emulator.inject({ match: { operation: 'subscribe' }, fault: { reasonCode: 0xa1 } });
  const suback = packet<object>(client, 'suback');
  client.subscribe('$iothub/twin/res/#', () => {});
  expect(await suback).toMatchObject({ granted: [0xa1] });
  emulator.inject({ match: { operation: 'unsubscribe' }, fault: { reasonCode: 0x87, packet: 'unsuback' } });
  const unsuback = packet<object>(client, 'unsuback');
  client.unsubscribe('$iothub/twin/res/#', () => {});
  expect(await unsuback).toMatchObject({ granted: [0x87] });
});

const DEVICEBOUND = 'devices/device1/messages/devicebound/#';

test.each([
  ['duplicate', ['x', 'x']],
  [{ unclean: 'slow', bytesPerSecond: 2_000 }, ['x']],
  ['not-json', [expect.stringMatching(/^<html>/)]],
] as const)('%j of a message on its way to the device: it comes as %j, and is done', async (fault, payloads) => {
  const { emulator, mqtt } = await bench();
  const client = await mqtt();
  const seen: string[] = [];
  client.on('message', (_topic, payload) => seen.push(payload.toString()));
  await client.subscribeAsync(DEVICEBOUND, { qos: 1 });
  emulator.inject({ match: { operation: 'c2d-deliver' }, fault });
  emulator.state.sendToDevice('device1', { messageId: 'c', body: Buffer.from('x') });
  await eventually(() => seen).toEqual(payloads);
  await eventually(() => emulator.log.executions('c2d-complete', 'c')).toBe(1);
});

test('a message on its way waits where the script says so, and is lost until its lock runs out', async () => {
  const clock = handClock(Date.now());
  const { emulator, mqtt } = await bench({ clock });
  const client = await mqtt();
  const seen: unknown[] = [];
  client.on('message', (_topic, payload, { dup }) => seen.push([payload.toString(), dup]));
  await client.subscribeAsync(DEVICEBOUND, { qos: 1 });
  const send = (text: string) => emulator.state.sendToDevice('device1', { messageId: text, body: Buffer.from(text) });
  emulator.inject({ match: { operation: 'c2d-deliver' }, delayMs: 5_000 });
  send('late');
  await client.publishAsync(EVENTS, 'x', { qos: 1 });
  expect(seen).toEqual([]);
  clock.pass(5_000);
  await eventually(() => seen).toEqual([['late', false]]);
  await eventually(() => emulator.log.executions('c2d-complete', 'late')).toBe(1);
  emulator.inject({ match: { operation: 'c2d-deliver' }, fault: 'lost-ack' });
  send('lost');
  await client.publishAsync(EVENTS, 'x', { qos: 1 });
  expect(seen).toHaveLength(1);
  clock.pass(60_000);
  await eventually(() => seen.slice(1)).toEqual([['lost', true]]);
});

test('a number that strikes a message on its way ends the connection, and the message is kept', async () => {
  const { emulator, mqtt } = await bench();
  for (const [protocolVersion, reasons] of [
    [4, []],
    [5, [0x97]],
  ] as const) {
    const client = await mqtt({ protocolVersion });
    const seen: unknown[] = [];
    client.on('packetreceive', (one) => one.cmd === 'disconnect' && seen.push(one.reasonCode));
    await client.subscribeAsync(DEVICEBOUND, { qos: 1 });
    emulator.inject({ match: { operation: 'c2d-deliver' }, fault: 429001 });
    const closed = closing(client);
    const before = emulator.state.queues.depth('device1');
    emulator.state.sendToDevice('device1', { body: Buffer.from('x') });
    await closed;
    expect(seen).toEqual(reasons);
    expect(emulator.state.queues.depth('device1')).toBe(before + 1);
    emulator.state.queues.purge('device1');
  }
});

test('messages that were lost do not close the window of sixteen for good', async () => {
  const clock = handClock(Date.now());
  const { emulator, mqtt } = await bench({ clock, throttle: false, queue: { maxDeliveries: 100 } });
  const client = await mqtt({ keepalive: 0 });
  await client.subscribeAsync(DEVICEBOUND, { qos: 1 });
  emulator.inject({ match: { operation: 'c2d-deliver' }, fault: 'lost-ack', times: 32 });
  for (let n = 0; n < 16; n += 1) emulator.state.sendToDevice('device1', { body: Buffer.from('x') });
  for (let lost = 0; lost < 2; lost += 1) clock.pass(60_000);
  await eventually(() => emulator.state.queues.depth('device1')).toBe(0);
});
