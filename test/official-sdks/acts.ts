import common from 'azure-iot-common';
import device, { type Client } from 'azure-iot-device';
import provisioning from 'azure-iot-provisioning-device';
import provisioningHttp from 'azure-iot-provisioning-device-http';
import provisioningMqtt from 'azure-iot-provisioning-device-mqtt';
import symmetricKey from 'azure-iot-security-symmetric-key';
import type { FaultCase } from './faults.ts';
import { DPS, type Lab } from './lab.ts';

export const REGISTRATION = 'reg-faults';
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
    case 'dps-http':
      inject('http', 'dps-register');
      return raisedBy(() => register(new provisioningHttp.Http()));
    default:
      inject('mqtt', 'dps-register');
      return raisedBy(() => register(new provisioningMqtt.Mqtt()));
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

async function register(transport: unknown): Promise<unknown> {
  const security = new symmetricKey.SymmetricKeySecurityClient(REGISTRATION, KEY);
  const client = provisioning.ProvisioningDeviceClient.create(
    DPS,
    '0ne00000001',
    transport as never,
    security as never,
  );
  return client.register();
}
