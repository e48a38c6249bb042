import common from 'azure-iot-common';
import device, { type Client, type Message } from 'azure-iot-device';
import provisioning from 'azure-iot-provisioning-device';
import provisioningHttp from 'azure-iot-provisioning-device-http';
import provisioningMqtt from 'azure-iot-provisioning-device-mqtt';
import symmetricKey from 'azure-iot-security-symmetric-key';
import type { FaultCase } from './faults.ts';
import { after, DPS, type Lab } from './lab.ts';

export const REGISTRATION = 'reg-faults';
/** One whose custom allocation fails, as recorded in iotedge#3233. */
export const FAILING = 'reg-failing';
export const LOCK_MS = 100;
export const KEY = Buffer.from('a key of the enrolment').toString('base64');

/** Do what a case says with the fault injected; resolves with what was raised, or nothing. */
export async function provoke(lab: Lab, { act, fault }: FaultCase, deviceId: string): Promise<unknown> {
  const inject = (transport: 'http' | 'mqtt' | 'amqp', operation: string) => {
    if (fault !== undefined) lab.emulator.inject({ transport, match: { operation }, fault });
  };
  const { registry } = lab;
  switch (act) {
    case 'registry-get':
      inject('http', 'device-get');
      return raisedBy(() => registry.get(deviceId));
    case 'registry-create':
      return raisedBy(() => registry.create({ deviceId }));
    case 'registry-update':
      inject('http', 'device-update');
      return raisedBy(() => registry.update({ deviceId } as never));
    case 'twin-get-service':
      inject('http', 'twin-get');
      return raisedBy(() => registry.getTwin(deviceId));
    case 'method':
      inject('http', 'method');
      return raisedBy(() =>
        lab.service().invokeDeviceMethod(deviceId, {
          methodName: 'm',
          payload: null,
          responseTimeoutInSeconds: 5,
          connectTimeoutInSeconds: 0,
        }),
      );
    case 'http-send':
      inject('http', 'd2c');
      return withClient(lab, 'http', deviceId, (client) => client.sendEvent(new device.Message('x')));
    case 'amqp-open':
      inject('amqp', 'cbs');
      return raisedBy(() => lab.open('amqp', deviceId));
    case 'amqp-send':
      inject('amqp', 'd2c');
      return withClient(lab, 'amqp', deviceId, (client) => client.sendEvent(new device.Message('x')));
    case 'amqp-twin':
      inject('amqp', 'twin-get');
      return withClient(lab, 'amqp', deviceId, (client) => client.getTwin());
    case 'service-send':
      inject('amqp', 'c2d-send');
      return raisedBy(() => lab.service().send(deviceId, new common.Message('x')));
    case 'mqtt-open':
      inject('mqtt', 'connect');
      return raisedBy(() => lab.open('mqtt', deviceId));
    case 'mqtt-send':
      inject('mqtt', 'd2c');
      return withClient(lab, 'mqtt', deviceId, (client) => client.sendEvent(new device.Message('x')));
    case 'mqtt-twin':
      inject('mqtt', 'twin-get');
      return withClient(lab, 'mqtt', deviceId, (client) => client.getTwin());
    case 'mqtt-taken-over':
      return takenOver(lab, deviceId);
    case 'amqp-late-complete':
      return completeLate(lab, 'amqp', deviceId);
    case 'http-late-complete':
      return completeLate(lab, 'http', deviceId);
    case 'dps-http':
      inject('http', 'dps-register');
      return raisedBy(() => register(REGISTRATION, new provisioningHttp.Http()));
    case 'dps-mqtt':
      inject('mqtt', 'dps-register');
      return raisedBy(() => register(REGISTRATION, new provisioningMqtt.Mqtt()));
    case 'dps-http-failed':
      return raisedBy(() => register(FAILING, new provisioningHttp.Http()));
    case 'dps-mqtt-failed':
      return raisedBy(() => register(FAILING, new provisioningMqtt.Mqtt()));
  }
}

async function withClient(
  lab: Lab,
  transport: 'http' | 'amqp' | 'mqtt',
  deviceId: string,
  run: (client: Client) => Promise<unknown>,
): Promise<unknown> {
  const client = await lab.open(transport, deviceId);
  return raisedBy(() => run(client));
}

async function raisedBy(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Receive a message, let its lock run out, and complete it then. */
async function completeLate(lab: Lab, transport: 'amqp' | 'http', deviceId: string): Promise<unknown> {
  const client = await lab.open(transport, deviceId);
  const received = new Promise<Message>((resolve) => client.on('message', resolve));
  lab.emulator.state.sendToDevice(deviceId, { body: Buffer.from('x') });
  if (transport === 'http') await client.setOptions({ http: { receivePolicy: { interval: 1 } } } as never);
  const message = await received;
  await after(2 * LOCK_MS);
  return raisedBy(() => client.complete(message));
}

/** What a client says whose device connects once more elsewhere. */
async function takenOver(lab: Lab, deviceId: string): Promise<unknown> {
  const client = await lab.open('mqtt', deviceId);
  const told = new Promise<{ transportObj?: unknown }>((resolve) => client.on('disconnect', resolve));
  await lab.open('mqtt', deviceId);
  return (await told).transportObj;
}

async function register(registration: string, transport: unknown): Promise<unknown> {
  const security = new symmetricKey.SymmetricKeySecurityClient(registration, KEY);
  const client = provisioning.ProvisioningDeviceClient.create(
    DPS,
    '0ne00000001',
    transport as never,
    security as never,
  );
  return client.register();
}
