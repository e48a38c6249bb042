import { type AnyDeviceCloudError, isDeviceCloudError } from '@faultmap/core';
import { type Emulator, startEmulator } from '@faultmap/emulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AttachedAmqp, type AttachedMqtt, amqpDevice, mqttDevice } from '../examples/src/demo/clients.ts';
import { type Attached, connectHttp } from '../examples/src/demo/stage.ts';

/** The same fault on three transports, by real clients: what it is must not depend on how it came. */

let cloud: Emulator;
let http: Attached;
let mqtt: AttachedMqtt;
let amqp: AttachedAmqp;

beforeAll(async () => {
  cloud = await startEmulator({ devices: ['pump-7', 'fan-1'] });
  http = connectHttp(cloud, cloud.deviceToken('pump-7'));
  mqtt = await mqttDevice(cloud, 'pump-7');
  amqp = await amqpDevice(cloud, 'fan-1');
});
afterAll(async () => {
  mqtt.close();
  amqp.close();
  http.faults.detach();
  await cloud.stop();
});

const NO_RETRY = { retry: false } as const;

/** One failing operation per transport; each is given the scripted fault once. */
const OPERATIONS: Record<'http' | 'mqtt' | 'amqp', () => Promise<unknown>> = {
  http: () => http.client.post('/devices/pump-7/messages/events', 'on', { faultmap: NO_RETRY }),
  mqtt: () => mqtt.handle.request('$iothub/twin/GET/', '', NO_RETRY),
  amqp: () => amqp.handle.send(amqp.connection.open_sender('/devices/fan-1/messages/events'), { body: 'on' }, NO_RETRY),
};
const SCRIPTED = { http: 'd2c', mqtt: 'twin-get', amqp: 'd2c' } as const;

async function provoke(transport: keyof typeof OPERATIONS, code: number): Promise<AnyDeviceCloudError> {
  cloud.inject({ transport, match: { operation: SCRIPTED[transport] }, fault: code });
  const thrown = await OPERATIONS[transport]().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isDeviceCloudError(thrown)) throw new Error(`${transport} ${code}: not a typed error: ${String(thrown)}`);
  return thrown;
}

describe('one fault, three transports, one typed error', () => {
  test.each([
    [400004, 'bad-request', 'never', 'no'],
    [403002, 'quota', 'at-reset', 'no'],
    [429001, 'throttled', 'throttled', 'no'],
    [500001, 'server', 'backoff', 'unknown'],
  ] as const)('%i is %s, %s, executed: %s', async (code, category, advice, executed) => {
    for (const transport of ['http', 'mqtt', 'amqp'] as const) {
      const error = await provoke(transport, code);
      expect.soft({ transport, category: error.category, advice: error.advice, executed: error.executed }).toEqual({
        transport,
        category,
        advice,
        executed,
      });
      expect.soft(error.transport).toBe(transport);
      // Over AMQP some conditions stand for several codes: none is invented then.
      if (error.code === undefined) expect.soft(error.candidates, transport).toContain(code);
      else expect.soft(error.code, transport).toBe(code);
    }
  });
});
