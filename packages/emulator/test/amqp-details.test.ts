import rhea from 'rhea';
import { beforeEach, describe, expect, it } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { type Emulator, startEmulator } from '../src/index.ts';
import { bodyText, useClients } from './support/amqp.ts';
import { eventually } from './support/eventually.ts';

const D2C = '/devices/device1/messages/events';
const C2D = '/devices/device1/messages/devicebound';

let clock: ReturnType<typeof handClock>;
let emulator: Emulator;
const { open, device, service } = useClients(() => emulator);

beforeEach(async () => {
  clock = handClock(Date.now());
  emulator = await startEmulator({ clock, devices: [{ deviceId: 'device1', modules: ['m1'] }] });
});

describe('tokens', () => {
  it('a renewed token keeps the connection past the end of the first', async () => {
    const client = open();
    const audience = '127.0.0.1/devices/device1';
    await client.putToken(emulator.deviceToken('device1', undefined, 60), audience);
    await client.putToken(emulator.deviceToken('device1'), audience);
    const sender = client.connection.open_sender(D2C);
    await client.credit(sender);
    clock.pass(100_000);
    expect(await client.send(sender, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  });

  it('one that runs out takes its links with it, and a fresh one lets them be opened again', async () => {
    const client = open();
    const audience = '127.0.0.1/devices/device1';
    await client.putToken(emulator.deviceToken('device1', undefined, 60), audience);
    await client.credit(client.connection.open_sender(D2C));
    const detached = client.next('sender_error');
    clock.pass(61_000);
    // As recorded in azure-iot-sdk-java#180: a detach, while the connection stays.
    expect((await detached).sender?.error).toMatchObject({
      condition: 'amqp:unauthorized-access',
      description: 'Token Invalid.',
    });
    expect(emulator.state.connections.size).toBe(0);
    expect(emulator.log.requests({ operation: 'closed' })).toMatchObject([{ outcome: 'token-expired' }]);
    await client.putToken(emulator.deviceToken('device1'), audience);
    expect(await client.send(client.connection.open_sender(D2C), { body: 'x' })).toMatchObject({ outcome: 'accepted' });
    expect(client.seen).not.toContain('connection_error');
  });

  it("of a gateway's two devices only the one whose token ran out is detached", async () => {
    emulator.state.identities.create({ deviceId: 'device2' });
    const gateway = open();
    await gateway.putToken(emulator.deviceToken('device1', undefined, 60), '127.0.0.1/devices/device1');
    await gateway.putToken(emulator.deviceToken('device2'), '127.0.0.1/devices/device2');
    const first = gateway.connection.open_sender(D2C);
    const second = gateway.connection.open_sender('/devices/device2/messages/events');
    await Promise.all([gateway.credit(first), gateway.credit(second)]);
    const detached = gateway.next('sender_error');
    clock.pass(61_000);
    expect((await detached).sender).toBe(first);
    expect(await gateway.send(second, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  });

  it("a service's links go with its token", async () => {
    const client = open();
    await client.putToken(emulator.serviceToken('service', 60), '127.0.0.1');
    await client.credit(client.connection.open_sender('/messages/devicebound'));
    const detached = client.next('sender_error');
    clock.pass(61_000);
    expect((await detached).sender?.error).toMatchObject({ description: 'Token Invalid.' });
  });

  it('a request that is no put-token is answered with 400', async () => {
    const client = open();
    const answer = await client.request('$cbs', {
      message_id: 'a',
      application_properties: { operation: 'x' },
      body: '',
    });
    expect(answer.application_properties).toMatchObject({ 'status-code': 400 });
  });

  it('no secret is in the log', async () => {
    const client = await device();
    await client.send(client.connection.open_sender(D2C), { body: 'x' });
    const { primaryKey } = emulator.state.identities.get({ deviceId: 'device1' });
    const written = JSON.stringify(emulator.requests);
    expect(written).toContain('cbs');
    expect(written).not.toContain('SharedAccessSignature');
    expect(written).not.toContain(primaryKey);
  });
});

describe('telemetry', () => {
  it('takes a batch as the messages it holds', async () => {
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    await client.credit(sender);
    const parts = ['b-1', 'b-2'].map((id) =>
      rhea.message.encode({
        message_id: id,
        application_properties: { id },
        body: rhea.message.data_section(Buffer.from(id)),
      }),
    );
    const batch = rhea.message.encode({ body: rhea.message.data_sections(parts) });
    const settled = client.next('accepted');
    sender.send(batch as never, undefined, 0x80013700);
    await settled;
    expect(emulator.state.events.from(0)).toMatchObject([
      { messageId: 'b-1', properties: { id: 'b-1' } },
      { messageId: 'b-2', properties: { id: 'b-2' } },
    ]);
  });

  it('takes what is sent settled, without an answer', async () => {
    const client = await device();
    const sender = client.connection.open_sender({ target: D2C, snd_settle_mode: 1 } as never);
    await client.credit(sender);
    sender.send({ message_id: 'pre', body: 'x' });
    await eventually(() => emulator.log.executions('d2c', 'pre')).toBe(1);
  });

  it('keeps up with thousands of messages in flight', async () => {
    await emulator.stop();
    emulator = await startEmulator({ throttle: false });
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    let sent = 0;
    let accepted = 0;
    await new Promise<void>((resolve) => {
      const go = () => {
        while (sent < 5_000 && sender.sendable()) {
          sender.send({ body: 'x' });
          sent += 1;
        }
      };
      sender.on('sendable', go);
      sender.on('accepted', () => {
        accepted += 1;
        if (accepted === 5_000) resolve();
        else go();
      });
    });
    expect(emulator.state.events.count).toBe(5_000);
  });

  it('a module sends by its own address', async () => {
    const client = open();
    await client.putToken(emulator.deviceToken('device1', 'm1'), '127.0.0.1/devices/device1/modules/m1');
    const sender = client.connection.open_sender('/devices/device1/modules/m1/messages/events');
    await client.send(sender, { application_properties: { 'iothub-outputname': 'out1' }, body: 'x' });
    expect(emulator.state.events.from(0)).toMatchObject([
      { identity: { deviceId: 'device1', moduleId: 'm1' }, output: 'out1', properties: {} },
    ]);
    const got = await client.twin('/devices/device1/modules/m1/twin', 'GET');
    expect(got.message_annotations?.status).toBe(200);
  });
});

describe('settlement', () => {
  const send = (messageId: string) =>
    emulator.state.sendToDevice('device1', { messageId, ack: 'full', body: Buffer.from('x') });

  it('a rejected message is dropped and told, a released one comes again', async () => {
    const client = await device();
    const { next } = client.receive(C2D);
    send('no');
    (await next()).delivery?.reject({ condition: 'app:no', description: 'no' });
    await eventually(() => emulator.state.queues.depth('device1')).toBe(0);
    expect(emulator.state.feedback.take()).toMatchObject([{ originalMessageId: 'no', statusCode: 'Rejected' }]);
    send('again');
    (await next()).delivery?.release();
    const { message, delivery } = await next();
    expect(message).toMatchObject({ message_id: 'again', delivery_count: 1 });
    delivery?.accept();
    await eventually(() => emulator.log.executions('c2d-complete', 'again')).toBe(1);
    expect(emulator.log.executions('c2d-abandon', 'again')).toBe(1);
  });

  it('what goes out settled is done with', async () => {
    const client = await device();
    const { next } = client.receive(C2D, { snd_settle_mode: 1 });
    send('sent');
    await next();
    await eventually(() => emulator.log.executions('c2d-complete', 'sent')).toBe(1);
  });

  it('holds back without credit, and sends all when it comes', async () => {
    const client = await device();
    const { link, next } = client.receive(C2D, { credit_window: 0, autoaccept: true });
    for (const id of ['a', 'b', 'c']) send(id);
    await client.twin('/devices/device1/twin', 'GET');
    expect(emulator.log.requests({ operation: 'c2d-deliver' })).toHaveLength(0);
    link.add_credit(2);
    const ids = [(await next()).message?.message_id, (await next()).message?.message_id];
    expect(ids).toEqual(['a', 'b']);
    link.add_credit(5);
    expect((await next()).message?.message_id).toBe('c');
  });

  it('feedback that is not accepted is kept for the next reader', async () => {
    const first = await service();
    const { next } = first.receive('/messages/servicebound/feedback');
    send('f');
    emulator.state.queues.complete('device1', emulator.state.queues.receive('device1')?.lockToken ?? '');
    await next();
    await first.close();
    const second = await service();
    const { message, delivery } = await second.receive('/messages/servicebound/feedback').next();
    expect(JSON.parse(bodyText(message))).toMatchObject([{ originalMessageId: 'f' }]);
    delivery?.accept();
  });
});

describe('the events stream', () => {
  const STREAM = 'iothub-ehub-127/ConsumerGroups/$Default/Partitions/0';

  async function read(selector?: string): Promise<() => Promise<unknown>> {
    const reader = await service();
    const filter = selector && { 'apache.org:selector-filter:string': `amqp.annotation.x-opt-${selector}` };
    const { link, next } = reader.receive('', { source: { address: STREAM, ...(filter && { filter }) } });
    await new Promise((resolve) => link.once('receiver_open', resolve));
    return async () => (await next()).message?.message_id;
  }

  beforeEach(() => {
    for (const id of ['e0', 'e1', 'e2']) {
      emulator.state.sendEvent({ deviceId: 'device1' }, { messageId: id, body: Buffer.from(id) }, 'http');
    }
  });

  it.each([
    ["offset > '-1'", 'e0'],
    ["offset > '0'", 'e1'],
    ["offset >= '1'", 'e1'],
    ["sequence-number > '1'", 'e2'],
    ["enqueued-time > '0'", 'e0'],
  ])('begins where %s says', async (selector, first) => {
    const next = await read(selector);
    expect(await next()).toBe(first);
  });

  it.each([undefined, "offset > '@latest'"])('begins with what comes next (%s)', async (selector) => {
    const next = await read(selector);
    // The reader's own token exchange is over, its link open: from now on it sees everything.
    const seen = next();
    await eventually(() => emulator.log.requests({ operation: 'attach', target: STREAM })).toHaveLength(1);
    emulator.state.sendEvent({ deviceId: 'device1' }, { messageId: 'new', body: Buffer.from('x') }, 'http');
    expect(await seen).toBe('new');
  });
});
