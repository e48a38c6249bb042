/* What rhea opens again by itself after a reconnect, and that it is the same with us. */
import { once } from 'node:events';
import { attachAmqp } from '@faultmap/amqp';
import rhea, { type Connection, type EventContext } from 'rhea';
import { describe, expect, it } from 'vitest';
import { cleanup } from './support/cleanup.ts';
import { end, QUICK, until } from './support/client.ts';
import { type Peer, startPeer } from './support/server.ts';

const ways = ['rhea alone', 'attached', 'attached, without a reconnect of ours'] as const;
type Way = (typeof ways)[number];

/** A client, and what its peer saw attached on each of its connections. */
async function start(way: Way) {
  const attached: string[][] = [];
  const peer = await startPeer({}, (container) => {
    container.on('connection_open', () => attached.push([]));
    const note = ({ sender, receiver }: EventContext) => {
      const link = sender ?? receiver;
      const { source, target, name } = (
        link as unknown as { remote: { attach: { name: string; source: object; target: object } } }
      ).remote.attach;
      const to = Reflect.get(sender ? source : target, 'value')?.[0]?.value ?? '(dynamic)';
      attached.at(-1)?.push(`${sender ? 'receiver' : 'sender'} ${to} ${name}`);
    };
    container.on('sender_open', note).on('receiver_open', note);
  });
  const container = rhea.create_container();
  container.on('disconnected', () => {});
  const connection = container.connect({
    host: '127.0.0.1',
    port: peer.port,
    initial_reconnect_delay: 5,
  } as never);
  cleanup(() => end(connection));
  const reconnect = way === 'attached' ? { ...QUICK, stableAfterMs: 0 } : false;
  const handle = way === 'rhea alone' ? undefined : attachAmqp(connection, { reconnect });
  cleanup(() => handle?.detach());
  await until(() => connection.is_open());
  return { peer, connection, attached, handle };
}

/** A socket that was destroyed on the peer's side is not told of there. */
const latest = (peer: Peer) => [...peer.connections].at(-1) as Connection;

/** Lose the connection, and have it again. */
async function lose({ peer, attached }: { peer: Peer; attached: unknown[] }): Promise<void> {
  const before = attached.length;
  for (const socket of peer.sockets) socket.destroy();
  await until(() => attached.length > before, 'another connection');
}

describe.each(ways)('%s', (way) => {
  it('attaches every link again that was open, with its own name, once', async () => {
    const { peer, connection, attached } = await start(way);
    const links = [
      connection.open_sender({ name: 's', target: 'q' } as never),
      connection.open_receiver({ name: 'r', source: 'q' } as never),
    ];
    const session = connection.create_session();
    session.open();
    links.push(session.open_receiver({ name: 'other', source: 'p' } as never));
    await until(() => links.every((link) => link.is_open()));
    const names = ['receiver p other', 'receiver q r', 'sender q s'];
    for (let times = 1; times <= 3; times++) {
      await lose({ peer, attached });
      await until(() => links.every((link) => link.is_open()) && attached.at(-1)?.length === 3);
      expect(attached.map((on) => on.toSorted())).toEqual(Array(times + 1).fill(names));
    }
  });

  it('leaves closed and detached links, and ended sessions, away', async () => {
    const { peer, connection, attached } = await start(way);
    const closed = connection.open_sender({ name: 'closed', target: 'q' } as never);
    const detached = connection.open_receiver({ name: 'detached', source: 'q' } as never);
    const session = connection.create_session();
    session.open();
    const within = session.open_sender({ name: 'within', target: 'q' } as never);
    const stays = connection.open_sender({ name: 'stays', target: 'q' } as never);
    await until(() => [closed, detached, within, stays].every((link) => link.is_open()));
    closed.close();
    detached.detach();
    session.close();
    await until(() => closed.is_closed() && detached.is_closed() && session.is_closed());
    await lose({ peer, attached });
    await until(() => stays.is_open());
    expect(attached.at(-1)).toEqual(['sender q stays']);
  });

  it('gives the credit of a window again, and none that was given by hand', async () => {
    const { peer, connection, attached } = await start(way);
    const windowed = connection.open_receiver({ name: 'windowed', source: 'a', credit_window: 7 } as never);
    const byHand = connection.open_receiver({ name: 'by hand', source: 'b', credit_window: 0 } as never);
    byHand.add_credit(3);
    await until(() => windowed.is_open() && byHand.is_open());
    await lose({ peer, attached });
    const credit = (name: string) =>
      (latest(peer).find_sender((link: { name: string }) => link.name === name) as unknown as { credit: number })
        ?.credit;
    await until(() => credit('windowed') === 7, 'the window');
    expect(credit('by hand')).toBe(0);
  });

  it('and a program that opens its links at every `connection_open` has them twice', async () => {
    const { peer, connection, attached } = await start(way);
    const open = () => connection.open_receiver({ source: 'q' } as never);
    open();
    connection.on('connection_open', open);
    await until(() => attached.at(-1)?.length === 1);
    await lose({ peer, attached });
    await until(() => attached.at(-1)?.length === 2);
    expect(attached.at(-1)?.map((one) => one.split(' ').slice(0, 2).join(' '))).toEqual(['receiver q', 'receiver q']);
  });

  it('delivers to each receiver once, and takes what is sent from then on', async () => {
    const { peer, connection, attached } = await start(way);
    const got: unknown[] = [];
    peer.container.on('message', ({ message }: EventContext) => got.push(message?.body));
    const sender = connection.open_sender({ name: 's', target: 'q' } as never);
    const receiver = connection.open_receiver({ name: 'r', source: 'q' } as never);
    const heard: unknown[] = [];
    receiver.on('message', ({ message }: EventContext) => heard.push(message?.body));
    await until(() => sender.is_open() && receiver.is_open());
    for (const body of ['one', 'two']) {
      await lose({ peer, attached });
      await until(() => sender.sendable() && receiver.is_open());
      sender.send({ body });
      const theirs = latest(peer).find_sender(({ name }: { name: string }) => name === 'r');
      await until(() => theirs?.sendable());
      theirs?.send({ body });
      await until(() => got.includes(body) && heard.includes(body));
    }
    expect({ got, heard }).toEqual({ got: ['one', 'two'], heard: ['one', 'two'] });
  });
});

