import type { FaultEvent } from '@faultmap/core';
import type { Connection, Container, EventContext, Message, Receiver, Sender } from 'rhea';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, heldClock, QUICK, quiet, startClient, until } from './support/client.ts';
import { caught } from './support/receiving.ts';
import { type Peer, startPeer } from './support/server.ts';

const FORCED = { condition: 'amqp:link:detach-forced', description: 'moved' };
const C2D = '/devices/d1/messages/devicebound';

/** A client with an open receiver, at a peer that sends one message on each of its links, or refuses all but the first. */
async function start(
  options: ClientOptions = {},
  script: (container: Container) => void = () => {},
  refuse: () => boolean = () => false,
  name?: string,
) {
  const attached: Sender[] = [];
  const peer = await startPeer({}, (container) => {
    container.on('sender_open', ({ sender }) => {
      attached.push(sender);
      if (attached.length > 1 && refuse()) sender.close(FORCED);
      else sender.send({ body: attached.length } as Message);
    });
    script(container);
  });
  const client = startClient(peer.port, options);
  const bodies: unknown[] = [];
  client.container.on('message', ({ message }: EventContext) => bodies.push(message?.body));
  const receiver = client.connection.open_receiver({
    source: C2D,
    properties: { api: '1' },
    ...(name && { name }),
  } as never);
  await until(() => bodies.length === 1);
  return { peer, client, receiver, bodies, attached };
}

const operations = (events: readonly FaultEvent[]) => events.map(({ operation }) => operation);
const ended = (peer: Peer, condition: string) => {
  const sender = peer.connection.find_sender(() => true);
  sender?.close({ condition });
};

describe('a receiver that the peer detached', () => {
  it.each(['amqp:link:detach-forced', 'amqp:internal-error', 'com.microsoft:timeout', 'com.microsoft:server-busy'])(
    '%s: is attached again, the same object with the same options',
    async (condition) => {
      // Of a name given: rhea as a peer needs a moment to be done with the old one.
      const attach = { reconnect: { ...QUICK, baseDelayMs: 100, maxDelayMs: 100 } };
      const { peer, client, receiver, bodies, attached } = await start({ attach }, undefined, undefined, 'c2d');
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
    const { peer, bodies } = await start();
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
    const { peer, client, receiver, attached } = await start();
    ended(peer, condition);
    await until(() => client.faults.length === 1);
    await quiet();
    expect(attached).toHaveLength(1);
    expect(receiver.is_closed()).toBe(true);
    expect(client.retries).toEqual([]);
  });

  it('again and again: ever later, by the rules of a reconnect', async () => {
    const { peer, client } = await start({}, undefined, () => true);
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
    const { peer, client, receiver } = await start({ attach }, undefined, () => refuse);
    ended(peer, FORCED.condition);
    await until(() => client.givenUp.length === 1);
    expect(client.givenUp[0]).toMatchObject({ operation: `attach receiver ${C2D}`, stopped: 'attempts' });
    refuse = false;
    client.handle.resume();
    await until(() => receiver.is_open());
    await until(() => client.recovered.length === 1);
  });

  it('the quota of the day is used up: attached again when the next one begins', async () => {
    const clock = heldClock();
    const { peer, client, bodies } = await start({ attach: { clock } });
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
    const { peer, client } = await start();
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    peer.connection.find_receiver(() => true)?.close(FORCED);
    await until(() => client.faults.length === 1);
    await until(() => sender.is_open());
    await client.handle.send(sender, { body: 'x' });
  });

  it('reconnect: false leaves it as it is', async () => {
    const { peer, client, receiver, attached } = await start({ attach: { reconnect: false } });
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
    const { peer, client, receiver, attached } = await start();
    client.container.on('receiver_close', () => does(receiver, client.connection));
    ended(peer, FORCED.condition);
    await quiet();
    expect(receiver.is_open()).toBe(false);
    expect(attached.length).toBe(_what.startsWith('opens') ? 2 : 1);
  });

  it.each([...ways, sameName])('it %s, later', async (_what, does) => {
    const clock = heldClock();
    const { peer, client, receiver, attached } = await start({ attach: { clock } }, undefined, undefined, 'c2d');
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
    const { peer, client, receiver, attached } = await start();
    ended(peer, FORCED.condition);
    await until(() => client.retries.length === 1);
    client.handle.detach();
    await quiet();
    expect(attached).toHaveLength(1);
    for (const name of ['close', 'detach', 'remove', 'dispatch']) expect(Object.hasOwn(receiver, name)).toBe(false);
  });
});

