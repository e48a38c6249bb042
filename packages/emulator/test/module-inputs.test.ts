import { expect, test } from 'vitest';
import { type EmulatorOptions, startEmulator } from '../src/index.ts';
import { bodyText, Client } from './support/amqp.ts';
import { closing, message, useBench } from './support/bench.ts';
import { eventually } from './support/eventually.ts';

/*
 * Where messages to a module's inputs come: azure-iot-device-mqtt (mqtt.js, topicMatchRegex of
 * inputMessage), azure-iot-device-amqp (amqp.js, `x-opt-input-name`); routes as in iot-edge,
 * module-composition.
 */

const bench = useBench();
const ALARM = { deviceId: 'device1', moduleId: 'alarm' };
const INPUTS = 'devices/device1/modules/alarm/inputs/#';

const withModules = (more: EmulatorOptions = {}) =>
  bench({
    devices: [{ deviceId: 'device1', modules: ['filter', 'alarm'] }],
    transports: ['http', 'mqtt', 'amqp'],
    ...more,
  });

type Made = Awaited<ReturnType<typeof withModules>>;

const moduleClient = ({ mqtt, emulator }: Made, moduleId = 'alarm') =>
  mqtt({
    clientId: `device1/${moduleId}`,
    username: `hub/device1/${moduleId}/?api-version=2021-04-12`,
    password: emulator.deviceToken('device1', moduleId),
  });

test('over MQTT the input and the properties are in the topic', async () => {
  const made = await withModules();
  const client = await moduleClient(made);
  await client.subscribeAsync(INPUTS, { qos: 1 });
  const got = message(client, 'devices/');
  made.emulator.state.sendToInput(ALARM, 'in1', {
    messageId: 'm1',
    properties: { unit: '°C' },
    body: Buffer.from('99'),
  });
  expect(await got).toEqual({
    topic:
      'devices/device1/modules/alarm/inputs/in1/%24.mid=m1&%24.to=%2Fdevices%2Fdevice1%2Fmodules%2Falarm%2Finputs%2Fin1&unit=%C2%B0C',
    payload: '99',
  });
  await eventually(() => made.emulator.state.inputs.depth('device1/alarm')).toBe(0);
});

test('what a module does not acknowledge comes again on its next connection, and what comes while it is away waits', async () => {
  const made = await withModules();
  const { emulator } = made;
  const client = await moduleClient(made);
  await client.subscribeAsync(INPUTS, { qos: 1 });
  emulator.inject({ transport: 'mqtt', match: { operation: 'c2d-deliver' }, fault: 'reset-before' });
  const closed = closing(client);
  emulator.state.sendToInput(ALARM, 'in1', { messageId: 'm1', body: Buffer.from('1') });
  await closed;
  emulator.state.sendToInput(ALARM, 'in1', { messageId: 'm2', body: Buffer.from('2') });
  expect(emulator.state.inputs.depth('device1/alarm')).toBe(2);
  await moduleClient(made); // its session kept the subscription
  await eventually(() => emulator.state.inputs.depth('device1/alarm')).toBe(0);
  for (const id of ['m1', 'm2']) expect(emulator.log.executions('c2d-complete', id)).toBe(1);
});

test('over AMQP the input is an annotation, and an abandoned message comes again', async () => {
  const { emulator } = await withModules();
  const client = Client.to(emulator);
  await client.putToken(emulator.deviceToken('device1', 'alarm'), '127.0.0.1/devices/device1/modules/alarm');
  const { next } = client.receive('/devices/device1/modules/alarm/messages/events');
  emulator.state.sendToInput(ALARM, 'in1', { messageId: 'm1', body: Buffer.from('99') });
  const first = await next();
  expect(first.message).toMatchObject({ message_id: 'm1', message_annotations: { 'x-opt-input-name': 'in1' } });
  expect(bodyText(first.message)).toBe('99');
  first.delivery?.release();
  const again = await next();
  expect(again.message).toMatchObject({ message_id: 'm1', delivery_count: 1 });
  again.delivery?.accept();
  await eventually(() => emulator.log.executions('c2d-complete', 'm1')).toBe(1);
  await client.close();
});

test.each([
  ['FROM /messages/* INTO BrokeredEndpoint("/modules/alarm/inputs/in1")', ['device', 'plain', 'hot', 'cold']],
  ['FROM /messages/modules/* INTO BrokeredEndpoint("/modules/alarm/inputs/in1")', ['plain', 'hot', 'cold']],
  ['FROM /messages/modules/filter/* INTO BrokeredEndpoint("/modules/alarm/inputs/in1")', ['plain', 'hot', 'cold']],
  ['FROM /messages/modules/filter/outputs/hot INTO BrokeredEndpoint("/modules/alarm/inputs/in1")', ['hot']],
  ['FROM /messages/modules/filter/outputs/hot INTO BrokeredEndpoint("/modules/nobody/inputs/in1")', []],
  ['FROM /messages/modules/alarm/* INTO BrokeredEndpoint("/modules/alarm/inputs/in1")', []],
  ['FROM /messages/* INTO $upstream', []],
])('%s', async (route, routed) => {
  const { emulator } = await withModules({ routes: [route] });
  const filter = { deviceId: 'device1', moduleId: 'filter' };
  const body = Buffer.from('x');
  const { state } = emulator;
  state.sendEvent({ deviceId: 'device1' }, { messageId: 'device', body }, 'mqtt');
  state.sendEvent(filter, { messageId: 'plain', body }, 'mqtt');
  for (const output of ['hot', 'cold']) state.sendEvent(filter, { messageId: output, output, body }, 'mqtt');
  const got: (string | undefined)[] = [];
  for (;;) {
    const next = state.inputs.receive('device1/alarm');
    if (!next) break;
    got.push(next.message.messageId);
  }
  expect(got).toEqual(routed);
  expect(state.events.count).toBe(4);
});

test('a route that is none is refused by name', async () => {
  const routes = ['FROM /twinChangeNotifications INTO $upstream'];
  await expect(startEmulator({ routes })).rejects.toThrow(
    /^startEmulator: routes: expected FROM .* received FROM \/twin/,
  );
});

test('a device may not listen to the inputs of its modules', async () => {
  const { mqtt } = await withModules();
  const client = await mqtt();
  const closed = closing(client);
  client.subscribe(INPUTS);
  await closed;
});