/** Lose the connection: it is gone, and the next one is not there yet. */
async function loseOnly({ peer, connection }: { peer: Peer; connection: Connection }): Promise<void> {
  const gone = once(connection, 'disconnected');
  for (const socket of peer.sockets) socket.destroy();
  await gone;
}

describe('while the connection is away', () => {
  it('a link that is opened is lost with rhea alone, and one that is closed comes back', async () => {
    const { peer, connection, attached } = await start('rhea alone');
    const early = connection.open_sender({ name: 'early', target: 'q' } as never);
    await until(() => early.is_open());
    await loseOnly({ peer, connection });
    const late = connection.open_sender({ name: 'late', target: 'q' } as never);
    early.close();
    await until(() => attached.length === 2 && early.is_open());
    const next = connection.open_sender({ name: 'next', target: 'q' } as never);
    await until(() => next.is_open());
    expect(late.is_open()).toBe(false);
    expect(attached.at(-1)).toEqual(['sender q early', 'sender q next']);
  });

  const attachedWays = ['attached', 'attached, without a reconnect of ours'] as const;

  it.each(attachedWays)('a link that is opened is attached with the next one, %s', async (way) => {
    const { peer, connection, attached, handle } = await start(way);
    const early = connection.open_sender({ name: 'early', target: 'q' } as never);
    await until(() => early.is_open());
    await loseOnly({ peer, connection });
    const sender = connection.open_sender({ name: 'late', target: 'q' } as never);
    const receiver = connection.open_receiver({ name: 'late too', source: 'q' } as never);
    const session = connection.create_session();
    session.open();
    const within = session.open_receiver({ name: 'within', source: 'q' } as never);
    const dropped = connection.open_sender({ name: 'dropped', target: 'q' } as never);
    dropped.close();
    await handle?.send(sender, { body: 'x' });
    await until(() => [early, sender, receiver, within].every((link) => link.is_open()));
    const names = ['receiver q late too', 'receiver q within', 'sender q early', 'sender q late'];
    expect(attached.at(-1)?.toSorted()).toEqual(names);
    await lose({ peer, attached });
    await until(() => attached.at(-1)?.length === 4);
    expect(attached.at(-1)?.toSorted()).toEqual(names);
  });

  it.each(attachedWays)('what is closed stays away, %s', async (way) => {
    const { peer, connection, attached, handle } = await start(way);
    const open = (name: string, session = connection as Pick<Connection, 'open_sender'>) =>
      session.open_sender({ name, target: 'q' } as never);
    const session = connection.create_session();
    session.open();
    const [closed, detached, stays] = ['closed', 'detached', 'stays'].map((name) => open(name));
    const within = open('within', session);
    await until(() => [closed, detached, stays, within].every((link) => link?.is_open()));
    await loseOnly({ peer, connection });
    closed?.close();
    detached?.detach();
    session.close();
    await until(() => stays?.is_open());
    expect(attached.at(-1)).toEqual(['sender q stays']);
    expect(closed?.is_closed()).toBe(true);
    // And it can be opened anew.
    const again = open('closed');
    await until(() => again.is_open());
    handle?.detach();
    for (const end of [closed, detached, stays, session] as object[])
      for (const name of ['close', 'detach', 'end']) expect(Object.hasOwn(end, name)).toBe(false);
  });

  it.each(attachedWays)('and lost once more before it is open, %s', async (way) => {
    const { peer, connection, attached } = await start(way);
    await loseOnly({ peer, connection });
    const late = connection.open_sender({ name: 'late', target: 'q' } as never);
    // The next one is refused before it is open.
    peer.container.once('connection_open', () => {
      for (const socket of peer.sockets) socket.destroy();
    });
    await until(() => attached.length === 3 && late.is_open());
    expect(attached.at(-1)).toEqual(['sender q late']);
  });
});
