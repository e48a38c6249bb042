import type { Connection, Receiver } from 'rhea';
import { describe, expect, it } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { QUICK, quiet, until } from './support/client.ts';
import { C2D, ended, FORCED, operations, startReceiving } from './support/restoring.ts';

describe('a receiver that the peer detached', () => {
  it.each(['amqp:link:detach-forced', 'amqp:internal-error', 'com.microsoft:timeout', 'com.microsoft:server-busy'])(
    '%s: is attached again, the same object with the same options',
    async (condition) => {
      // Of a name given: rhea as a peer needs a moment to be done with the old one.
      const attach = { reconnect: { ...QUICK, baseDelayMs: 100, maxDelayMs: 100 } };
      const { peer, client, receiver, bodies, attached } = await startReceiving(
        { attach },
        undefined,
        undefined,
        'c2d',
      );
      ended(peer, condition);
      await until(() => bodies.length === 2);
      expect(receiver.is_open()).toBe(true);
      expect(client.connection.find_receiver((link: unknown) => link === receiver)).toBe(receiver);
      const seen = attached.map(({ name, source, properties }) => [name, source.address, properties]);
      expect(seen[1]).toEqual(seen[0]);
      expect(client.faults).toHaveLength(1);
      await until(() => client.recovered.length === 1);
      expect(operations([...client.retries, ...client.recovered])).toEqual(Array(2).fill(`attach receiver ${C2D}`));
      expect(client.heard.filter((name) => name.startsWith('receiver_'))).toEqual([
        'receiver_open',
        'receiver_error',
        'receiver_close',
        'receiver_open',
      ]);
    },
  );

  it('without a word: the same', async () => {
    const { peer, bodies } = await startReceiving();
    peer.connection.find_sender(() => true)?.detach();
    await until(() => bodies.length === 2);
  });

  it.each([
    'amqp:link:stolen',
    'com.microsoft:link-creation-conflict',
    'amqp:unauthorized-access',
    'amqp:not-found',
    'amqp:not-allowed',
  ])('%s: it stays away', async (condition) => {
    const { peer, client, receiver, attached } = await startReceiving();
    ended(peer, condition);
    await until(() => client.faults.length === 1);
    await quiet();
    expect(attached).toHaveLength(1);
    expect(receiver.is_closed()).toBe(true);
    expect(client.retries).toEqual([]);
  });

  it('again and again: ever later, by the rules of a reconnect', async () => {
    const { peer, client } = await startReceiving({}, undefined, () => true);
    ended(peer, FORCED.condition);
    // From the second in a row that did not hold it is five seconds at least.
    await until(() => client.retries.length === 3);
    expect(client.retries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(client.retries[2]?.delayMs).toBeGreaterThanOrEqual(5_000);
    expect(client.recovered).toEqual([]);
  });

  it('maxAttempts: given up, until resume()', async () => {
    let refuse = true;
    const attach = { reconnect: { ...QUICK, maxAttempts: 1 } };
    const { peer, client, receiver } = await startReceiving({ attach }, undefined, () => refuse);
    ended(peer, FORCED.condition);
    await until(() => client.givenUp.length === 1);
    expect(client.givenUp[0]).toMatchObject({ operation: `attach receiver ${C2D}`, stopped: 'attempts' });
    refuse = false;
    client.handle.resume();
    await until(() => receiver.is_open());
    await until(() => client.recovered.length === 1);
  });

  it('the quota of the day is used up: attached again when the next one begins', async () => {
    const clock = handClock();
    const { peer, client, bodies } = await startReceiving({ attach: { clock } });
    const sender = peer.connection.find_sender(() => true);
    sender?.close({ condition: 'amqp:resource-limit-exceeded', description: '{"errorCode":403002}' });
    await until(() => client.retries.length === 1);
    const [wait] = client.retries;
    expect(client.givenUp[0]).toMatchObject({ nextProbeAt: expect.any(Date), error: { code: 403002 } });
    const resetAt = wait?.error.resetAt?.getTime() ?? Infinity;
    expect(clock.now() + (wait?.delayMs ?? 0)).toBeGreaterThanOrEqual(resetAt);
    clock.pass(wait?.delayMs ?? 0);
    await until(() => bodies.length === 2);
  });

  it('a sender too, without a send', async () => {
    const { peer, client } = await startReceiving();
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    peer.connection.find_receiver(() => true)?.close(FORCED);
    await until(() => client.faults.length === 1);
    await until(() => sender.is_open());
    await client.handle.send(sender, { body: 'x' });
  });

  it('reconnect: false leaves it as it is', async () => {
    const { peer, client, receiver, attached } = await startReceiving({ attach: { reconnect: false } });
    ended(peer, FORCED.condition);
    await until(() => client.faults.length === 1);
    await quiet();
    expect([attached.length, receiver.is_closed(), client.retries.length]).toEqual([1, true, 0]);
  });
});

describe('the application does not want it back', () => {
  type Does = (receiver: Receiver, connection: Connection) => unknown;
  const ways: [string, Does][] = [
    ['closes it', (receiver) => receiver.close()],
    ['detaches it', (receiver) => receiver.detach()],
    ['removes it', (receiver) => receiver.remove()],
    ['opens another one', (_, connection) => connection.open_receiver(C2D)],
    ['closes the connection', (_, connection) => connection.close()],
  ];
  // In the listener rhea loses it: it takes the new one out of its tables instead of the old.
  const sameName: (typeof ways)[0] = [
    'opens another one of its name',
    (_, connection) => connection.open_receiver({ source: C2D, name: 'c2d' }),
  ];

  it.each(ways)('it %s, in its listener', async (_what, does) => {
    const { peer, client, receiver, attached } = await startReceiving();
    client.container.on('receiver_close', () => does(receiver, client.connection));
    ended(peer, FORCED.condition);
    await quiet();
    expect(receiver.is_open()).toBe(false);
    expect(attached.length).toBe(_what.startsWith('opens') ? 2 : 1);
  });

  it.each([...ways, sameName])('it %s, later', async (_what, does) => {
    const clock = handClock();
    const { peer, client, receiver, attached } = await startReceiving(
      { attach: { clock } },
      undefined,
      undefined,
      'c2d',
    );
    ended(peer, FORCED.condition);
    await until(() => client.retries.length === 1);
    // rhea as a peer would revive a link of that name.
    await until(() => !peer.connection.find_sender(() => true));
    does(receiver, client.connection);
    await quiet(20);
    clock.pass(1_000);
    await quiet();
    expect(receiver.is_open()).toBe(false);
    expect(attached.length).toBe(_what.startsWith('opens') ? 2 : 1);
    expect(client.recovered).toEqual([]);
  });

  it('detached from faultmap: nothing is left, and nothing comes back', async () => {
    const { peer, client, receiver, attached } = await startReceiving();
    ended(peer, FORCED.condition);
    await until(() => client.retries.length === 1);
    client.handle.detach();
    await quiet();
    expect(attached).toHaveLength(1);
    for (const name of ['close', 'detach', 'remove', 'dispatch']) expect(Object.hasOwn(receiver, name)).toBe(false);
  });
});
