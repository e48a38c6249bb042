import device, { type DeviceMethodRequest, type DeviceMethodResponse, type Message, type Twin } from 'azure-iot-device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Lab, startLab } from './lab.ts';

const TRANSPORTS = ['mqtt', 'mqtt-ws', 'amqp', 'amqp-ws'] as const;

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({
    devices: [...TRANSPORTS, 'registry'].map((name) => ({ deviceId: `edge-${name}`, modules: ['filter', 'alarm'] })),
    routes: ['FROM /messages/modules/filter/outputs/hot INTO BrokeredEndpoint("/modules/alarm/inputs/in1")'],
  });
});

afterAll(() => lab.stop());

describe.each(TRANSPORTS)('azure-iot-device ModuleClient over %s', (transport) => {
  const deviceId = `edge-${transport}`;

  it('sends to an output, and receives on an input what is routed there', async () => {
    const alarm = await lab.openModule(transport, deviceId, 'alarm');
    const received: [input: string, message: Message][] = [];
    alarm.on('inputMessage', (input: string, message: Message) => {
      received.push([input, message]);
      void alarm.complete(message);
    });
    const filter = await lab.openModule(transport, deviceId, 'filter');
    for (const [output, body] of [
      ['hot', '99'],
      ['cold', '-5'],
    ] as const) {
      const message = new device.Message(body);
      message.messageId = `${transport}-${output}`;
      message.properties.add('unit', 'C');
      expect((await filter.sendOutputEvent(output, message)).constructor.name).toBe('MessageEnqueued');
    }
    await eventually(() => received).toHaveLength(1);
    const [input, message] = received[0] ?? [];
    expect(input).toBe('in1');
    expect(message?.getData().toString()).toBe('99');
    expect(message?.messageId).toBe(`${transport}-hot`);
    expect(message?.properties.getValue('unit')).toBe('C');
    await eventually(() => lab.emulator.state.inputs.depth(`${deviceId}/alarm`)).toBe(0);
    // At the hub everything arrives, with the output it left by.
    const sent = lab.emulator.state.events.from(0).filter(({ identity }) => identity.deviceId === deviceId);
    expect(sent).toMatchObject([
      { identity: { moduleId: 'filter' }, output: 'hot', properties: { unit: 'C' } },
      { identity: { moduleId: 'filter' }, output: 'cold' },
    ]);
    await filter.close();
    await alarm.close();
  });

  it('has a twin and methods of its own, beside its device and the other modules', async () => {
    const [alarm, whole] = await Promise.all([
      lab.openModule(transport, deviceId, 'alarm'),
      lab.open(transport, deviceId),
    ]);
    const twin = (await alarm.getTwin()) as Twin;
    await new Promise<void>((resolve, reject) => {
      twin.properties.reported.update({ armed: true }, (error: Error | null) => (error ? reject(error) : resolve()));
    });
    const { twins } = lab.emulator.state;
    expect(twins.get({ deviceId, moduleId: 'alarm' }).reported).toEqual({ armed: true });
    expect(twins.get({ deviceId }).reported).toEqual({});
    const changes: { level?: number }[] = [];
    twin.on('properties.desired', (change: { level?: number }) => changes.push(change));
    await eventually(() => {
      if (!changes.some(({ level }) => level === 2)) {
        lab.emulator.state.changeTwin({ deviceId, moduleId: 'alarm' }, { desired: { level: 2 } }, {});
      }
      return changes;
    }).toContainEqual(expect.objectContaining({ level: 2 }));

    alarm.onMethod('ring', (request?: DeviceMethodRequest, response?: DeviceMethodResponse) => {
      response?.send(200, { rang: request?.payload }, () => {});
    });
    const call = { methodName: 'ring', payload: 3, responseTimeoutInSeconds: 5, connectTimeoutInSeconds: 5 };
    const { result } = await lab.service().invokeDeviceMethod(deviceId, 'alarm', call);
    expect(result).toMatchObject({ status: 200, payload: { rang: 3 } });
    await whole.sendEvent(new device.Message('from the device'));
    await alarm.close();
    await whole.close();
  });
});

describe('azure-iothub Registry', () => {
  it('adds, reads, updates, lists and removes modules, and their twins', async () => {
    const { registry } = lab;
    const deviceId = 'edge-registry';
    const added = await registry.addModule({ deviceId, moduleId: 'third' });
    expect(added.responseBody).toMatchObject({ deviceId, moduleId: 'third' });
    await expect(registry.addModule({ deviceId, moduleId: 'third' })).rejects.toMatchObject({
      name: 'DeviceAlreadyExistsError',
    });
    const listed = await registry.getModulesOnDevice(deviceId);
    expect(listed.responseBody.map(({ moduleId }: { moduleId: string }) => moduleId)).toEqual([
      'filter',
      'alarm',
      'third',
    ]);
    const { responseBody: read } = await registry.getModule(deviceId, 'third');
    const updated = await registry.updateModule({ ...read, managedBy: 'me' } as never, true);
    expect(updated.responseBody).toMatchObject({ moduleId: 'third', managedBy: 'me' });
    const twin = (await registry.getModuleTwin(deviceId, 'third')).responseBody;
    const patched = await registry.updateModuleTwin(deviceId, 'third', { tags: { floor: 1 } }, twin.etag);
    expect(patched.responseBody).toMatchObject({ moduleId: 'third', tags: { floor: 1 } });
    await registry.removeModule(deviceId, 'third');
    await expect(registry.getModule(deviceId, 'third')).rejects.toMatchObject({ name: expect.any(String) });
  });
});
