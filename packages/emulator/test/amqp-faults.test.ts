import { beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, type FaultSpec, startEmulator } from '../src/index.ts';
import { bodyText, Client, useClients } from './support/amqp.ts';
import { eventually } from './support/eventually.ts';

const D2C = '/devices/device1/messages/events';
const C2D = '/devices/device1/messages/devicebound';
const TWIN = '/devices/device1/twin';

let emulator: Emulator;
const { open, device, forget } = useClients(() => emulator);

beforeEach(async () => {
  emulator = await startEmulator();
});

function onD2c(fault: FaultSpec['fault'], more: Partial<FaultSpec> = {}): void {
  emulator.inject({ transport: 'amqp', match: { operation: 'd2c' }, fault, ...more });
}

describe('scripted errors of a sent message', () => {
  const codes = [
    [400004, 'com.microsoft:argument-error'],
    [401003, 'amqp:unauthorized-access'],
    [403002, 'amqp:resource-limit-exceeded'],
    [404001, 'amqp:not-found'],
    [409001, 'com.microsoft:device-already-exists'],
    [412001, 'com.microsoft:precondition-failed'],
    [412002, 'com.microsoft:message-lock-lost'],
    [429001, 'com.microsoft:device-container-throttled'],
    [500001, 'amqp:internal-error'],
    [503001, 'amqp:link:detach-forced'],
    [504101, 'com.microsoft:timeout'],
  ] as const;

  it.each(codes)('rejects with the form of %i', async (code, condition) => {
    onD2c(code);
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    expect(await client.send(sender, { message_id: 'a', body: 'x' })).toMatchObject({
      outcome: 'rejected',
      error: { condition },
    });
    expect(emulator.log.executions('d2c', 'a')).toBe(0);
    expect(await client.send(sender, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  });

  it('writes the number of a code without a form of its own into the description', async () => {
    onD2c(429003);
    const client = await device();
    const { error } = await client.send(client.connection.open_sender(D2C), { body: 'x' });
    expect(JSON.parse(error?.description ?? '')).toMatchObject({ errorCode: 429003 });
    expect(error?.condition).toBe('com.microsoft:device-container-throttled');
  });

  it('asks to wait in prose', async () => {
    onD2c(429001, { retryAfterS: 7 });
    const client = await device();
    const { error } = await client.send(client.connection.open_sender(D2C), { body: 'x' });
    expect(error?.description).toContain('Wait 7 seconds and try again.');
  });

  it.each(['released', 'modified', 'rejected'] as const)('settles as %s', async (outcome) => {
    onD2c({ outcome });
    const client = await device();
    expect(await client.send(client.connection.open_sender(D2C), { body: 'x' })).toMatchObject({ outcome });
  });

  it('runs first where the script says so', async () => {
    onD2c(500001, { executes: true });
    const client = await device();
    await client.send(client.connection.open_sender(D2C), { message_id: 'b', body: 'x' });
    expect(emulator.log.executions('d2c', 'b')).toBe(1);
  });

  it('strikes after n, times n, and counts', async () => {
    const fault = emulator.inject({
      transport: 'amqp',
      match: { operation: 'd2c' },
      fault: 429001,
      after: 1,
      times: 2,
    });
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    const outcomes = [];
    for (let i = 0; i < 4; i++) outcomes.push((await client.send(sender, { body: 'x' })).outcome);
    expect(outcomes).toEqual(['accepted', 'rejected', 'rejected', 'accepted']);
    expect(fault).toMatchObject({ hits: 2, remaining: 0 });
  });
});

describe('scripted conditions at a scope', () => {
  const condition = 'amqp:link:detach-forced';

  it.each([
    ['link', 'sender_error'],
    ['session', 'session_error'],
    ['connection', 'connection_error'],
  ] as const)('ends the %s', async (at, event) => {
    onD2c({ condition, description: 'Server Busy. Please retry operation', at, info: { a: 'b' } });
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    await client.credit(sender);
    sender.send({ body: 'x' });
    const context = await client.next(event);
    const error =
      at === 'connection' ? client.connection.error : at === 'session' ? context.session?.error : context.sender?.error;
    expect(error).toMatchObject({ condition, description: 'Server Busy. Please retry operation', info: { a: 'b' } });
  });

  it('ends the link of an operation that is answered, where nothing else is said', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'twin-get' }, fault: { condition } });
    const client = await device();
    void client.twin(TWIN, 'GET');
    const { sender } = await client.next('sender_error');
    expect(sender?.error).toMatchObject({ condition });
  });

  it('refuses a link', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'attach', path: D2C }, fault: 503001, retryAfterS: 10 });
    const client = await device();
    client.connection.open_sender(D2C);
    const { sender } = await client.next('sender_error');
    expect(sender?.error).toMatchObject({
      condition: 'amqp:link:detach-forced',
      description: 'Server Busy. Please retry operation Wait 10 seconds and try again.',
    });
  });

  it('closes the connection at once', async () => {
    emulator.inject({
      transport: 'amqp',
      match: { operation: 'connect' },
      fault: { condition: 'amqp:connection:forced' },
    });
    const client = Client.to(emulator);
    const { error } = await client.next('connection_error');
    expect(error).toMatchObject({ condition: 'amqp:connection:forced' });
  });

  it('takes over by script (400027)', async () => {
    onD2c(400027);
    const client = await device();
    client.connection.open_sender(D2C).once('sendable', ({ sender }) => sender?.send({ body: 'x' }));
    const { error } = await client.next('connection_error');
    expect(error).toMatchObject({
      condition: 'amqp:internal-error',
      description: expect.stringContaining('Another AMQP'),
    });
  });
});

