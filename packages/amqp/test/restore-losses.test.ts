import type { EventContext, Message, Sender } from 'rhea';
import { describe, expect, it } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { quiet, startClient, until } from './support/client.ts';
import { C2D, ended, FORCED, operations, startReceiving } from './support/restoring.ts';
import { type Peer, startPeer } from './support/server.ts';

describe('together with other losses', () => {
  it('detached, then the connection is lost: attached with the next one', async () => {
    const clock = handClock();
    const { peer, client, receiver, bodies } = await startReceiving({ attach: { clock } });
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
    const { peer, client, receiver, bodies } = await startReceiving();
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
    const clock = handClock();
    const { peer, client, receiver, bodies, attached } = await startReceiving({ attach: { clock } });
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
      const { peer, client, attached } = await startReceiving();
      peer.connection.find_sender(() => true)?.session.close({ condition });
      await until(() => client.faults.length === 1);
      await quiet();
      expect(attached).toHaveLength(1);
    },
  );

  it('attached again, it is lost with the connection at once: it is well only when it holds', async () => {
    const { peer, client, bodies } = await startReceiving();
    ended(peer, FORCED.condition);
    await until(() => bodies.length === 2);
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => bodies.length === 3);
    expect(client.recovered.filter(({ operation }) => operation !== 'reconnect')).toEqual([]);
    await until(() => client.recovered.length === 2);
    client.handle.detach();
  });

  it('attached again, it is stolen: given up', async () => {
    const { peer, client, receiver, bodies } = await startReceiving();
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
    const { peer, client, bodies } = await startReceiving();
    ended(peer, FORCED.condition);
    await until(() => bodies.length === 2);
    client.handle.detach();
    await quiet(1_100);
    expect(client.recovered).toEqual([]);
  });

  it('its session is closed by the application: it is not waited for any more', async () => {
    const clock = handClock();
    const { peer, client, receiver, attached } = await startReceiving({ attach: { clock } });
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
    const clock = handClock();
    let receivers = 0;
    const { peer, client } = await startReceiving({ attach: { clock } }, (container) =>
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
