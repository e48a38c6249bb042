import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { attachAmqp } from '@faultmap/amqp';
import type { FaultEvent } from '@faultmap/core';
import rhea, { type Connection, type Message } from 'rhea';
import { describe, expect, it } from 'vitest';
import { cleanup } from './support/cleanup.ts';
import { end, QUICK, quiet, startClient, until } from './support/client.ts';
import { insideOf } from './support/internals.ts';
import { startPeer } from './support/server.ts';

/** Every own property, listener and option that attaching could have left behind. */
function traces(end: object): Record<string, unknown> {
  const emitter = end as { eventNames(): (string | symbol)[]; listenerCount(name: string | symbol): number };
  return {
    own: Reflect.ownKeys(end).map(String).sort(),
    listeners: Object.fromEntries(emitter.eventNames().map((name) => [name, emitter.listenerCount(name)])),
  };
}

function everything(connection: Connection) {
  const all: Record<string, unknown> = { connection: traces(connection), reconnect: connection.options.reconnect };
  for (const [channel, session] of Object.entries<Connection>(connection.local_channel_map)) {
    all[`session ${channel}`] = traces(session);
    all[`incoming ${channel}`] = Reflect.ownKeys(session.incoming).sort();
    for (const [name, link] of Object.entries<Connection>(session.links)) {
      all[`link ${name}`] = traces(link);
      all[`observers ${name}`] = traces(link.observers);
    }
  }
  return all;
}

async function openClient() {
  const peer = await startPeer();
  const container = rhea.create_container();
  container.on('disconnected', () => {});
  const connection = container.connect({ host: '127.0.0.1', port: peer.port } as never);
  cleanup(() => end(connection));
  const sender = connection.open_sender({ name: 's', target: 'q' } as never);
  const receiver = connection.open_receiver({ name: 'r', source: 'q' } as never);
  await until(() => sender.is_open() && receiver.is_open());
  return { peer, connection, sender, receiver };
}

describe('detach', () => {
  it('leaves connection, sessions and links as they were', async () => {
    const { connection, sender } = await openClient();
    const before = everything(connection);
    const handle = attachAmqp(connection);
    expect(everything(connection)).not.toEqual(before);
    await handle.send(sender, { body: 'x' });
    handle.detach();
    expect(everything(connection)).toEqual(before);
    for (const name of ['dispatch', 'create_session', 'init', 'idle', 'close', 'reconnect'])
      expect(Object.hasOwn(connection, name)).toBe(false);
    expect(Object.hasOwn(sender, 'dispatch')).toBe(false);
    expect(Object.hasOwn(sender.session, 'dispatch')).toBe(false);
    expect(Object.hasOwn(sender.session, 'create_link')).toBe(false);
    handle.detach();
    expect(everything(connection)).toEqual(before);
  });

  it('also those made while attached, also after a reconnect, and requests’ own links are closed', async () => {
    const { peer, connection, sender } = await openClient();
    const handle = attachAmqp(connection, { reconnect: QUICK, attemptTimeoutMs: 200 });
    const session = connection.create_session();
    session.begin();
    const other = session.open_sender('other');
    await until(() => other.is_open());
    const asking = handle.request('node', { body: 1 }).catch((reason) => reason);
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => sender.is_open() && other.is_open());
    await asking;
    const again = handle.request('node', { body: 1 }).catch((reason) => reason);
    await quiet(20);
    handle.detach();
    expect(await again).toMatchObject({ name: 'AbortError' });
    for (const made of [connection, session, other, sender]) expect(Object.hasOwn(made, 'dispatch')).toBe(false);
    expect(Object.hasOwn(insideOf(session).incoming, 'update')).toBe(false);
    await until(() => Object.keys(connection.local_channel_map).length === 2);
  });

  it('rejects all who wait, and the handle is of no more use', async () => {
    const { connection, receiver } = await openClient();
    const handle = attachAmqp(connection, { creditTimeoutMs: 60_000 });
    const peer = await startPeer({ accept: false });
    const there = rhea.create_container().connect({ host: '127.0.0.1', port: peer.port } as never);
    cleanup(() => end(there));
    const sender = there.open_sender('q');
    const waiting = attachAmqp(there);
    await until(() => sender.is_open());
    const sending = waiting.send(sender, { body: 'x' });
    const asking = waiting.request('node', { body: 'x' });
    const both = Promise.allSettled([sending, asking]);
    await quiet(20);
    waiting.detach();
    for (const outcome of await both)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
    await expect(waiting.send(sender, { body: 'x' })).rejects.toMatchObject({ name: 'AbortError' });
    handle.detach();
    expect(receiver.is_open()).toBe(true);
  });

  it('while a reconnect is waited for: the library goes on with it', async () => {
    const { peer, connection } = await openClient();
    const handle = attachAmqp(connection, { reconnect: { baseDelayMs: 1e6, maxDelayMs: 1e6 }, random: () => 0.5 });
    const retries: FaultEvent[] = [];
    handle.on('retry', (event) => retries.push(event));
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => retries.length === 1);
    handle.detach();
    await until(() => connection.is_open());
  });

  it('keeps what somebody else wrapped afterwards, and is silent below it', async () => {
    const { connection } = await openClient();
    const handle = attachAmqp(connection);
    const faults: FaultEvent[] = [];
    handle.on('fault', (event) => faults.push(event));
    const ours = connection.dispatch;
    const theirs = function (this: Connection, ...args: unknown[]) {
      return ours.apply(this, args);
    };
    connection.dispatch = theirs;
    handle.detach();
    expect(connection.dispatch).toBe(theirs);
    connection.dispatch('protocol_error', new Error('x'));
    expect(faults).toEqual([]);
    delete connection.dispatch;
  });
});