describe('scripted answers', () => {
  it('answers a twin with status and body', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'twin-get' }, fault: 429001, retryAfterS: 3 });
    const client = await device();
    const answer = await client.twin(TWIN, 'GET');
    expect(answer.message_annotations?.status).toBe(429);
    expect(JSON.parse(bodyText(answer))).toMatchObject({ errorCode: 429001 });
  });

  it('answers a twin with a bare status', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'twin-get' }, fault: { answerStatus: 503 } });
    const client = await device();
    const answer = await client.twin(TWIN, 'GET');
    expect(answer.message_annotations?.status).toBe(503);
    expect(answer.body).toBeNull();
  });

  it('answers CBS with any status', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'cbs' }, fault: 500001 });
    emulator.inject({
      transport: 'amqp',
      match: { operation: 'cbs' },
      fault: { answerStatus: 429, body: 'slow down' },
    });
    const client = open();
    const put = () => client.putToken(emulator.deviceToken('device1'), '127.0.0.1/devices/device1');
    expect(await put()).toMatchObject({ status: 500 });
    expect(await put()).toEqual({ status: 429, description: 'slow down' });
    expect(await put()).toMatchObject({ status: 200 });
  });

  it('finds a good token expired when its own clock is ahead', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'cbs' }, fault: { clockSkewMs: 7_200_000 } });
    const client = open();
    const put = () => client.putToken(emulator.deviceToken('device1'), '127.0.0.1/devices/device1');
    expect(await put()).toMatchObject({ status: 401 });
    expect(await put()).toMatchObject({ status: 200 });
  });

  it('answers a settlement that asks for it (412002)', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'c2d-settle' }, fault: 412002 });
    const client = await device();
    const { link, next } = client.receive(C2D, { rcv_settle_mode: 1 });
    emulator.state.sendToDevice('device1', { body: Buffer.from('x') });
    const { delivery } = await next();
    if (!delivery) throw new Error('no delivery');
    expect(await client.settleSecond(link, delivery)).toMatchObject({ condition: 'com.microsoft:message-lock-lost' });
  });
});

