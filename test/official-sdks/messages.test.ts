import common from 'azure-iot-common';
import device, { type Message } from 'azure-iot-device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Lab, startLab, type TransportName } from './lab.ts';

const SETTLING = ['amqp', 'amqp-ws', 'http'] as const;
const CONNECTED = ['mqtt', 'mqtt-ws', 'amqp', 'amqp-ws'] as const;

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({
    devices: [
      ...SETTLING.map((name) => `settle-${name}`),
      ...CONNECTED.map((name) => `renew-${name}`),
      ...CONNECTED.map((name) => `back-${name}`),
      'batch',
      'over',
    ],
  });
});

afterAll(() => lab.stop());

function send(deviceId: string, messageId: string): void {
  const body = Buffer.from(messageId);
  lab.emulator.state.sendToDevice(deviceId, { messageId, ack: 'full', body, properties: { colour: 'red' } });
}

/** Messages of a client as they come; it keeps its listener: without one the SDK closes the link. */
async function receive(transport: TransportName, deviceId: string, open = lab.open) {
  const client = await open(transport, deviceId);
  const messages: Message[] = [];
  client.on('message', (message: Message) => messages.push(message));
  if (transport === 'http') await client.setOptions({ http: { receivePolicy: { interval: 1 } } } as never);
  return { client, messages };
}

describe.each(SETTLING)('settling over %s', (transport) => {
  it('a message that is abandoned comes again, one that is rejected does not, and the service is told', async () => {
    const deviceId = `settle-${transport}`;
    const { client, messages } = await receive(transport, deviceId);
    send(deviceId, `${transport}-back`);
    await eventually(() => messages).toHaveLength(1);
    expect(messages[0]?.properties.propertyList[0]?.value).toBe('red');
    await client.abandon(messages[0] as Message);
    await eventually(() => messages).toHaveLength(2);
    await client.complete(messages[1] as Message);
    send(deviceId, `${transport}-no`);
    await eventually(() => messages).toHaveLength(3);
    await client.reject(messages[2] as Message);
    await eventually(() => lab.emulator.state.queues.depth(deviceId)).toBe(0);
    expect(messages.map(({ messageId }) => messageId)).toEqual([
      `${transport}-back`,
      `${transport}-back`,
      `${transport}-no`,
    ]);
    const { log, state } = lab.emulator;
    expect(log.executions('c2d-abandon', `${transport}-back`)).toBe(1);
    expect(state.feedback.take().map(({ statusCode }) => statusCode)).toEqual(['Success', 'Rejected']);
    await client.close();
  });
});

describe.each(CONNECTED)('renewing a token over %s', (transport) => {
  it('keeps what the client listens to', async () => {
    const deviceId = `renew-${transport}`;
    const { client, messages } = await receive(transport, deviceId, lab.withToken);
    const twin = await client.getTwin();
    const before = lab.emulator.log.requests({ deviceId, operation: 'subscribe' }).length;
    await new Promise((resolve, reject) => {
      const token = lab.emulator.deviceToken(deviceId, undefined, 7_200);
      client.updateSharedAccessSignature(token, (error?: Error, result?: unknown) =>
        error ? reject(error) : resolve(result),
      );
    });
    send(deviceId, `${transport}-after`);
    await eventually(() => messages.map(({ messageId }) => messageId)).toEqual([`${transport}-after`]);
    await new Promise<void>((resolve, reject) => {
      twin.properties.reported.update({ on: true }, (error: Error | null) => (error ? reject(error) : resolve()));
    });
    expect(lab.emulator.state.twins.get({ deviceId }).reported).toEqual({ on: true });
    expect(lab.emulator.log.requests({ deviceId, operation: 'subscribe' })).toHaveLength(before);
    await client.close();
  });
});

describe('messages over http', () => {
  it('are taken as a batch', async () => {
    const client = await lab.open('http', 'batch');
    const batch = ['b0', 'b1'].map((id) => {
      const message = new device.Message(id);
      message.messageId = id;
      message.properties.add('part', id);
      return message;
    });
    await client.sendEventBatch(batch);
    const sent = lab.emulator.state.events.from(0).filter(({ identity }) => identity.deviceId === 'batch');
    expect(sent.map(({ body, properties }) => [body.toString(), properties])).toEqual([
      ['b0', expect.objectContaining({ part: 'b0' })],
      ['b1', expect.objectContaining({ part: 'b1' })],
    ]);
    await client.close();
  });
});

describe('a device that connects over one transport while it is connected over another', () => {
  it.each([
    ['mqtt', 'amqp'],
    ['amqp', 'mqtt-ws'],
    ['mqtt-ws', 'amqp-ws'],
  ] as const)('%s is ended by %s', async (first, second) => {
    const one = await lab.open(first, 'over');
    const { connections } = lab.emulator.state;
    const taken = connections.current({ deviceId: 'over' });
    const other = await lab.open(second, 'over');
    expect(taken?.ended).toBe('taken-over');
    expect(connections.current({ deviceId: 'over' })?.transport).toBe(second.slice(0, 4));
    await other.sendEvent(new device.Message(second));
    await Promise.all(
      [one.close(), other.close()].map((closed) => Promise.race([closed, new Promise((r) => setTimeout(r, 300))])),
    );
  });
});

describe('a client with its own retry policy', () => {
  it.each(CONNECTED)('comes back over %s after a reset, and gets what waited', async (transport) => {
    const deviceId = `back-${transport}`;
    const { client, messages } = await receive(transport, deviceId);
    client.setRetryPolicy(new common.ExponentialBackOffWithJitter(true));
    send(deviceId, 'first');
    await eventually(() => messages).toHaveLength(1);
    await client.complete(messages[0] as Message);
    // Between the two the device is away; the message waits in its queue.
    const match = { operation: 'd2c', deviceId };
    lab.emulator.inject({ match, fault: 'reset-before' });
    const sent = client.sendEvent(new device.Message('x')).catch((error: unknown) => error);
    await eventually(() => lab.emulator.log.requests({ ...match, scripted: true })).toHaveLength(1);
    send(deviceId, 'second');
    await sent;
    await eventually(() => messages.map(({ messageId }) => messageId)).toEqual(['first', 'second']);
    await client.sendEvent(new device.Message('y'));
    expect(lab.emulator.log.requests({ deviceId, operation: 'd2c', outcome: 'ok' }).length).toBeGreaterThan(0);
    await client.close();
  });
});