describe('together with other losses', () => {
  it('detached, then the connection is lost: attached with the next one', async () => {
    const clock = heldClock();
    const { peer, client, receiver, bodies } = await start({ attach: { clock } });
    ended(peer, FORCED.condition);
    await until(() => client.retries.length === 1);
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.retries.length === 2);
    clock.pass(1_000);
    await until(() => bodies.length === 2);
    expect(receiver.is_open()).toBe(true);
    expect(client.faults).toHaveLength(2);
  });

  it('the session ended: it is begun again with its links, those that were detached too', async () => {
    const { peer, client, receiver, bodies } = await start();
    const other = client.connection.open_receiver('other');
    await until(() => bodies.length === 2);
    const theirs = peer.connection.find_sender((link: Sender) => link.source.address === 'other') as Sender;
    theirs.close(FORCED);
    theirs.session.close({ condition: 'amqp:internal-error' });
    await until(() => bodies.length === 4);
    expect([receiver.is_open(), other.is_open()]).toEqual([true, true]);
    expect(operations(client.retries)).toContain('begin session');
    await until(() => client.recovered.length === 2);
  });

  it('the session ended, and the application closes a link or opens it anew: only the rest comes back', async () => {
    const clock = heldClock();
    const { peer, client, receiver, bodies, attached } = await start({ attach: { clock } });
    const closed = client.connection.open_receiver('closed');
    const anew = client.connection.open_receiver('anew');
    await until(() => bodies.length === 3);
    peer.connection.find_sender(() => true)?.session.close({ condition: 'amqp:internal-error' });
    await until(() => client.retries.length === 1);
    closed.close();
    client.connection.open_receiver('anew');
    await until(() => bodies.length === 4);
    clock.pass(1_000);
    await until(() => bodies.length === 5);
    await quiet();
    expect(
      attached
        .slice(3)
        .map(({ source }) => source.address)
        .sort(),
    ).toEqual([C2D, 'anew']);
    expect([receiver.is_open(), closed.is_open(), anew.is_open()]).toEqual([true, false, false]);
  });

  it.each(['amqp:unauthorized-access', 'amqp:not-found'])(
    'the session ended for good (%s): it stays away',
    async (condition) => {
      const { peer, client, attached } = await start();
      peer.connection.find_sender(() => true)?.session.close({ condition });
      await until(() => client.faults.length === 1);
      await quiet();
      expect(attached).toHaveLength(1);
    },
  );

  it('attached again, it is lost with the connection at once: it is well only when it holds', async () => {
    const { peer, client, bodies } = await start();
    ended(peer, FORCED.condition);
    await until(() => bodies.length === 2);
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => bodies.length === 3);
    expect(client.recovered.filter(({ operation }) => operation !== 'reconnect')).toEqual([]);
    await until(() => client.recovered.length === 2);
    client.handle.detach();
  });

  it('attached again, it is stolen: given up', async () => {
    const { peer, client, receiver, bodies } = await start();
    ended(peer, FORCED.condition);
    await until(() => bodies.length === 2);
    ended(peer, 'amqp:link:stolen');
    await until(() => client.givenUp.length === 1);
    expect(client.givenUp[0]).toMatchObject({ stopped: 'not-transient', error: { category: 'conflict' } });
    await quiet(1_100);
    expect(client.recovered).toEqual([]);
    expect(receiver.is_open()).toBe(false);
  });

  it('attached again, then detached from faultmap: nothing is told any more', async () => {
    const { peer, client, bodies } = await start();
    ended(peer, FORCED.condition);
    await until(() => bodies.length === 2);
    client.handle.detach();
    await quiet(1_100);
    expect(client.recovered).toEqual([]);
  });

  it('its session is closed by the application: it is not waited for any more', async () => {
    const clock = heldClock();
    const { peer, client, receiver, attached } = await start({ attach: { clock } });
    ended(peer, FORCED.condition);
    await until(() => client.retries.length === 1);
    receiver.session.close();
    await until(() => client.heard.includes('session_close'));
    clock.pass(1_000);
    client.handle.resume();
    await quiet();
    expect(attached).toHaveLength(1);
  });

  it('a send attaches its link at once, and nothing is attached twice', async () => {
    const clock = heldClock();
    let receivers = 0;
    const { peer, client } = await start({ attach: { clock } }, (container) =>
      container.on('receiver_open', () => receivers++),
    );
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    peer.connection.find_receiver(() => true)?.close(FORCED);
    await until(() => client.retries.length === 1);
    await client.handle.send(sender, { body: 'x' });
    clock.pass(1_000);
    await quiet();
    expect(receivers).toBe(2);
  });
});

