import { attachMqtt } from '@faultmap/mqtt';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rabbitmq, rabbitmqPath, startRabbitmq } from '../../../test/support/rabbitmq.ts';
import { duel, median } from './support/duel.ts';
import { type Mosquitto, mosquittoPath, startMosquitto } from './support/mosquitto.ts';
import { connected, outcome, rejection, setStage, until } from './support/stage.ts';

if (!mosquittoPath) console.warn('mosquitto is not installed: its tests are skipped');
if (!rabbitmqPath) console.warn('rabbitmq-server is not installed: its tests are skipped');

// It starts slowly: meanwhile the tests on mosquitto run.
let starting: Promise<Rabbitmq> | undefined;
beforeAll(() => {
  starting = rabbitmqPath ? startRabbitmq() : undefined;
  starting?.catch(() => {}); // told by who waits for it
});
afterAll(async () => (await starting)?.stop(), 90_000);

describe.skipIf(!mosquittoPath)('mosquitto', () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await startMosquitto({
      users: { device: 'right' },
      acl: ['user device', 'topic readwrite open/#', 'topic read $SYS/#'],
    });
  });
  afterAll(() => broker.stop());
  const device = { username: 'device', password: 'right' };

  test.concurrent.each([
    [4, 5],
    [5, 0x87],
  ] as const)('refuses wrong credentials (level %d, code %d)', async (level, code) => {
    const stage = await setStage({ url: broker.url, level, client: { ...device, password: 'wrong' } });
    expect((await stage.heard('fault')).error).toMatchObject({
      category: 'unauthorized',
      reasonCode: code,
      reason: 'Not authorized',
      executed: 'no',
    });
    expect(stage.of('fault')).toHaveLength(1);
    await stage.close();
  });

  test.concurrent('is reached with the fresh credentials after it refused the stale', async () => {
    const stage = await setStage({
      url: broker.url,
      client: { ...device, password: 'stale' },
      attach: { reconnect: { baseDelayMs: 10 }, credentials: () => ({ password: 'right' }) },
    });
    const pending = stage.client.publishAsync('open/a', 'x', { qos: 1 });
    expect(await outcome(pending)).toHaveProperty('value');
    expect(stage.of('recovered')).toHaveLength(1);
    await stage.close();
  });

  test.concurrent('refuses a publish by its access list over MQTT 5', async () => {
    const stage = await setStage({ url: broker.url, level: 5, client: device });
    const refused = stage.client.publishAsync('closed/a', 'x', { qos: 1 });
    const expected = { category: 'unauthorized', reasonCode: 0x87, scope: 'publish', executed: 'no' };
    expect(await rejection(refused)).toMatchObject(expected);
    await stage.close();
  });

  test.concurrent('acknowledges and drops it over 3.1.1, which has no word for it', async () => {
    const stage = await setStage({ url: broker.url, client: device });
    expect(await outcome(stage.client.publishAsync('closed/a', 'x', { qos: 1 }))).toHaveProperty('value');
    expect(stage.told).toEqual([]);
    await stage.close();
  });
});

