import { type AmqpHandle, attachAmqp } from '@faultmap/amqp';
import type { Emulator } from '@faultmap/emulator';
import { attachMqtt, type MqttHandle } from '@faultmap/mqtt';
import mqtt, { type MqttClient } from 'mqtt';
import rhea, { type Connection, type ConnectionOptions } from 'rhea';

export interface AttachedAmqp {
  readonly connection: Connection;
  readonly handle: AmqpHandle;
  close(): void;
}

/** A rhea connection, attached to, with its token put by CBS. */
export async function connectAmqp(cloud: Emulator, audience: string, token: string): Promise<AttachedAmqp> {
  const { hostname, port } = new URL(cloud.amqpUrl);
  const options = { host: hostname, port: Number(port) } as ConnectionOptions;
  const connection = rhea.create_container().connect(options);
  connection.on('disconnected', () => {}); // else rhea writes a line to the console
  // Alone, rhea ends the process at an error nobody listens to.
  const handle = attachAmqp(connection, { keepAlive: true });
  await handle.request('$cbs', {
    application_properties: { operation: 'put-token', type: 'servicebus.windows.net:sastoken', name: audience },
    body: token,
  });
  return {
    connection,
    handle,
    close() {
      connection.set_reconnect(false);
      handle.detach();
      connection.close();
    },
  };
}

export const amqpDevice = (cloud: Emulator, deviceId: string): Promise<AttachedAmqp> =>
  connectAmqp(cloud, `${cloud.state.hostName}/devices/${deviceId}`, cloud.deviceToken(deviceId));

export const amqpService = (cloud: Emulator): Promise<AttachedAmqp> =>
  connectAmqp(cloud, cloud.state.hostName, cloud.serviceToken());

export interface AttachedMqtt {
  readonly client: MqttClient;
  readonly handle: MqttHandle;
  close(): void;
}

/** An mqtt.js client of a device, attached to before it connects. */
export async function mqttDevice(cloud: Emulator, deviceId: string): Promise<AttachedMqtt> {
  const client = mqtt.connect(cloud.mqttUrl, {
    clientId: deviceId,
    username: `${cloud.state.hostName}/${deviceId}/?api-version=2021-04-12`,
    password: cloud.deviceToken(deviceId),
  });
  const handle = attachMqtt(client);
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  return {
    client,
    handle,
    close() {
      handle.detach();
      client.end(true);
    },
  };
}
