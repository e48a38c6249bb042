import { type AmqpHandle, type AmqpOptions, attachAmqp } from '@faultmap/amqp';
import type { AnyDeviceCloudError, FaultEvent } from '@faultmap/core';
import { type Emulator, type FaultSpec, startEmulator } from '@faultmap/emulator';
import rhea, { type Connection, type Delivery, type EventContext, type Message } from 'rhea';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jumpClock } from './support/jump-clock.ts';

/* The AMQP adapter on the device cloud of the emulator: what the hub says in its own way. */

const QUICK = { baseDelayMs: 5, maxDelayMs: 20, throttledBaseDelayMs: 5 };
const D2C = '/devices/pump-1/messages/events';
const C2D = '/devices/pump-1/messages/devicebound';
const TWIN = '/devices/pump-1/twin';

let emulator: Emulator;
/** Of the cloud: a token runs out, or a lock, when a test says so and not when the machine is slow. */
let clock: ReturnType<typeof jumpClock>;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  clock = jumpClock();
  emulator = await startEmulator({ transports: ['amqp'], devices: ['pump-1'], throttle: false, clock });
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await emulator.stop();
});

function connect(options: AmqpOptions = {}) {
  const { hostname, port } = new URL(emulator.amqpUrl);
  const container = rhea.create_container();
  container.on('disconnected', () => {});
  const connection = container.connect({ host: hostname, port: Number(port) } as never);
  const handle = attachAmqp(connection, { retry: QUICK, reconnect: QUICK, keepAlive: true, ...options });
  const faults: AnyDeviceCloudError[] = [];
  const recovered: FaultEvent[] = [];
  handle.on('fault', ({ error }) => faults.push(error));
  handle.on('recovered', (event) => recovered.push(event));
  closing.push(() => {
    handle.detach();
    connection.options.reconnect = false;
    connection.socket?.destroy();
  });
  return { container, connection, handle, faults, recovered };
}

const cbs = (validS?: number) => ({
  name: `${emulator.state.hostName}/devices/pump-1`,
  token: emulator.deviceToken('pump-1', undefined, validS),
});
const putToken = (handle: AmqpHandle, { name, token } = cbs()) =>
  handle.request('$cbs', {
    application_properties: { operation: 'put-token', type: 'servicebus.windows.net:sastoken', name },
    body: token,
  });
const twin = (operation: 'GET' | 'PATCH', body = ' ', resource?: string): Partial<Message> => ({
  message_annotations: { operation, ...(resource && { resource }) },
  correlation_id: rhea.generate_uuid(),
  body: rhea.message.data_section(Buffer.from(body)),
});
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason as AnyDeviceCloudError,
  );
