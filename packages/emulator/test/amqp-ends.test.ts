import { beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../src/index.ts';
import { useClients } from './support/amqp.ts';

const D2C = '/devices/device1/messages/events';

let emulator: Emulator;
const { device, service } = useClients(() => emulator);

beforeEach(async () => {
  emulator = await startEmulator({ devices: ['device1', 'device2'] });
});

describe('take-over and link conflicts', () => {
  it('closes the first connection when the device connects again (400027)', async () => {
    const first = await device();
    const closed = first.next('connection_error');
    await device();
    const { error } = await closed;
    expect(error).toMatchObject({
      condition: 'amqp:internal-error',
      description: 'Another AMQP Client has opened a Receive Link',
    });
  });

  it('is taken over by a connection over another transport, and takes over from one', async () => {
    const identity = { deviceId: 'device1' };
    const client = await device();
    const closed = client.next('connection_error');
    let ended: string | undefined;
    const close = (cause: string) => {
      ended = cause;
    };
    emulator.state.connect({ identity, transport: 'mqtt', close });
    expect((await closed).error).toMatchObject({ description: expect.stringContaining('Another AMQP Client') });
    await device();
    expect(ended).toBe('taken-over');
  });

  it('detaches the first link when a second opens to the same address (409002)', async () => {
    const client = await device();
    const first = client.connection.open_sender(D2C);
    await client.credit(first);
    const stolen = client.next('sender_error');
    const second = client.connection.open_sender(D2C);
    const { sender } = await stolen;
    expect(sender).toBe(first);
    expect(sender?.error).toMatchObject({ condition: 'amqp:link:stolen' });
    expect(await client.send(second, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  });
});

describe('what ends a connection or a link', () => {
  it.each([
    ['removed', 'amqp:not-found', () => emulator.state.identities.remove({ deviceId: 'device1' })],
    [
      'disabled',
      'amqp:unauthorized-access',
      () => emulator.state.identities.update({ deviceId: 'device1' }, { status: 'disabled' }),
    ],
  ] as const)('closes the connection of a device that is %s', async (_why, condition, act) => {
    const client = await device();
    const closed = client.next('connection_error');
    act();
    expect((await closed).error).toMatchObject({ condition });
  });

  it('detaches only the links of a device that leaves a shared connection', async () => {
    const gateway = await device('device1');
    await gateway.putToken(emulator.deviceToken('device2'), '127.0.0.1/devices/device2');
    const first = gateway.connection.open_sender(D2C);
    const second = gateway.connection.open_sender('/devices/device2/messages/events');
    await Promise.all([gateway.credit(first), gateway.credit(second)]);
    const detached = gateway.next('sender_error');
    await device('device2');
    expect((await detached).sender?.error).toMatchObject({
      description: expect.stringContaining('Another AMQP Client'),
    });
    expect(await gateway.send(first, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  });

  it('refuses an unknown address, an unknown device and the wrong direction', async () => {
    const back = await service();
    const cases = [
      ['/devices/device1/no-such-thing', 'amqp:not-found', '404006'],
      ['/devices/nobody/messages/events', 'amqp:not-found', 'NotFound'],
      ['/messages/servicebound/feedback', 'amqp:not-implemented', 'not supported'],
    ] as const;
    for (const [address, condition, text] of cases) {
      const refused = back.next('sender_error');
      back.connection.open_sender(address);
      expect((await refused).sender?.error).toMatchObject({ condition, description: expect.stringContaining(text) });
    }
  });

  it('answers a throttled connect with 429 on the CBS node', async () => {
    await emulator.stop();
    emulator = await startEmulator({ devices: ['device1', 'device2'], throttle: { perSecond: { connect: 0.001 } } });
    const client = await device('device1');
    const answer = await client.putToken(emulator.deviceToken('device2'), '127.0.0.1/devices/device2');
    expect(answer).toMatchObject({ status: 429 });
  });
});
