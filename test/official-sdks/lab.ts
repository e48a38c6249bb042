import { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import tls from 'node:tls';
import { type Emulator, type EmulatorOptions, startEmulator } from '@faultmap/emulator';
import common from 'azure-iot-common';
import device, { type Client, type ModuleClient } from 'azure-iot-device';
import deviceAmqp from 'azure-iot-device-amqp';
import deviceHttp from 'azure-iot-device-http';
import deviceMqtt from 'azure-iot-device-mqtt';
import iothub from 'azure-iothub';
import { generate } from 'selfsigned';
import { expect } from 'vitest';

/** Names as for Azure: connections to them go to the emulator. */
export const HUB = 'lab-hub.azure-devices.net';
export const DPS = 'global.azure-devices-provisioning.net';

const transports = {
  mqtt: deviceMqtt.Mqtt,
  'mqtt-ws': deviceMqtt.MqttWs,
  amqp: deviceAmqp.Amqp,
  'amqp-ws': deviceAmqp.AmqpWs,
  http: deviceHttp.Http,
} as const;

export type TransportName = keyof typeof transports;

/** An emulator over TLS, and the official clients of this process pointed at it. */
export interface Lab {
  readonly emulator: Emulator;
  /** A device client, open; every test has a device of its own. */
  open(transport: TransportName, deviceId: string): Promise<Client>;
  /** A device client that was given a token instead of the key. */
  withToken(transport: TransportName, deviceId: string): Promise<Client>;
  /** A module client, open. */
  openModule(transport: TransportName, deviceId: string, moduleId: string): Promise<ModuleClient>;
  readonly registry: InstanceType<typeof iothub.Registry>;
  /** A device client with a certificate instead of a key; its device is made. */
  withCertificate(transport: TransportName, deviceId: string): Promise<Client>;
  /** A service client over AMQP. */
  service(webSocket?: boolean): InstanceType<typeof iothub.Client>;
  stop(): Promise<void>;
}

export async function startLab(options: EmulatorOptions): Promise<Lab> {
  const emulator = await startEmulator({ hostName: HUB, tls: { hosts: [HUB, DPS] }, throttle: false, ...options });
  pointHere(emulator);
  const closers: (() => Promise<unknown>)[] = [];
  const prepare = <T extends Client | ModuleClient>(made: T): T => {
    made.setRetryPolicy(new common.NoRetry());
    // Nobody listening to `error` ends the process.
    made.on('error', () => {});
    closers.push(() => made.close());
    return made;
  };
  return {
    emulator,
    async open(transport, deviceId) {
      const connectionString = emulator.connectionString(deviceId);
      const made = prepare(device.Client.fromConnectionString(connectionString, transports[transport]));
      await made.open();
      return made;
    },
    async withToken(transport, deviceId) {
      const token = emulator.deviceToken(deviceId);
      const made = prepare(device.Client.fromSharedAccessSignature(token, transports[transport]));
      await made.open();
      return made;
    },
    async openModule(transport, deviceId, moduleId) {
      const connectionString = emulator.connectionString(deviceId, moduleId);
      const made = prepare(device.ModuleClient.fromConnectionString(connectionString, transports[transport]));
      await made.open();
      return made;
    },
    async withCertificate(transport, deviceId) {
      const { cert, private: key } = await generate([{ name: 'commonName', value: deviceId }], { keyType: 'ec' });
      const { fingerprint256: primaryThumbprint } = new X509Certificate(cert);
      emulator.state.identities.create({ deviceId }, { authenticationType: 'selfSigned', primaryThumbprint });
      const connectionString = `HostName=${HUB};DeviceId=${deviceId};x509=true`;
      const made = prepare(device.Client.fromConnectionString(connectionString, transports[transport]));
      // A device HTTP client never settles without a policy of how to receive.
      const http = transport === 'http' && { http: { receivePolicy: { interval: 3_600 } } };
      await made.setOptions({ cert, key, ...http } as never);
      await made.open();
      return made;
    },
    registry: iothub.Registry.fromConnectionString(emulator.serviceConnectionString),
    service(webSocket = false) {
      const made = iothub.Client.fromConnectionString(
        emulator.serviceConnectionString,
        webSocket ? iothub.AmqpWs : iothub.Amqp,
      );
      made.setRetryPolicy(new common.NoRetry());
      closers.push(() => made.close());
      return made;
    },
    async stop() {
      // A client that a fault left in pieces may never say that it is closed.
      await Promise.race([Promise.allSettled(closers.map((close) => close())), after(500)]);
      await emulator.stop();
    },
  };
}

/**
 * Way W3 of the README inside one process: the same port map as the preload, and the emulator's
 * authority trusted beside those that a client names itself.
 */
function pointHere(emulator: Emulator): void {
  const { https, mqtts, amqps } = emulator.urls;
  const port = (url: string | undefined) => Number(new URL(url ?? '').port);
  process.env.FAULTMAP_PORTS = JSON.stringify({ 443: port(https), 8883: port(mqtts), 5671: port(amqps) });
  process.env.FAULTMAP_HOSTS = `${HUB},${DPS}`;
  createRequire(import.meta.url)('./portmap.cjs');
  const create = tls.createSecureContext;
  tls.createSecureContext = (options) => create({ ca: emulator.ca, ...definedOf(options) });
}

function definedOf(options: tls.SecureContextOptions | undefined): tls.SecureContextOptions {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}

export function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Ask until it is so: longer than vitest's second, since tests share a machine. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { timeout: 10_000 });
}
