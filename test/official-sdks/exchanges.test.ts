import common from 'azure-iot-common';
import device, { type DeviceMethodRequest, type DeviceMethodResponse, type Message, type Twin } from 'azure-iot-device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Lab, startLab } from './lab.ts';

const CONNECTED = ['mqtt', 'mqtt-ws', 'amqp', 'amqp-ws'] as const;

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({
    devices: [...CONNECTED.map((name) => `dev-${name}`), 'dev-http', 'dev-service'],
  });
});

afterAll(() => lab.stop());

/** The first message of a client. It keeps its listener: without one the SDK closes the link it is to settle on. */
function first<T>(target: { on(name: string, listener: (value: T) => void): unknown }, name: string): Promise<T> {
  return new Promise((resolve) => target.on(name, resolve));
}

describe.each(CONNECTED)('azure-iot-device over %s', (transport) => {
  const deviceId = `dev-${transport}`;

  it('connects, sends, receives and completes, and uses its twin and methods', async () => {
    const client = await lab.open(transport, deviceId);

    // telemetry
    const telemetry = new device.Message('{"t":21}');
    telemetry.messageId = `${transport}-1`;
    telemetry.properties.add('colour', 'red');
    expect((await client.sendEvent(telemetry)).constructor.name).toBe('MessageEnqueued');
    expect(lab.emulator.state.events.from(0).find(({ messageId }) => messageId === `${transport}-1`)).toMatchObject({
      identity: { deviceId },
      properties: { colour: 'red' },
      transport: transport.slice(0, 4),
    });

    // cloud-to-device
    const received = first<Message>(client, 'message');
    lab.emulator.state.sendToDevice(deviceId, { messageId: `${transport}-c2d`, body: Buffer.from('hello') });
    const message = await received;
    expect(message).toMatchObject({ messageId: `${transport}-c2d` });
    expect(message.getData().toString()).toBe('hello');
    await client.complete(message);
    await eventually(() => lab.emulator.state.queues.depth(deviceId)).toBe(0);

    // twin
    const twin = (await client.getTwin()) as Twin;
    expect(twin.properties.reported.$version).toBe(1);
    await new Promise<void>((resolve, reject) => {
      twin.properties.reported.update({ on: true }, (error: Error | null) => (error ? reject(error) : resolve()));
    });
    expect(lab.emulator.state.twins.get({ deviceId }).reported).toEqual({ on: true });
    const desired = new Promise<{ speed?: number }>((resolve) => {
      twin.on('properties.desired', (delta: { speed?: number }) => delta.speed !== undefined && resolve(delta));
    });
    await eventually(async () => {
      lab.emulator.state.changeTwin({ deviceId }, { desired: { speed: 3 } }, {});
      return Promise.race([desired, new Promise((resolve) => setTimeout(resolve, 100))]);
    }).toMatchObject({ speed: 3 });

    // a direct method, asked for by the service's client
    client.onDeviceMethod('reboot', (request: DeviceMethodRequest, response: DeviceMethodResponse) => {
      response.send(202, { got: request.payload }, () => {});
    });
    const { result } = await lab.service().invokeDeviceMethod(deviceId, {
      methodName: 'reboot',
      payload: { delay: 5 },
      responseTimeoutInSeconds: 5,
      connectTimeoutInSeconds: 5,
    });
    expect(result).toMatchObject({ status: 202, payload: { got: { delay: 5 } } });
    await client.close();
  });
});

describe('azure-iot-device over http', () => {
  it('sends, receives by polling, and completes', async () => {
    const client = await lab.open('http', 'dev-http');
    const telemetry = new device.Message('over http');
    telemetry.messageId = 'http-1';
    await client.sendEvent(telemetry);
    expect(lab.emulator.log.executions('d2c', 'http-1')).toBe(1);
    lab.emulator.state.sendToDevice('dev-http', { messageId: 'http-c2d', body: Buffer.from('hello') });
    await client.setOptions({ http: { receivePolicy: { interval: 1 } } } as never);
    const message = await first<Message>(client, 'message');
    expect(message.getData().toString()).toBe('hello');
    await client.complete(message);
    expect(lab.emulator.state.queues.depth('dev-http')).toBe(0);
    await client.close();
  });
});

describe('azure-iot-device with a certificate', () => {
  it.each([...CONNECTED, 'http'] as const)('sends over %s', async (transport) => {
    const client = await lab.withCertificate(transport, `cert-${transport}`);
    const message = new device.Message('x');
    message.messageId = `cert-${transport}`;
    await client.sendEvent(message);
    expect(lab.emulator.log.executions('d2c', `cert-${transport}`)).toBe(1);
    await client.close();
  });
});

describe('azure-iothub', () => {
  it('Registry: creates, reads, updates, lists, queries and deletes', async () => {
    const { registry } = lab;
    const created = await registry.create({ deviceId: 'made' });
    expect(created.responseBody).toMatchObject({ deviceId: 'made', status: 'enabled' });
    const updated = await registry.update({ deviceId: 'made', status: 'disabled' } as never);
    expect(updated.responseBody.status).toBe('disabled');
    expect((await registry.get('made')).responseBody).toMatchObject({ deviceId: 'made', status: 'disabled' });
    expect((await registry.list()).responseBody.map(({ deviceId }: { deviceId: string }) => deviceId)).toContain(
      'made',
    );
    const found = await registry.createQuery("SELECT * FROM devices WHERE deviceId = 'made'").nextAsTwin();
    expect(found.result).toMatchObject([{ deviceId: 'made' }]);
    await registry.delete('made');
    await expect(registry.get('made')).rejects.toMatchObject({ name: expect.any(String) });
  });

  it('Twin: reads, patches and checks the ETag', async () => {
    const { registry } = lab;
    const twin = (await registry.getTwin('dev-service')).responseBody;
    const patched = await registry.updateTwin('dev-service', { tags: { floor: 2 } }, twin.etag);
    expect(patched.responseBody.tags).toEqual({ floor: 2 });
    await expect(registry.updateTwin('dev-service', { tags: {} }, twin.etag)).rejects.toMatchObject({
      name: 'InvalidEtagError',
    });
    // The object itself updates under the ETag it was read with.
    await expect(twin.update({ tags: { floor: 3 } })).rejects.toMatchObject({ name: 'InvalidEtagError' });
    const { result: fresh } = await twin.get();
    const { result: updated } = await fresh.update({ properties: { desired: { rate: 5 } } });
    expect(updated.properties.desired).toMatchObject({ rate: 5 });
    expect(lab.emulator.state.twins.get({ deviceId: 'dev-service' }).desired).toEqual({ rate: 5 });
  });

  it.each([
    ['AMQP', false],
    ['AMQP over WebSockets', true],
  ])('Client over %s: sends to a device and reads the feedback', async (_name, webSocket) => {
    const service = lab.service(webSocket);
    await service.open();
    const { result: receiver } = await service.getFeedbackReceiver();
    const told = first<{ data: string }>(receiver as never, 'message');
    const message = new common.Message('from the service');
    message.messageId = `svc-${webSocket}`;
    message.ack = 'full';
    await service.send('dev-service', message);
    const taken = lab.emulator.state.queues.receive('dev-service');
    expect(taken?.message).toMatchObject({ messageId: `svc-${webSocket}`, ack: 'full' });
    lab.emulator.state.queues.complete('dev-service', taken?.lockToken ?? '');
    expect(JSON.parse(String((await told).data))).toMatchObject([
      { originalMessageId: `svc-${webSocket}`, statusCode: 'Success', deviceId: 'dev-service' },
    ]);
    await service.close();
  });
});
