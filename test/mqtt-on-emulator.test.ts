import { setTimeout as after } from 'node:timers/promises';
import { type Emulator, startEmulator } from '@faultmap/emulator';
import { attachMqtt, type MqttOptions } from '@faultmap/mqtt';
import mqtt, { type IClientOptions } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/* The MQTT adapter on the device cloud of the emulator: what the hub says in its own way. */

let emulator: Emulator;
beforeAll(async () => {
  const devices = Array.from({ length: 11 }, (_, at) => `pump-${at + 1}`);
  emulator = await startEmulator({
    transports: ['mqtt'],
    devices,
    throttle: false,
    enrollments: ['new-pump'],
    registrationPolls: 1,
  });
});
afterAll(() => emulator.stop());

const quick = { baseDelayMs: 5, maxDelayMs: 20, throttledBaseDelayMs: 5 };

function device(deviceId: string, client: IClientOptions = {}, options: MqttOptions = {}) {
  const one = mqtt.connect(emulator.mqttUrl, {
    clientId: deviceId,
    username: `${emulator.state.hostName}/${deviceId}/?api-version=2021-04-12`,
    ...client,
    password: client.password ?? emulator.deviceToken(deviceId),
  });
  const handle = attachMqtt(one, { retry: quick, reconnect: quick, ...options });
  const told: [name: string, error: { category: string; code?: number | undefined }][] = [];
  for (const name of ['fault', 'retry', 'give-up', 'recovered'] as const)
    handle.on(name, ({ error }) => told.push([name, error]));
  const close = () => {
    handle.detach();
    one.end(true);
  };
  return {
    client: one,
    handle,
    told,
    faults: () => told.filter(([name]) => name === 'fault').map(([, error]) => error),
    close,
  };
}

