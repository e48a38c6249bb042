/* A peer that vanished without a word: a cable, a NAT, a machine that hangs. */
import { once } from 'node:events';
import net from 'node:net';
import { type AmqpOptions, attachAmqp } from '@faultmap/amqp';
import rhea, { type EventContext } from 'rhea';
import { describe, expect, it } from 'vitest';
import { cleanup } from './support/cleanup.ts';
import { end, QUICK, startClient, until } from './support/client.ts';
import { type Peer, startPeer } from './support/server.ts';

/** What the peer was told, connection by connection. */
function toldTo(peer: Peer): unknown[] {
  const told: unknown[] = [];
  peer.container.on('connection_open', ({ connection }: EventContext) => told.push(connection.idle_time_out ?? 'none'));
  return told;
}

/** A wire to the peer that can be cut without either end hearing of it. */
async function startWire(to: number) {
  const pairs: [net.Socket, net.Socket][] = [];
  let frames = 0;
  const server = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far).pipe(near);
    far.on('data', () => frames++);
    pairs.push([near, far]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup(() => {
    for (const socket of pairs.flat()) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    connections: () => pairs.length,
    /** Frames of the peer that came through. */
    frames: () => frames,
    cut: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far).resume();
        far.unpipe(near).resume();
      }
    },
  };
}

describe('what the peer is told of silence', () => {
  it.each<[string, object, AmqpOptions, unknown]>([
    ['a minute, where nobody says anything', {}, {}, 60_000],
    ['what the option says', {}, { idleTimeoutMs: 5_000 }, 5_000],
    ['nothing, where it says so', {}, { idleTimeoutMs: Number.POSITIVE_INFINITY }, 'none'],
    ["the program's own", { idle_time_out: 7_000 }, { idleTimeoutMs: 5_000 }, 7_000],
    ["the program's own, though it is none", { idle_time_out: 0 }, {}, 0],
  ])('%s', async (_, connection, attach, expected) => {
    const peer = await startPeer();
    const told = toldTo(peer);
    const client = startClient(peer.port, { connection, attach });
    await until(() => client.connection.is_open());
    for (const socket of peer.sockets) socket.destroy();
    await until(() => told.length === 2);
    expect(told).toEqual([expected, expected]);
    client.handle.detach();
    expect(client.connection.local.open.idle_time_out ?? undefined).toBe(
      (connection as { idle_time_out?: number }).idle_time_out,
    );
  });

  it('nothing on a connection that is open already, since it sends no heartbeats: from the next one on', async () => {
    const peer = await startPeer();
    const told = toldTo(peer);
    const container = rhea.create_container();
    container.on('disconnected', () => {});
    const connection = container.connect({ host: '127.0.0.1', port: peer.port } as never);
    cleanup(() => end(connection));
    await until(() => connection.is_open());
    const handle = attachAmqp(connection, { reconnect: QUICK, idleTimeoutMs: 5_000 });
    expect(connection.local.open.idle_time_out ?? undefined).toBeUndefined();
    for (const socket of peer.sockets) socket.destroy();
    await until(() => told.length === 2);
    expect(told).toEqual(['none', 5_000]);
    handle.detach();
  });

  it('on every connection of a container, however it is made', async () => {
    const peer = await startPeer();
    const told = toldTo(peer);
    const container = rhea.create_container();
    container.on('disconnected', () => {});
    const handle = attachAmqp(container, { reconnect: QUICK });
    const first = container.connect({ host: '127.0.0.1', port: peer.port } as never);
    const second = container.create_connection({ host: '127.0.0.1', port: peer.port } as never);
    cleanup(() => [first, second].map(end));
    second.connect();
    await until(() => told.length === 2);
    expect(told).toEqual([60_000, 60_000]);
    handle.detach();
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 30, '60000'])('not %s', (idleTimeoutMs) => {
    const connection = rhea.create_container().create_connection({} as never);
    expect(() => attachAmqp(connection, { idleTimeoutMs: idleTimeoutMs as never })).toThrow(
      'attachAmqp: option idleTimeoutMs: expected a whole number of milliseconds from 1 to 1000000000, or Infinity for none',
    );
  });
});

describe('a peer that is silent', () => {
  it('is noticed, and the connection is made again', async () => {
    const peer = await startPeer();
    const wire = await startWire(peer.port);
    const client = startClient(wire.port, { attach: { idleTimeoutMs: 250 } });
    const sender = client.connection.open_sender('q');
    await client.handle.send(sender, { body: 'x' });
    wire.cut();
    await until(() => client.faults.length === 1, 'the fault');
    expect(client.faults[0]?.error).toMatchObject({ category: 'timeout', scope: 'connection' });
    await client.handle.send(sender, { body: 'y' });
    expect(wire.connections()).toBe(2);
    expect(client.faults).toHaveLength(1);
  });

  it('but there is not: its heartbeats keep the connection', async () => {
    const peer = await startPeer();
    const wire = await startWire(peer.port);
    const client = startClient(wire.port, { attach: { idleTimeoutMs: 600 } });
    await until(() => client.connection.is_open());
    const before = wire.frames();
    // Five times the half of it: past the twice of it after which silence would have been noticed.
    await until(() => wire.frames() >= before + 5, 'heartbeats');
    expect(client.connection.is_open()).toBe(true);
    expect(client.faults).toEqual([]);
    expect(wire.connections()).toBe(1);
  });
});
