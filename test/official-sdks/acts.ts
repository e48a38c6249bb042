import common from 'azure-iot-common';
import device, { type Message } from 'azure-iot-device';
import provisioning from 'azure-iot-provisioning-device';
import provisioningAmqp from 'azure-iot-provisioning-device-amqp';
import provisioningHttp from 'azure-iot-provisioning-device-http';
import provisioningMqtt from 'azure-iot-provisioning-device-mqtt';
import symmetricKey from 'azure-iot-security-symmetric-key';
import type { Act, FaultCase } from './faults.ts';
import { after, DPS, type Lab } from './lab.ts';

export const REGISTRATION = 'reg-faults';
/** Some whose custom allocation fails, as recorded in iotedge#3233. */
export const FAILING = ['reg-failing-1', 'reg-failing-2', 'reg-failing-3'] as const;
export const LOCK_MS = 100;
export const KEY = Buffer.from('a key of the enrolment').toString('base64');

type Run = (lab: Lab, deviceId: string) => Promise<unknown>;

/** What is done, and the operation that the fault is injected into (none: behaviour brings it about). */
interface Deed {
  readonly strikes?: readonly [transport: 'http' | 'mqtt' | 'amqp', operation: string];
  readonly run: Run;
}

const sendOver =
  (transport: 'http' | 'amqp' | 'mqtt'): Run =>
  async (lab, deviceId) =>
    (await lab.open(transport, deviceId)).sendEvent(new device.Message('x'));

const readTwinOver =
  (transport: 'amqp' | 'mqtt'): Run =>
  async (lab, deviceId) =>
    (await lab.open(transport, deviceId)).getTwin();

const METHOD = { methodName: 'm', payload: null, responseTimeoutInSeconds: 5, connectTimeoutInSeconds: 0 };

const deeds: Readonly<Record<Act, Deed>> = {
  'registry-get': { strikes: ['http', 'device-get'], run: ({ registry }, id) => registry.get(id) },
  'registry-create': { run: ({ registry }, deviceId) => registry.create({ deviceId }) },
  'registry-update': {
    strikes: ['http', 'device-update'],
    run: ({ registry }, deviceId) => registry.update({ deviceId } as never),
  },
  'twin-get-service': { strikes: ['http', 'twin-get'], run: ({ registry }, id) => registry.getTwin(id) },
  method: { strikes: ['http', 'method'], run: (lab, id) => lab.service().invokeDeviceMethod(id, METHOD) },
  'http-send': { strikes: ['http', 'd2c'], run: sendOver('http') },
  'http-late-complete': { run: (lab, id) => completeLate(lab, 'http', id) },
  'amqp-open': { strikes: ['amqp', 'cbs'], run: (lab, id) => lab.open('amqp', id) },
  'amqp-send': { strikes: ['amqp', 'd2c'], run: sendOver('amqp') },
  'amqp-twin': { strikes: ['amqp', 'twin-get'], run: readTwinOver('amqp') },
  'amqp-late-complete': { run: (lab, id) => completeLate(lab, 'amqp', id) },
  'service-send': { strikes: ['amqp', 'c2d-send'], run: (lab, id) => lab.service().send(id, new common.Message('x')) },
  'mqtt-open': { strikes: ['mqtt', 'connect'], run: (lab, id) => lab.open('mqtt', id) },
  'mqtt-send': { strikes: ['mqtt', 'd2c'], run: sendOver('mqtt') },
  'mqtt-twin': { strikes: ['mqtt', 'twin-get'], run: readTwinOver('mqtt') },
  'mqtt-taken-over': { run: takenOver },
  'dps-http': { strikes: ['http', 'dps-register'], run: () => register(REGISTRATION, new provisioningHttp.Http()) },
  'dps-mqtt': { strikes: ['mqtt', 'dps-register'], run: () => register(REGISTRATION, new provisioningMqtt.Mqtt()) },
  'dps-amqp': { strikes: ['amqp', 'dps-register'], run: () => register(REGISTRATION, new provisioningAmqp.Amqp()) },
  'dps-http-failed': { run: () => register(FAILING[0], new provisioningHttp.Http()) },
  'dps-mqtt-failed': { run: () => register(FAILING[1], new provisioningMqtt.Mqtt()) },
  'dps-amqp-failed': { run: () => register(FAILING[2], new provisioningAmqp.Amqp()) },
};

/** Do what a case says with its fault injected; resolves with what was raised, or nothing. */
export async function provoke(lab: Lab, { act, fault }: FaultCase, deviceId: string): Promise<unknown> {
  const { strikes, run } = deeds[act];
  if (strikes && fault !== undefined) {
    const [transport, operation] = strikes;
    lab.emulator.inject({ transport, match: { operation }, fault });
  }
  try {
    await run(lab, deviceId);
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
  return client.complete(message);
}

/** Raises what a client says in an event when its device connects once more elsewhere. */
async function takenOver(lab: Lab, deviceId: string): Promise<never> {
  const client = await lab.open('mqtt', deviceId);
  const told = new Promise<{ transportObj?: unknown }>((resolve) => client.on('disconnect', resolve));
  await lab.open('mqtt', deviceId);
  throw (await told).transportObj;
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