describe('unclean faults', () => {
  async function sendOne(): Promise<Client> {
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    await client.credit(sender);
    sender.send({ message_id: 'u', body: 'x' });
    return client;
  }

  it.each([
    ['reset-before', 0],
    ['reset-after', 1],
    ['reset-during', 1],
  ] as const)('%s: the client sees a reset, the message ran %i times', async (kind, ran) => {
    onD2c(kind);
    const client = await sendOne();
    const { error } = await client.next('disconnected');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(emulator.log.executions('d2c', 'u')).toBe(ran);
  });

  it.each([
    ['close', 0],
    ['truncated', 1],
  ] as const)('%s: the stream ends without a word, the message ran %i times', async (kind, ran) => {
    onD2c(kind);
    const client = await sendOne();
    const { error } = await client.next('disconnected');
    expect(error).toBeUndefined();
    expect(client.seen).not.toContain('connection_close');
    expect(emulator.log.executions('d2c', 'u')).toBe(ran);
  });

  it.each([
    ['half-open', 0],
    ['lost-ack', 1],
  ] as const)('%s: nothing is answered and the connection stays, the message ran %i times', async (kind, ran) => {
    onD2c(kind);
    const client = await sendOne();
    await eventually(() => emulator.log.requests({ operation: 'd2c' })).toHaveLength(1);
    expect(client.connection.is_open()).toBe(true);
    expect(client.seen).not.toContain('disconnected');
    expect(emulator.log.executions('d2c', 'u')).toBe(ran);
    if (kind === 'half-open') forget(); // it would not answer a close either
  });

  it('garbage: the client cannot decode what comes', async () => {
    onD2c('garbage');
    const client = await sendOne();
    await client.next('disconnected');
    expect(client.seen.some((name) => name === 'error' || name === 'protocol_error')).toBe(true);
  });

  it('not-json: a gateway page in the middle of the stream', async () => {
    onD2c('not-json');
    const client = await sendOne();
    // It looks like the beginning of a frame of a gigabyte: the client waits.
    await eventually(() => emulator.log.executions('d2c', 'u')).toBe(1);
    expect(client.connection.is_open()).toBe(true);
    forget();
  });

  it('slow: the answer comes whole in the end', async () => {
    onD2c({ unclean: 'slow', bytesPerSecond: 200 });
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    expect(await client.send(sender, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  });

  it('duplicate: a twin answer comes twice', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'twin-get' }, fault: 'duplicate' });
    const client = await device();
    const ids: unknown[] = [];
    await client.twin(TWIN, 'PUT', '/notifications/twin/properties/desired');
    client.answers(TWIN, (message) => ids.push(message?.correlation_id));
    await client.twin(TWIN, 'GET');
    await eventually(() => ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
  });

  it('duplicate: a patch is answered twice and runs once', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'twin-patch' }, fault: 'duplicate' });
    const client = await device();
    await client.twin(TWIN, 'GET');
    const versions: unknown[] = [];
    client.answers(TWIN, (message) => versions.push(message?.message_annotations?.version));
    await client.twin(TWIN, 'PATCH', '/properties/reported', '{"a":1}');
    await eventually(() => versions).toEqual([2, 2]);
    expect(emulator.log.executions('twin-report', 'device1')).toBe(1);
  });

  it('duplicate: a message that was settled twice is a success to the client, once', async () => {
    onD2c('duplicate');
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    expect(await client.send(sender, { message_id: 'd', body: 'x' })).toMatchObject({ outcome: 'accepted' });
    expect(await client.send(sender, { body: 'y' })).toMatchObject({ outcome: 'accepted' });
    expect(emulator.log.executions('d2c', 'd')).toBe(1);
  });

  it('duplicate: a message comes twice', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'c2d-deliver' }, fault: 'duplicate' });
    const client = await device();
    const { next } = client.receive(C2D);
    emulator.state.sendToDevice('device1', { messageId: 'twice', body: Buffer.from('x') });
    const seen = [await next(), await next()];
    expect(seen.map(({ message }) => message?.message_id)).toEqual(['twice', 'twice']);
    for (const { delivery } of seen) delivery?.accept();
    await eventually(() => emulator.state.queues.depth('device1')).toBe(0);
    expect(emulator.log.executions('c2d-complete', 'twice')).toBe(1);
  });

  it('loses a message on its way to the device, which comes again when its lock runs out', async () => {
    await emulator.stop();
    emulator = await startEmulator({ queue: { lockMs: 50 } });
    emulator.inject({ transport: 'amqp', match: { operation: 'c2d-deliver' }, fault: 'lost-ack' });
    const client = await device();
    const { next } = client.receive(C2D);
    emulator.state.sendToDevice('device1', { messageId: 'lost', body: Buffer.from('x') });
    const { message } = await next();
    expect(message).toMatchObject({ message_id: 'lost', delivery_count: 1 });
  });

  it('waits before the answer where the script says so', async () => {
    onD2c(undefined, { delayMs: 30 });
    const client = await device();
    expect(await client.send(client.connection.open_sender(D2C), { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  });
});