async function until(holds: () => unknown): Promise<void> {
  for (let n = 0; n < 1_000 && !holds(); n++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(holds()).toBeTruthy();
}
const onD2c = (fault: FaultSpec['fault'], more: Partial<FaultSpec> = {}) =>
  emulator.inject({ transport: 'amqp', match: { operation: 'd2c' }, fault, ...more });

describe('telemetry', () => {
  test('arrives, also through throttling and a released message', async () => {
    const { connection, handle, faults } = connect();
    await putToken(handle);
    const sender = connection.open_sender(D2C);
    await handle.send(sender, { message_id: 'm1', body: 'x' });
    onD2c(429001, { times: 2 });
    await handle.send(sender, { message_id: 'm2', body: 'x' });
    onD2c({ outcome: 'released' });
    await handle.send(sender, { message_id: 'm3', body: 'x' });
    expect(faults.map(({ category }) => category)).toEqual(['throttled', 'throttled', 'server']);
    for (const id of ['m1', 'm2', 'm3']) expect(emulator.log.executions('d2c', id)).toBe(1);
  });

  test.each([
    [400004, 'bad-request'],
    [403002, 'quota'],
    [404001, 'not-found'],
    [412001, 'precondition'],
    [429003, 'throttled'],
    [500001, 'server'],
    [504101, 'timeout'],
  ] as const)('%i is a %s, and not sent twice', async (code, category) => {
    const { connection, handle, faults } = connect({ retry: { ...QUICK, maxAttempts: 1 } });
    await putToken(handle);
    onD2c(code);
    const error = await caught(handle.send(connection.open_sender(D2C), { message_id: 'm', body: 'x' }));
    expect(error).toMatchObject({ category, scope: 'delivery', attempts: 1 });
    expect(faults).toHaveLength(1);
    expect(emulator.log.executions('d2c', 'm')).toBe(0);
  });

  test('that ran although the answer was lost is not sent again, unless it may be', async () => {
    const { connection, handle } = connect({ credentials: () => ({ cbs: cbs() }) });
    await putToken(handle);
    const sender = connection.open_sender(D2C);
    onD2c({ unclean: 'reset-after' });
    const error = await caught(handle.send(sender, { message_id: 'once', body: 'x' }, { attemptTimeoutMs: 2_000 }));
    if (error) expect(error).toMatchObject({ executed: 'unknown', stopped: 'not-idempotent' });
    expect(emulator.log.executions('d2c', 'once')).toBe(1);
    onD2c({ unclean: 'reset-before' });
    await handle.send(sender, { message_id: 'again', body: 'x' }, { idempotent: true });
    expect(emulator.log.executions('d2c', 'again')).toBe(1);
  });
});

describe('tokens', () => {
  test('a wrong one, an expired one and an unknown device are told apart from faults of the server', async () => {
    const { handle, faults } = connect();
    const wrong = cbs().token.replace(/sig=[^&]+/, 'sig=AAAA');
    expect(await caught(putToken(handle, { ...cbs(), token: wrong }))).toMatchObject({
      category: 'unauthorized',
      scope: 'cbs',
    });
    expect(await caught(putToken(handle, cbs(-10)))).toMatchObject({ category: 'unauthorized' });
    emulator.inject({ transport: 'amqp', match: { operation: 'cbs' }, fault: { answerStatus: 500 } });
    await putToken(handle);
    expect(faults.map(({ category }) => category)).toEqual(['unauthorized', 'unauthorized', 'server']);
  });

  test('that ran out: credentials give a fresh one, and the links are attached again, unasked', async () => {
    const asked: string[] = [];
    const { connection, handle, faults, recovered } = connect({
      credentials: ({ error }) => {
        asked.push(error.category);
        return { cbs: cbs() };
      },
    });
    await putToken(handle, cbs(60));
    const sender = connection.open_sender(D2C);
    const receiver = connection.open_receiver(C2D);
    await handle.send(sender, { body: 'x' });
    await until(() => receiver.is_open());
    clock.jump(61_000);
    await until(() => recovered.length === 2);
    expect([sender.is_open(), receiver.is_open()]).toEqual([true, true]);
    await handle.send(sender, { message_id: 'later', body: 'x' });
    expect(asked).toEqual(['unauthorized']);
    expect(faults.map(({ category, scope }) => [category, scope])).toEqual([
      ['unauthorized', 'link'],
      ['unauthorized', 'link'],
    ]);
    expect(emulator.log.executions('d2c', 'later')).toBe(1);
  });

  test('lost again and again before the token is put: the links are attached in the end, once', async () => {
    const reconnect = { ...QUICK, stableAfterMs: 0 };
    const { connection, handle, faults, recovered } = connect({ reconnect, credentials: () => ({ cbs: cbs() }) });
    await putToken(handle);
    const sender = connection.open_sender(D2C);
    const receiver = connection.open_receiver(C2D);
    await handle.send(sender, { body: 'x' });
    emulator.inject({ transport: 'amqp', match: { operation: 'cbs' }, fault: { unclean: 'reset-before' }, times: 2 });
    emulator.inject({ transport: 'amqp', match: { operation: 'd2c' }, fault: { unclean: 'reset-before' } });
    await handle.send(sender, { message_id: 'm', body: 'x' }, { idempotent: true });
    await until(() => receiver.is_open());
    expect(emulator.log.executions('d2c', 'm')).toBe(1);
    expect(new Set(faults.map(({ scope }) => scope))).toEqual(new Set(['connection']));
    expect(recovered.length).toBeGreaterThan(0);
    emulator.state.queues.send('pump-1', { body: Buffer.from('hello') });
    await until(() => emulator.state.queues.depth('pump-1') === 0);
  });

  test('a send refused for want of a token: credentials give one, and it is sent once', async () => {
    const { connection, handle, faults } = connect({ credentials: () => ({ cbs: cbs() }) });
    const sender = connection.open_sender(D2C);
    await handle.send(sender, { message_id: 'm', body: 'x' });
    expect(faults.map(({ category, scope }) => [category, scope])).toEqual([['unauthorized', 'link']]);
    expect(emulator.log.executions('d2c', 'm')).toBe(1);
  });

  test('from credentials alone, that expires: a send goes on with a fresh one', async () => {
    let given = 0;
    const credentials = () => ({ cbs: cbs(given++ === 0 ? 60 : 600) });
    const { connection, handle, faults } = connect({ credentials });
    const sender = connection.open_sender(D2C);
    await handle.send(sender, { message_id: 'before', body: 'x' });
    clock.jump(61_000);
    await until(() => faults.length === 2);
    await handle.send(sender, { message_id: 'after', body: 'x' });
    expect(faults.map(({ scope, category }) => [scope, category])).toEqual([
      ['link', 'unauthorized'],
      ['link', 'unauthorized'],
    ]);
    expect(given).toBe(2);
    for (const { fix } of faults) expect(fix).toContain('credentials: () => ({ cbs: { name, token } })');
    const refused = await caught(putToken(handle, { ...cbs(), token: 'SharedAccessSignature sr=x&sig=y&se=1' }));
    expect(refused).toMatchObject({ scope: 'cbs', fix: expect.stringContaining('`credentials`') });
  });

  test('put by the application after the refusal: the next send attaches the link again', async () => {
    const { connection, handle } = connect();
    const sender = connection.open_sender(D2C);
    expect(await caught(handle.send(sender, { body: 'x' }))).toMatchObject({
      category: 'unauthorized',
      executed: 'no',
    });
    expect(await caught(handle.send(sender, { body: 'x' }))).toMatchObject({ category: 'unauthorized', attempts: 0 });
    await putToken(handle);
    await handle.send(sender, { body: 'x' });
  });
});

describe('twins', () => {
  test('are read and patched; a throttled read is repeated, a failed patch is not', async () => {
    const { handle, faults } = connect();
    await putToken(handle);
    await handle.request(TWIN, twin('PATCH', '{"pressure":7}', '/properties/reported'));
    emulator.inject({ transport: 'amqp', match: { operation: 'twin-get' }, fault: 429001 });
    const answer = await handle.request(TWIN, twin('GET'));
    expect(JSON.parse(answer.body.content.toString())).toMatchObject({ reported: { pressure: 7 } });
    emulator.inject({ transport: 'amqp', match: { operation: 'twin-patch' }, fault: 500001 });
    const error = await caught(handle.request(TWIN, twin('PATCH', '{"pressure":8}', '/properties/reported')));
    expect(error).toMatchObject({ category: 'server', stopped: 'not-idempotent' });
    expect(faults.map(({ category }) => category)).toEqual(['throttled', 'server']);
  });
});

describe('one device, two clients', () => {
  test('the newer connection takes over: the older one does not take it back', async () => {
    const first = connect();
    await putToken(first.handle);
    first.connection.open_sender(D2C);
    const second = connect();
    await putToken(second.handle);
    const sender = second.connection.open_sender(D2C);
    await second.handle.send(sender, { body: 'x' });
    await until(() => first.faults.length === 1);
    expect(first.faults[0]).toMatchObject({ category: 'conflict', code: 400027 });
    await second.handle.send(sender, { body: 'y' });
    expect(second.faults).toEqual([]);
  });

  test('a second link to the same address: the first is never attached again', async () => {
    const { connection, handle, faults } = connect();
    await putToken(handle);
    const first = connection.open_sender(D2C);
    await handle.send(first, { body: 'x' });
    const second = connection.open_sender(D2C);
    await handle.send(second, { body: 'y' });
    expect(await caught(handle.send(first, { body: 'z' }, { idempotent: true }))).toMatchObject({
      category: 'conflict',
    });
    await handle.send(second, { body: 'z' });
    expect(faults).toHaveLength(1);
  });
});

describe('cloud-to-device messages', () => {
  async function receive(connection: Connection, options: object): Promise<Delivery> {
    const receiver = connection.open_receiver({ source: C2D, autoaccept: false, ...options } as never);
    const got = new Promise<Delivery>((resolve) =>
      receiver.on('message', ({ delivery }: EventContext) => resolve(delivery as Delivery)),
    );
    emulator.state.queues.send('pump-1', { body: Buffer.from('hello') });
    return got;
  }

  test('are completed; after the lock ran out it is 412002', async () => {
    const { connection, handle, faults } = connect();
    await putToken(handle);
    const delivery = await receive(connection, { rcv_settle_mode: 1 });
    clock.jump(61_000);
    const error = await caught(handle.settle(delivery, 'accepted'));
    expect(error).toMatchObject({ code: 412002, category: 'precondition', scope: 'settlement' });
    expect(faults).toHaveLength(1);
  });

  test('settled within the lock are gone from the queue', async () => {
    const { connection, handle, faults } = connect();
    await putToken(handle);
    await handle.settle(await receive(connection, { rcv_settle_mode: 1 }), 'accepted');
    await until(() => emulator.state.queues.depth('pump-1') === 0);
    expect(faults).toEqual([]);
  });

  test('of an earlier connection: 412002 instead of silence, and it comes again', async () => {
    const { connection, handle, faults, recovered } = connect({ credentials: () => ({ cbs: cbs() }) });
    await putToken(handle);
    const delivery = await receive(connection, {});
    connection.socket?.destroy();
    connection.socket?.emit('end');
    await until(() => recovered.length === 1);
    delivery.accept();
    expect(faults.at(-1)).toMatchObject({ code: 412002, scope: 'settlement' });
    expect(emulator.state.queues.depth('pump-1')).toBe(1);
  });
});

describe('everything at once', () => {
  test('2,000 sends through a cloud that fails at random: none is reported sent that did not arrive, none runs twice', async () => {
    const seed = Date.now() % 1_000_000;
    let state = seed;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const sometimes = (operation: string, share: number, fault: FaultSpec['fault']) =>
      emulator.inject({
        transport: 'amqp',
        match: (request) => request.operation === operation && random() < share,
        fault,
        times: 1_000_000,
      });
    for (const unclean of ['reset-before', 'reset-after', 'reset-during', 'lost-ack', 'close'] as const)
      sometimes('d2c', 0.003, { unclean });
    sometimes('d2c', 0.02, 429001);
    sometimes('d2c', 0.02, { outcome: 'released' });
    sometimes('d2c', 0.004, { condition: 'amqp:link:detach-forced', at: 'link' });
    sometimes('cbs', 0.1, { answerStatus: 500 });
    const { connection, handle, faults } = connect({
      attemptTimeoutMs: 300,
      reconnect: { ...QUICK, stableAfterMs: 0 },
      retry: { ...QUICK, throttledMaxDelayMs: 10, maxAttempts: 10, pacer: false },
      credentials: () => ({ cbs: cbs() }),
    });
    await putToken(handle);
    const sender = connection.open_sender(D2C);
    const wrong: string[] = [];
    let begun = 0;
    let sent = 0;
    const work = async () => {
      while (begun < 2_000) {
        const id = `m${begun++}`;
        const idempotent = begun % 2 === 0;
        const error = await caught(handle.send(sender, { message_id: id, body: 'x' }, { idempotent }));
        const ran = emulator.log.executions('d2c', id);
        if (!error) sent++;
        if (!error && ran === 0) wrong.push(`${id} is reported sent`);
        if (error?.executed === 'no' && ran > 0) wrong.push(`${id} is reported not to have run`);
        if (!idempotent && ran > 1) wrong.push(`${id} ran ${ran} times`);
      }
    };
    await Promise.all(Array.from({ length: 20 }, work));
    console.log(`soak on the emulator: seed ${seed}, 2000 sends, ${sent} sent, ${faults.length} faults`);
    expect(wrong).toEqual([]);
    expect(sent).toBeGreaterThan(1_000);
  }, 60_000);
});
