import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { IConnackPacket } from 'mqtt-packet';
import { afterEach } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/index.ts';

const connacks = new WeakMap<MqttClient, IConnackPacket>();

/** The CONNACK a client came in with. */
export const connackOf = (client: MqttClient) => connacks.get(client);

/** Counterparts of one test: an emulator and clients of it, all ended after it. */
export interface Bench {
  readonly emulator: Emulator;
  /** REST as the service (`iothubowner`), nothing thrown. */
  service(method: string, path: string, data?: unknown, config?: AxiosRequestConfig): Promise<AxiosResponse>;
  /** REST as a device, nothing thrown. */
  device(method: string, path: string, data?: unknown, config?: AxiosRequestConfig): Promise<AxiosResponse>;
  /** An mqtt.js client as the device SDK of the cloud connects; it does not reconnect. */
  mqtt(options?: IClientOptions & { url?: string | undefined }): Promise<MqttClient>;
}

export function useBench(): (options?: EmulatorOptions) => Promise<Bench> {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  return async (options = {}) => {
    const emulator = await startEmulator({ transports: ['http', 'mqtt'], ...options });
    ends.push(() => emulator.stop());
    const call =
      (token: () => string) =>
      (method: string, path: string, data?: unknown, config: AxiosRequestConfig = {}) =>
        axios.request({
          method,
          url: `${emulator.httpUrl}${path}`,
          validateStatus: () => true,
          timeout: 30_000,
          ...(data === undefined ? {} : { data }),
          ...config,
          headers: { authorization: token(), ...config.headers },
        });
    return {
      emulator,
      service: call(() => emulator.serviceToken()),
      device: call(() => emulator.deviceToken('device1')),
      mqtt: ({ url, ...given } = {}) => {
        const client = openMqtt(emulator, given, url);
        ends.push(() => client.endAsync(true));
        return new Promise((resolve, reject) => {
          client.once('connect', (connack) => {
            connacks.set(client, connack);
            resolve(client);
          });
          client.once('error', reject);
          client.once('close', () => reject(new Error('closed')));
        });
      },
    };
  };
}

function openMqtt(emulator: Emulator, given: IClientOptions, url = emulator.mqttUrl): MqttClient {
  const id = given.clientId ?? 'device1';
  const client = connect(url, {
    clientId: id,
    username: `${emulator.state.hostName}/${id}/?api-version=2021-04-12`,
    password: given.password ?? emulator.deviceToken(id),
    clean: false,
    reconnectPeriod: 0,
    ...given,
  });
  client.on('error', () => {});
  return client;
}

/** Resolves when the client is closed, by whatever. */
export function closing(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('close', () => resolve()));
}

/** The next packet of a kind the client receives. */
export function packet<T>(client: MqttClient, cmd: string): Promise<T> {
  return new Promise((resolve) => {
    const onPacket = (one: { cmd: string }) => {
      if (one.cmd !== cmd) return;
      client.off('packetreceive', onPacket);
      resolve(one as T);
    };
    client.on('packetreceive', onPacket);
  });
}

/** The next message on a topic that begins so. */
export function message(client: MqttClient, prefix: string): Promise<{ topic: string; payload: string }> {
  return new Promise((resolve) => {
    const onMessage = (topic: string, payload: Buffer) => {
      if (!topic.startsWith(prefix)) return;
      client.off('message', onMessage);
      resolve({ topic, payload: payload.toString() });
    };
    client.on('message', onMessage);
  });
}
