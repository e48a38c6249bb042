/* Links that wait after a reconnect until the token is put. */
import { once } from 'node:events';
import net from 'node:net';
import type { EventContext, Message } from 'rhea';
import { expect, it } from 'vitest';
import { cleanup } from './support/cleanup.ts';
import { startClient, until } from './support/client.ts';
import { startPeer } from './support/server.ts';

const credentials = () => ({ cbs: { name: 'hub', token: 'right' } });

/** A client whose token is put; the next one waits for `answer`, and the next connection for `connect`. */
async function start() {
  const attached: string[][] = [];
  let answers = true;
  const waiting: (() => void)[] = [];
  const peer = await startPeer({ accept: true }, (container) => {
    container.on('connection_open', () => attached.push([]));
    container.on('receiver_open', ({ receiver }) => {
      if (receiver.target.address !== '$cbs') attached.at(-1)?.push(receiver.name);
    });
    container.on('message', ({ message, session }: EventContext) => {
      const application_properties = { 'status-code': 200 };
      const answer = { body: '', correlation_id: message?.message_id, application_properties } as Message;
      const send = () => session?.find_sender(() => true)?.send(answer);
      if (answers) send();
      else waiting.push(send);
    });
  });
  let open = true;
  const pairs: [net.Socket, net.Socket][] = [];
  const through = ([near, far]: [net.Socket, net.Socket]) => near.pipe(far).pipe(near);
  const proxy = net.createServer((near) => {
    const far = net.connect(peer.port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => {});
    pairs.push([near, far]);
    if (open) through([near, far]);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  cleanup(() => {
    for (const socket of pairs.flat()) socket.destroy();
    proxy.close();
  });
  const client = startClient((proxy.address() as net.AddressInfo).port, { attach: { credentials } });
  await client.handle.request('$cbs', {
    application_properties: { operation: 'put-token', name: 'hub' },
    body: 'right',
  });
  const sender = client.connection.open_sender({ name: 's', target: 'q' } as never);
  await until(() => sender.is_open());
  return {
    client,
    sender,
    attached,
    waiting,
    connections: () => pairs.length,
    lose: ({ connects = true, token = false }) => {
      open = connects;
      answers = token;
      for (const socket of pairs.flat()) socket.destroy();
    },
    connect: () => through(pairs.at(-1) as [net.Socket, net.Socket]),
    answer: () => {
      for (const send of waiting.splice(0)) send();
    },
  };
}

it('are attached when it is', async () => {
  const { sender, attached, waiting, lose, answer } = await start();
  lose({});
  await until(() => waiting.length === 1);
  expect(attached.at(-1)).toEqual([]);
  answer();
  await until(() => sender.is_open());
  expect(attached.at(-1)).toEqual(['s']);
});

it('with those that were opened while the connection was away', async () => {
  const { client, sender, attached, waiting, lose, answer } = await start();
  lose({});
  await once(client.connection, 'disconnected');
  const late = client.connection.open_sender({ name: 'late', target: 'q' } as never);
  await until(() => waiting.length === 1);
  expect(attached.at(-1)).toEqual([]);
  answer();
  await until(() => sender.is_open() && late.is_open());
  expect(attached.at(-1)?.toSorted()).toEqual(['late', 's']);
});

it('with those of requests; one that is made meanwhile waits', async () => {
  const { client, attached, waiting, lose, answer } = await start();
  const names = () => attached.at(-1)?.filter((name) => name !== 's');
  await client.handle.request('node', { body: '' }, { replyTo: 'me' });
  lose({});
  await until(() => waiting.length === 1);
  expect(names()).toEqual([]);
  const answered = client.handle.request('node', { body: '' }, { replyTo: 'me' });
  answer();
  await until(() => waiting.length === 1);
  answer();
  await answered;
  expect(names()).toHaveLength(1);
  expect(client.faults).toHaveLength(1);
});

it('stay away where the application closes them meanwhile', async () => {
  const { client, sender, attached, waiting, lose, answer } = await start();
  const other = client.connection.open_sender({ name: 'other', target: 'q' } as never);
  await until(() => other.is_open());
  lose({});
  await until(() => waiting.length === 1);
  sender.close();
  answer();
  await until(() => other.is_open());
  expect(attached.at(-1)).toEqual(['other']);
  expect(Object.hasOwn(other, 'close')).toBe(false);
});

it('are attached at detach, where the token is still to be answered', async () => {
  const { client, sender, attached, waiting, lose } = await start();
  lose({});
  await until(() => waiting.length === 1);
  client.handle.detach();
  await until(() => sender.is_open());
  expect(attached.at(-1)).toEqual(['s']);
  expect(Object.hasOwn(sender, 'close')).toBe(false);
});

it('and where the connection is still to be opened', async () => {
  const { client, sender, attached, connections, lose, connect } = await start();
  lose({ connects: false });
  await until(() => connections() === 2);
  client.handle.detach();
  connect();
  await until(() => sender.is_open());
  expect(attached.at(-1)).toEqual(['s']);
});

it('and where the connection was lost once more', async () => {
  const { client, sender, attached, waiting, lose } = await start();
  lose({});
  await until(() => waiting.length === 1);
  const gone = once(client.connection, 'disconnected');
  lose({});
  await gone;
  client.handle.detach();
  await until(() => sender.is_open());
  expect(attached.at(-1)).toEqual(['s']);
});