describe.concurrent('the MQTT adapter on the emulator', () => {
  test('reads and patches a twin', async () => {
    const { handle, told, close } = device('pump-1');
    expect(await handle.request('$iothub/twin/PATCH/properties/reported/', { pressure: 7 })).toMatchObject({
      status: 204,
    });
    const twin = await handle.request('$iothub/twin/GET/');
    expect(twin).toMatchObject({ status: 200, payload: { reported: { pressure: 7 } } });
    expect(told).toEqual([]);
    close();
  });

  test('repeats a twin request that is throttled, and one that fails on the way', async () => {
    const { handle, faults, close } = device('pump-2');
    emulator.inject({ match: { operation: 'twin-get', deviceId: 'pump-2' }, fault: 429001, times: 2 });
    expect(await handle.request('$iothub/twin/GET/')).toMatchObject({ status: 200 });
    emulator.inject({ match: { operation: 'twin-get', deviceId: 'pump-2' }, fault: 'reset-before' });
    expect(await handle.request('$iothub/twin/GET/')).toMatchObject({ status: 200 });
    expect(faults().map(({ category }) => category)).toEqual(['throttled', 'throttled', 'network']);
    close();
  });

  test('is let in again with a fresh token after the old one was refused', async () => {
    const { client, told, close } = device(
      'pump-3',
      { password: emulator.deviceToken('pump-3', undefined, -60) },
      { credentials: () => ({ password: emulator.deviceToken('pump-3') }) },
    );
    await client.publishAsync('devices/pump-3/messages/events/', 'x', { qos: 1 });
    expect(told.map(([name, { category }]) => [name, category])).toEqual([
      ['fault', 'unauthorized'],
      ['retry', 'unauthorized'],
      ['recovered', 'unauthorized'],
    ]);
    close();
  });

  test('takes back a publish that the hub closes at, and goes on', async () => {
    const unhurried = { reconnect: { ...quick, stableAfterMs: 0 } };
    const { client, faults, told, close } = device('pump-10', {}, unhurried);
    const topic = 'devices/pump-1/messages/events/';
    const wrong = client.publishAsync(topic, 'x', { qos: 1 });
    await expect(wrong).rejects.toMatchObject({
      reason: 'PublishClosesConnection',
      executed: 'unknown',
      attempts: 3,
      operation: `publish ${topic}`,
    });
    await client.publishAsync('devices/pump-10/messages/events/', 'still here', { qos: 1 });
    expect(faults()).toHaveLength(3);
    expect(told.map(([name]) => name)).toContain('give-up');
    close();
  });

  test('takes back a subscription that the hub closes at, and keeps those beside it', async () => {
    const unhurried = { reconnect: { ...quick, stableAfterMs: 0 } };
    const { client, handle, close } = device('pump-11', {}, unhurried);
    const wrong = 'devices/pump-11/messages/events/#';
    const good = [
      '$iothub/methods/POST/#',
      '$iothub/twin/PATCH/properties/desired/#',
      'devices/pump-11/messages/devicebound/#',
    ];
    const asked: string[][] = [];
    client.on('packetsend', (packet) => {
      if (packet.cmd === 'subscribe') asked.push(packet.subscriptions.map(({ topic }) => topic));
    });
    const convicted = new Promise((resolve) =>
      handle.on('give-up', (event) => {
        if (event.error.reason === 'SubscribeClosesConnection') resolve(event);
      }),
    );
    const back = new Promise((resolve) => handle.on('recovered', resolve));
    await expect(client.subscribeAsync([...good, wrong], { qos: 1 })).rejects.toMatchObject({ category: 'unknown' });
    expect(await convicted).toMatchObject({
      operation: `subscribe ${wrong}`,
      attempt: 3,
      stopped: 'not-transient',
      error: { category: 'unknown', advice: 'never', executed: 'unknown' },
    });
    await back;
    await client.publishAsync('devices/pump-11/messages/events/', 'still here', { qos: 1 });
    expect(asked.at(-1)?.toSorted()).toEqual(good.toSorted());

    // Three closes to convict it, one more for what was asked for beside it, the first and the last.
    expect(emulator.log.requests({ operation: 'connect', deviceId: 'pump-11' }).length).toBeLessThanOrEqual(6);
    close();
  });

  test.each([
    ['reset-before', 'pump-4', 'fulfilled'],
    ['reset-after', 'pump-5', 'fulfilled'],
    ['lost-ack', 'pump-6', 'unknown'],
  ] as const)('publishes at least once, whatever happens on the way (%s)', async (fault, deviceId, expected) => {
    const { client, close } = device(deviceId, {}, { operationTimeoutMs: 300 });
    emulator.inject({ match: { operation: 'd2c', deviceId }, fault });
    const sent = client.publishAsync(`devices/${deviceId}/messages/events/`, fault, { qos: 1 });
    const outcome = await sent.then(
      () => 'fulfilled',
      (error: { executed: string }) => error.executed,
    );
    expect(outcome).toBe(expected);
    const events = emulator.state.events.from(0).map((event) => String(event.body));
    expect(events).toContain(fault);
    close();
  });

  test('registers with the provisioning service, polling as it is told', async () => {
    const { handle, told, close } = device('new-pump', {
      clientId: 'new-pump',
      username: '0ne000A/registrations/new-pump/api-version=2019-03-31',
      password: emulator.registrationToken('0ne000A', 'new-pump'),
    });
    const { payload } = await handle.request<{ registrationState: object }>('$dps/registrations/PUT/iotdps-register/', {
      registrationId: 'new-pump',
    });
    expect(payload.registrationState).toMatchObject({ deviceId: 'new-pump', assignedHub: emulator.state.hostName });
    expect(told).toEqual([]);
    close();
  });

  test('asks over MQTT 5, by response topic and correlation data, as the preview has it', async () => {
    const { handle, faults, close } = device('pump-9', { protocolVersion: 5 });
    const ask = (topic: string, payload: string, ifVersion?: string) =>
      handle.request(topic, payload, {
        responseTopic: '$iothub/responses',
        idempotent: topic.endsWith('get'),
        ...(ifVersion && { properties: { userProperties: { 'if-version': ifVersion } } }),
      });
    emulator.inject({ match: { operation: 'twin-get', deviceId: 'pump-9' }, fault: 429001 });
    const twin = await ask('$iothub/twin/get', '');
    expect(JSON.parse(String(twin.payload))).toHaveProperty('desired.$version', 1);
    expect(await ask('$iothub/twin/patch/reported', '{"a":1}', '1')).toMatchObject({ properties: { version: '2' } });
    const stale = ask('$iothub/twin/patch/reported', '{"a":1}', '1');
    await expect(stale).rejects.toMatchObject({ category: 'precondition', executed: 'no', stopped: 'not-transient' });
    expect(faults()).toMatchObject([{ category: 'throttled', reason: 'Throttled' }, { category: 'precondition' }]);
    close();
  });

  test('two attached clients with one client id do not duel', async () => {
    const count = async (deviceId: string, attached: boolean) => {
      const made = [0, 0];
      const ends = [0, 1].map((at) => {
        const username = `${emulator.state.hostName}/${deviceId}/?api-version=2021-04-12`;
        const client = mqtt.connect(emulator.mqttUrl, {
          clientId: deviceId,
          username,
          password: emulator.deviceToken(deviceId),
          reconnectPeriod: 50,
        });
        made[at] = 1; // the first CONNECT left with the call
        client.on('packetsend', ({ cmd }) => {
          if (cmd === 'connect') made[at] = (made[at] ?? 0) + 1;
        });
        const handle = attached ? attachMqtt(client, { reconnect: { baseDelayMs: 50 } }) : undefined;
        return () => {
          handle?.detach();
          client.end(true);
        };
      });
      await after(5_000);
      for (const end of ends) end();
      return made;
    };
    const [attached = [9], plain = [0]] = await Promise.all([count('pump-7', true), count('pump-8', false)]);
    console.log(`connections in 5 s on the emulator: attached ${attached.join(' and ')}, plain ${plain.join(' and ')}`);
    expect(Math.max(...attached)).toBeLessThanOrEqual(3);
    expect(plain.reduce((a, b) => a + b)).toBeGreaterThan(attached.reduce((a, b) => a + b));
  });
});