describe('in the middle of a message', () => {
  const losses: [string, (peer: Peer) => void][] = [
    ['the connection', (peer) => peer.sockets.forEach((socket) => void socket.resetAndDestroy())],
    ['the link', (peer) => ended(peer, FORCED.condition)],
    [
      'the session',
      (peer) => peer.connection.find_sender(() => true)?.session.close({ condition: 'amqp:internal-error' }),
    ],
  ];

  it.each(losses)('%s is lost: the beginning is not read as part of the next', async (_what, lose) => {
    let links = 0;
    const peer = await startPeer({}, (container) => {
      const large = () => links++ === 0;
      container.on('sender_open', ({ sender }) =>
        sender.send({ body: large() ? 'x'.repeat(50_000) : 'whole' } as Message),
      );
    });
    // Room for four frames: the others are held back.
    const client = startClient(peer.port, { connection: { max_frame_size: 1_024, session_buffer_size: 4 } });
    const bodies: unknown[] = [];
    client.container.on('message', ({ message }: EventContext) => bodies.push(message?.body));
    const receiver = client.connection.open_receiver('q');
    await until(() => '_incomplete' in receiver && receiver._incomplete);
    lose(peer);
    await until(() => bodies.length === 1);
    expect(bodies).toEqual(['whole']);
  });
});

describe('a receiver that is refused for want of a token', () => {
  const start401 = async (options: ClientOptions) => {
    let token = '';
    const started = startPeer({ accept: false }, (container) => {
      container.on('sender_open', ({ sender }) => {
        if (sender.source.address === '$cbs') return;
        if (token !== 'right') sender.close({ condition: 'amqp:unauthorized-access', description: 'Token Invalid.' });
      });
      container.on('message', ({ message, delivery, session }: EventContext) => {
        delivery?.accept();
        token = String(message?.body);
        const application_properties = { 'status-code': token === 'right' ? 200 : 401 };
        const answer = { body: '', correlation_id: message?.message_id, application_properties };
        session?.find_sender(() => true)?.send(answer as Message);
      });
    });
    const client = startClient((await started).port, options);
    return { client, receiver: client.connection.open_receiver(C2D) };
  };
  const putToken = { application_properties: { operation: 'put-token', name: 'hub' }, body: 'right' };

  it('the application puts one: it is attached', async () => {
    const { client, receiver } = await start401({});
    await until(() => client.faults.length === 1);
    await quiet(20);
    expect(client.retries).toEqual([]);
    await client.handle.request('$cbs', putToken);
    await until(() => receiver.is_open());
  });

  it('credentials give one: it is attached', async () => {
    const { client, receiver } = await start401({
      attach: { credentials: () => ({ cbs: { name: 'hub', token: 'right' } }) },
    });
    await until(() => client.recovered.length === 1);
    expect(receiver.is_open()).toBe(true);
    expect(client.faults).toHaveLength(1);
  });

  it('credentials give a wrong one, or none: asked slowly from then on', async () => {
    for (const given of [{ cbs: { name: 'hub', token: 'wrong' } }, undefined, new Error('no network')]) {
      let asked = 0;
      const credentials = () => {
        asked++;
        if (given instanceof Error) throw given;
        return given;
      };
      const { client, receiver } = await start401({ attach: { credentials } });
      await until(() => client.givenUp.some(({ nextProbeAt }) => nextProbeAt));
      await quiet(20);
      expect(asked).toBe(1);
      expect(receiver.is_open()).toBe(false);
      const [, second] = client.retries;
      expect(second?.delayMs).toBeGreaterThan(400_000);
      expect(await caught(client.handle.request('$cbs', putToken))).toBeUndefined();
      await until(() => receiver.is_open());
    }
  });
});