describe('attach', () => {
  it('twice gives the first handle; with other options it is an error that says what to do', async () => {
    const { connection } = await openClient();
    const options = { retry: { maxAttempts: 2 } };
    const handle = attachAmqp(connection, options);
    expect(attachAmqp(connection, { retry: { maxAttempts: 2 } })).toBe(handle);
    expect(() => attachAmqp(connection, { retry: { maxAttempts: 3 } })).toThrow(/attached already.*detach\(\)/);
    handle.detach();
    attachAmqp(connection, { retry: { maxAttempts: 3 } }).detach();
  });

  it('says which option is wrong, what was expected and what came', async () => {
    const { connection } = await openClient();
    expect(() => attachAmqp({} as never)).toThrow(
      /attachAmqp: option connection: expected a connection or container of rhea 3/,
    );
    expect(() => attachAmqp(connection, { keepAlive: 'yes' as never })).toThrow(
      /option keepAlive: expected a boolean, got "yes"/,
    );
    expect(() => attachAmqp(connection, { retry: { maxAttempts: 0 } })).toThrow(/retry\.maxAttempts/);
    expect(() => attachAmqp(connection, { reconnect: { baseDelayMs: -1 } })).toThrow(/reconnect\.baseDelayMs/);
    expect(() => attachAmqp(connection, { recconect: {} } as never)).toThrow(/recconect/);
    expect(everything(connection)).toEqual(everything(connection));
    expect(Object.hasOwn(connection, 'dispatch')).toBe(false);
  });

  it('a listener that throws harms nobody', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port);
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on('warning', onWarning);
    cleanup(() => process.off('warning', onWarning));
    client.handle.on('fault', () => {
      throw new Error('my own bug');
    });
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.recovered.length === 1);
    await until(() => warnings.some((text) => text.includes('my own bug')));
    expect(client.faults).toHaveLength(1);
  });

  it('off takes a listener away, and the diagnostics channel hears all', async () => {
    const heard: unknown[] = [];
    const onFault = (event: unknown) => heard.push(event);
    subscribe('faultmap:fault', onFault);
    cleanup(() => unsubscribe('faultmap:fault', onFault));
    const peer = await startPeer();
    const client = startClient(peer.port);
    const calls: unknown[] = [];
    const listener = (event: FaultEvent) => calls.push(event);
    client.handle.on('fault', listener);
    client.handle.off('fault', listener);
    await until(() => client.connection.is_open());
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.faults.length === 1);
    expect(calls).toEqual([]);
    expect(heard).toEqual(client.faults);
  });

  it('a container: every connection made from it, under one handle', async () => {
    const [one, two] = [await startPeer(), await startPeer()];
    const container = rhea.create_container();
    container.on('disconnected', () => {});
    const handle = attachAmqp(container, { reconnect: QUICK, random: () => 0.5 });
    const faults: FaultEvent[] = [];
    handle.on('fault', (event) => faults.push(event));
    const connections = [one, two].map(({ port }) => container.connect({ host: '127.0.0.1', port } as never));
    for (const connection of connections) cleanup(() => end(connection));
    const senders = connections.map((connection) => connection.open_sender('q'));
    await Promise.all(senders.map((sender) => handle.send(sender, { body: 'x' })));
    await expect(handle.request('node', { body: 1 })).rejects.toThrow(/has 2 connections/);
    for (const peer of [one, two]) for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => faults.length === 2);
    await Promise.all(senders.map((sender) => handle.send(sender, { body: 'x' })));
    handle.detach();
    for (const connection of connections) expect(Object.hasOwn(connection, 'dispatch')).toBe(false);
    expect(Object.hasOwn(container, 'connect')).toBe(false);
  });

  it('a connection of rhea-promise, by what it wraps', async () => {
    const { connection, sender } = await openClient();
    // What rhea-promise keeps: its Connection has `_connection`, its links have `_link`.
    const wrapped = { _connection: connection };
    const handle = attachAmqp(wrapped as never);
    await handle.send({ _link: sender } as never, { body: 'x' });
    handle.detach();
  });

  it('leaks nothing: hundreds of links opened and closed, a hundred times attached', async () => {
    const { connection, sender } = await openClient();
    for (let n = 0; n < 100; n++) attachAmqp(connection).detach();
    const handle = attachAmqp(connection);
    for (let n = 0; n < 10; n++) {
      const links = Array.from({ length: 30 }, () => connection.open_sender('q'));
      await Promise.all(links.map((link) => handle.send(link, { body: 'x' } as Message)));
      for (const link of links) link.close();
      await until(() => links.every((link) => link.is_closed()));
    }
    await handle.send(sender, { body: 'x' });
    handle.detach();
    expect(Object.keys(insideOf(sender.session).links)).toHaveLength(2);
  });
});
