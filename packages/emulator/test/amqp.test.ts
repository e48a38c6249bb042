import { beforeEach, describe, expect, it } from 'vitest';
import { jumpClock } from '../../../test/support/jump-clock.ts';
import { type Emulator, startEmulator } from '../src/index.ts';
import { bodyText, Client, type SeenError, useClients } from './support/amqp.ts';

const D2C = '/devices/device1/messages/events';
const C2D = '/devices/device1/messages/devicebound';
const TWIN = '/devices/device1/twin';
const METHODS = '/devices/device1/methods/devicebound';

let clock: ReturnType<typeof jumpClock>;
let emulator: Emulator;
const { open, device, service } = useClients(() => emulator);

beforeEach(async () => {
  clock = jumpClock();
  emulator = await startEmulator({ devices: ['device1', 'device2'], clock });
});

function errorOf(value: unknown): SeenError {
  const { condition, description, info } = value as SeenError;
  return { condition, description, info } as SeenError;
}

describe('authentication', () => {
  it('takes a token over CBS without a SASL layer', async () => {
    const client = open();
    const answer = await client.putToken(emulator.deviceToken('device1'), '127.0.0.1/devices/device1');
    expect(answer).toMatchObject({ status: 200 });
  });

  it('answers a wrong key and an expired token with 401, an unknown device with 404', async () => {
    const client = open();
    const good = emulator.deviceToken('device1');
    const wrong = good.replace(/sig=[^&]+/, 'sig=AAAA');
    expect(await client.putToken(wrong, '127.0.0.1/devices/device1')).toEqual({
      status: 401,
      description:
        'The specified SAS token has an invalid signature. It does not match either the primary or secondary key.',
    });
    const expired = emulator.deviceToken('device1', undefined, -10);
    expect(await client.putToken(expired, '127.0.0.1/devices/device1')).toMatchObject({ status: 401 });
    const unknown = good.replace('device1', 'nobody');
    expect(await client.putToken(unknown, '127.0.0.1%2Fdevices%2Fnobody')).toEqual({
      status: 404,
      description: 'Device nobody at IotHub 127.0.0.1 not registered.',
    });
  });

  it('takes SASL PLAIN with the token as password, and refuses a wrong one', async () => {
    const client = open({
      username: 'device1@sas.hub',
      password: emulator.deviceToken('device1'),
    } as never);
    const sender = client.connection.open_sender(D2C);
    expect(await client.send(sender, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
    const refused = Client.to(emulator, { username: 'device1@sas.hub', password: 'nonsense' } as never);
    const { error } = await refused.next('connection_error');
    expect(error).toMatchObject({ condition: 'amqp:unauthorized-access' });
  });

  it('detaches a link for which no token was put', async () => {
    const client = open();
    client.connection.open_sender(D2C);
    const { sender } = await client.next('sender_error');
    expect(sender?.error).toMatchObject({ condition: 'amqp:unauthorized-access', description: 'Token Invalid.' });
  });

  it('lets a device open its own links only', async () => {
    const client = await device('device1');
    client.connection.open_sender('/devices/device2/messages/events');
    const { sender } = await client.next('sender_error');
    expect(sender?.error).toMatchObject({ condition: 'amqp:unauthorized-access' });
  });
});

describe('telemetry', () => {
  it('accepts a message, and keeps its properties', async () => {
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    const sent = await client.send(sender, {
      message_id: 'm-1',
      content_type: 'application/json',
      application_properties: { colour: 'red', count: 3 },
      body: '{"t":1}',
    });
    expect(sent.outcome).toBe('accepted');
    expect(emulator.log.executions('d2c', 'm-1')).toBe(1);
    const [event] = emulator.state.events.from(0);
    expect(event).toMatchObject({
      identity: { deviceId: 'device1' },
      messageId: 'm-1',
      contentType: 'application/json',
      properties: { colour: 'red', count: '3' },
    });
    expect(event?.body.toString()).toBe('{"t":1}');
  });

  it('rejects an oversized message with 413001 and keeps the link', async () => {
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    const sent = await client.send(sender, { body: 'x'.repeat(300_000) });
    expect(sent).toMatchObject({
      outcome: 'rejected',
      error: {
        condition: 'amqp:link:message-size-exceeded',
        description: 'Message size is 300000 bytes which is greater than the max size 262144 bytes allowed.',
      },
    });
    expect(await client.send(sender, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  });

  it('rejects with the quota condition once the day is used up (403002)', async () => {
    emulator.state.quota.limit = 1;
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    expect(await client.send(sender, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
    expect(await client.send(sender, { body: 'x' })).toMatchObject({
      outcome: 'rejected',
      error: { condition: 'amqp:resource-limit-exceeded' },
    });
  });

  it('rejects a throttled message as recorded: not-allowed with status 429 in the text', async () => {
    await emulator.stop();
    emulator = await startEmulator({ throttle: { perSecond: { d2c: 0.001 } } });
    const client = await device();
    const sender = client.connection.open_sender(D2C);
    await client.send(sender, { body: 'x' });
    expect(await client.send(sender, { body: 'x' })).toMatchObject({
      outcome: 'rejected',
      error: { condition: 'amqp:not-allowed', description: 'Service rejected the message with status: 429' },
    });
  });
});

describe('cloud-to-device messages', () => {
  it('delivers, completes, and tells the sender by feedback', async () => {
    const client = await device();
    const { link, next } = client.receive(C2D, { rcv_settle_mode: 1 });
    const back = await service();
    const sender = back.connection.open_sender('/messages/devicebound');
    const feedback = back.receive('/messages/serviceBound/feedback');
    const sent = await back.send(sender, {
      message_id: 'c-1',
      to: C2D,
      application_properties: { 'iothub-ack': 'full', k: 'v' },
      body: 'hello',
    });
    expect(sent.outcome).toBe('accepted');
    const { message, delivery } = await next();
    expect(message).toMatchObject({ message_id: 'c-1', to: C2D, application_properties: { k: 'v' } });
    expect(bodyText(message)).toBe('hello');
    if (!delivery) throw new Error('no delivery');
    expect(await client.settleSecond(link, delivery)).toBeUndefined();
    const told = await feedback.next();
    expect(JSON.parse(bodyText(told.message))).toMatchObject([{ originalMessageId: 'c-1', statusCode: 'Success' }]);
    told.delivery?.accept();
    expect(emulator.state.queues.depth('device1')).toBe(0);
  });

  it('answers a settlement after the lock ran out with message-lock-lost (412002), and delivers again', async () => {
    const client = await device();
    const { link, next } = client.receive(C2D, { rcv_settle_mode: 1 });
    emulator.state.sendToDevice('device1', { messageId: 'c-2', body: Buffer.from('late') });
    const first = await next();
    clock.jump(60_000);
    const again = await next();
    expect(again.message).toMatchObject({ message_id: 'c-2', delivery_count: 1 });
    if (!first.delivery || !again.delivery) throw new Error('no delivery');
    expect(await client.settleSecond(link, first.delivery)).toMatchObject({
      condition: 'com.microsoft:message-lock-lost',
      description: 'Lock lost or expired',
    });
  });

  it('takes back what a lost connection did not settle', async () => {
    const client = await device();
    const { next } = client.receive(C2D);
    emulator.state.sendToDevice('device1', { messageId: 'c-3', body: Buffer.from('x') });
    await next();
    await client.close();
    const other = await device();
    const again = await other.receive(C2D).next();
    expect(again.message).toMatchObject({ message_id: 'c-3' });
  });

  it('tells a service of finished uploads', async () => {
    const back = await service();
    const { next } = back.receive('/messages/servicebound/filenotifications');
    const { correlationId } = emulator.state.uploads.start('device1', 'photo.png');
    const report = { correlationId, isSuccess: true, statusCode: 200, statusDescription: 'done' };
    emulator.state.uploads.report('device1', report);
    const { message, delivery } = await next();
    expect(JSON.parse(bodyText(message))).toMatchObject({ deviceId: 'device1', blobName: 'device1/photo.png' });
    delivery?.accept();
  });

  it('refuses the 51st queued message on the service link (403004)', async () => {
    const back = await service();
    const sender = back.connection.open_sender('/messages/devicebound');
    for (let i = 0; i < 50; i++)
      expect(await back.send(sender, { to: C2D, body: 'x' })).toMatchObject({ outcome: 'accepted' });
    expect(await back.send(sender, { to: C2D, body: 'x' })).toMatchObject({
      outcome: 'rejected',
      error: { condition: 'amqp:resource-limit-exceeded', description: expect.stringContaining('iothub403004') },
    });
  });

  it('rejects a message to an unknown device with not-found (404001)', async () => {
    const back = await service();
    const sender = back.connection.open_sender('/messages/devicebound');
    const to = '/devices/nobody/messages/devicebound';
    expect(await back.send(sender, { to, body: 'x' })).toMatchObject({
      outcome: 'rejected',
      error: { condition: 'amqp:not-found', description: 'NotFound' },
    });
  });
});

describe('twins', () => {
  it('reads, reports, and pushes desired properties', async () => {
    const client = await device();
    const got = await client.twin(TWIN, 'GET');
    expect(got.message_annotations?.status).toBe(200);
    expect(JSON.parse(bodyText(got))).toMatchObject({ desired: { $version: 1 }, reported: { $version: 1 } });
    const patched = await client.twin(TWIN, 'PATCH', '/properties/reported', '{"on":true}');
    expect(patched.message_annotations).toMatchObject({ status: 204, version: 2 });
    const subscribed = await client.twin(TWIN, 'PUT', '/notifications/twin/properties/desired');
    expect(subscribed.message_annotations?.status).toBe(200);
    const push = client.pushed(TWIN);
    emulator.state.changeTwin({ deviceId: 'device1' }, { desired: { speed: 3 } }, {});
    const message = await push;
    expect(message.correlation_id).toBeUndefined();
    expect(JSON.parse(bodyText(message))).toEqual({ speed: 3, $version: 2 });
  });

  it('answers what it cannot read with a status and a body', async () => {
    const client = await device();
    const answer = await client.twin(TWIN, 'PATCH', '/properties/reported', '{"on":');
    expect(answer.message_annotations?.status).toBe(400);
    expect(JSON.parse(bodyText(answer))).toMatchObject({ errorCode: 400006 });
  });
});

describe('direct methods', () => {
  it('calls the device and hands back its answer', async () => {
    const client = await device();
    const { next } = client.receive(METHODS, { autoaccept: true });
    const answers = client.connection.open_sender(METHODS);
    const invoked = (async () => {
      const { message } = await next();
      expect(message?.application_properties).toEqual({ 'IoThub-methodname': 'reboot' });
      expect(JSON.parse(bodyText(message))).toEqual({ in: 5 });
      await client.send(answers, {
        correlation_id: message?.correlation_id as never,
        application_properties: { 'IoThub-status': 202 },
        body: '{"ok":true}',
      });
    })();
    const answer = await emulator.state.invokeMethod(
      { deviceId: 'device1' },
      { methodName: 'reboot', payload: { in: 5 }, connectTimeoutMs: 5_000 },
    );
    await invoked;
    expect(answer).toEqual({ status: 202, payload: { ok: true } });
  });
});

describe('events', () => {
  it('redirects the built-in endpoint, where the stream can be read', async () => {
    const sender = await device();
    await sender.send(sender.connection.open_sender(D2C), { message_id: 'e-1', body: 'one' });
    const reader = await service();
    reader.connection.open_receiver('/messages/events/ConsumerGroups/$Default/Partitions/0');
    const { receiver } = await reader.next('receiver_error');
    expect(receiver?.error).toMatchObject({ condition: 'amqp:link:redirect', info: { 'network-host': '127.0.0.1' } });
    const address = new URL(errorOf(receiver?.error).info?.address as string).pathname;
    const filter = { 'apache.org:selector-filter:string': "amqp.annotation.x-opt-offset > '-1'" };
    const { next } = reader.receive('', { source: { address, filter } });
    const { message } = await next();
    expect(message).toMatchObject({
      message_id: 'e-1',
      message_annotations: { 'iothub-connection-device-id': 'device1', 'x-opt-offset': '0' },
    });
  });

  it('tells the partitions on the management node', async () => {
    const reader = await service();
    const answer = await reader.request('$management', {
      message_id: 'q',
      application_properties: { operation: 'READ', type: 'com.microsoft:eventhub', name: 'x' },
      body: '',
    });
    expect(answer.application_properties?.['status-code']).toBe(200);
    expect(answer.body).toMatchObject({ partition_ids: ['0'] });
  });
});