describe.skipIf(!mosquittoPath).concurrent('mosquitto, taken over, held and restarted', () => {
  test('two attached clients with one client id do not duel', async () => {
    const broker = await startMosquitto();
    const runs = [4, 5].flatMap((level) => [true, false].map((attached) => ({ level, attached })));
    const counts = await Promise.all(
      runs.map(({ level, attached }) => {
        const client = { clientId: `twins-${level}-${attached}`, protocolVersion: level as 4 | 5 };
        return duel({ url: broker.url, durationMs: 5_000, baseDelayMs: 50, attached, client });
      }),
    );
    await broker.stop();
    for (const [at, { level, attached }] of runs.entries())
      console.log(
        `connections in 5 s, level ${level}, ${attached ? 'attached' : 'plain'}: ${counts[at]?.join(' and ')}`,
      );
    for (const at of [0, 2]) {
      const [attached = [9, 9], plain = [0, 0]] = counts.slice(at, at + 2);
      expect(Math.max(...attached)).toBeLessThanOrEqual(3);
      expect(plain[0] + plain[1]).toBeGreaterThan(attached[0] + attached[1]);
    }
  });

  test('a broker that hangs is noticed by its silence', async () => {
    const broker = await startMosquitto();
    const stage = await setStage({ url: broker.url, client: { keepalive: 1 } });
    await connected(stage);
    broker.freeze();
    expect((await stage.heard('fault')).error).toMatchObject({ category: 'timeout', reason: 'KeepAliveTimeout' });
    await stage.close();
    await broker.stop();
  });

  test('restarted once it is reached again, with what was published meanwhile', async () => {
    const times: number[] = [];
    const broker = await startMosquitto();
    for (let round = 0; round < 5; round++) {
      const clients = Array.from({ length: 4 }, () => mqtt.connect(broker.url, { reconnectPeriod: 50 }));
      const handles = clients.map((client) => attachMqtt(client, { reconnect: { baseDelayMs: 50 } }));
      await Promise.all(clients.map((client) => connected({ client })));
      const backAt = new Map<number, number>();
      const lost = new Set<number>();
      for (const [at, handle] of handles.entries()) {
        handle.on('fault', () => lost.add(at));
        handle.on('recovered', () => backAt.set(at, performance.now()));
      }
      const restarted = broker.restart();
      await until(() => lost.size === clients.length, 'the loss is noticed');
      const published = clients.map((client) => client.publishAsync('a', 'x', { qos: 1 }));
      await restarted;
      const upAt = performance.now();
      await Promise.all(published);
      for (const at of clients.keys()) times.push(Math.max(0, (backAt.get(at) ?? Number.NaN) - upAt));
      for (const handle of handles) handle.detach();
      for (const client of clients) client.end(true);
    }
    await broker.stop();
    console.log(
      `a restarted broker is reached again, of ${times.length}: median ${Math.round(median(times))} ms, longest ${Math.round(Math.max(...times))} ms`,
    );
    expect(times).toHaveLength(20);
    // Generous: it is the policy that is looked at, not the machine.
    expect(median(times)).toBeLessThan(3_000);
  });
});

/** Speaks MQTT 3.1.1 only, and says what is wrong by closing. */
describe.skipIf(!rabbitmqPath)('RabbitMQ', () => {
  let url: string;
  beforeAll(async () => {
    const { mqttPort } = (await starting) as Rabbitmq;
    url = `mqtt://127.0.0.1:${mqttPort}`;
  }, 90_000);
  const guest = { username: 'guest', password: 'guest' };

  test.concurrent('refuses wrong credentials', async () => {
    const stage = await setStage({ url, client: { ...guest, password: 'wrong' } });
    expect((await stage.heard('fault')).error).toMatchObject({
      category: 'unauthorized',
      executed: 'no',
      scope: 'connection',
    });
    expect(stage.of('fault')).toHaveLength(1);
    await stage.close();
  });

  test.concurrent('publishes, subscribes and loses nothing', async () => {
    const stage = await setStage({ url, client: guest });
    await connected(stage);
    const messages: string[] = [];
    stage.client.on('message', (_, payload) => messages.push(String(payload)));
    expect(await outcome(stage.client.subscribeAsync('a/b', { qos: 1 }))).toHaveProperty('value');
    expect(await outcome(stage.client.publishAsync('a/b', 'x', { qos: 1 }))).toHaveProperty('value');
    expect(await outcome(stage.client.unsubscribeAsync('a/b'))).toHaveProperty('value');
    expect(stage.told).toEqual([]);
    await stage.close();
  });

  test.concurrent('does not speak MQTT 5: one refusal', async () => {
    const stage = await setStage({ url, level: 5, client: guest });
    const { error } = await stage.heard('fault');
    expect(['protocol', 'unknown']).toContain(error.category);
    expect(stage.of('fault')).toHaveLength(1);
    await stage.close();
  });

  test.concurrent('taken over: two attached clients with one client id do not duel', async () => {
    const base = { url, durationMs: 2_000, baseDelayMs: 50 };
    const [attached, plain] = await Promise.all([
      duel({ ...base, attached: true, client: { ...guest, clientId: 'twins' } }),
      duel({ ...base, attached: false, client: { ...guest, clientId: 'plain-twins' } }),
    ]);
    console.log(`RabbitMQ, connections in 2 s: attached ${attached.join(' and ')}, plain ${plain.join(' and ')}`);
    expect(Math.max(...attached)).toBeLessThanOrEqual(3);
    expect(plain[0] + plain[1]).toBeGreaterThan(attached[0] + attached[1]);
  });
});
