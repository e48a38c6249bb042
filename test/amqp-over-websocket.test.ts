import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { attachAmqp } from '@faultmap/amqp';
import type { FaultEvent } from '@faultmap/core';
import rhea, { type EventContext, type Message } from 'rhea';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

const QUICK = { baseDelayMs: 5, maxDelayMs: 20 };

async function until(holds: () => unknown): Promise<void> {
  for (let n = 0; n < 1_000 && !holds(); n++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(holds()).toBeTruthy();
}

test('a connection over WebSocket: sends, requests, a loss, a peer that never opens', async () => {
  const peer = rhea.create_container();
  for (const name of ['disconnected', 'connection_error', 'protocol_error', 'error']) peer.on(name, () => {});
  peer.on('message', ({ message, session }: EventContext) => {
    if (message?.message_id === undefined) return;
    session?.find_sender(() => true)?.send({ body: 'yes', correlation_id: message.message_id } as Message);
  });
  let mute = false;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    if (!mute) peer.websocket_accept(socket as never, {} as never);
  });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const container = rhea.create_container();
  container.on('disconnected', () => {});
  const details = container.websocket_connect(WebSocket as never)(url, ['AMQPWSB10'], {});
  const connection = container.connect({ connection_details: details } as never);
  const handle = attachAmqp(connection, { reconnect: { ...QUICK, connectTimeoutMs: 300 }, retry: QUICK });
  const faults: FaultEvent[] = [];
  const recovered: FaultEvent[] = [];
  handle.on('fault', (event) => faults.push(event));
  handle.on('recovered', (event) => recovered.push(event));

  const sender = connection.open_sender('q');
  await handle.send(sender, { body: 'x' });
  expect((await handle.request('node', { body: 1 })).body).toBe('yes');
  expect(faults).toEqual([]);

  mute = true;
  for (const socket of server.clients) socket.terminate();
  await until(() => faults.length === 2);
  expect(faults[1]?.error).toMatchObject({ category: 'timeout', scope: 'connection', executed: 'no' });
  mute = false;
  await handle.send(sender, { body: 'y' });
  await until(() => recovered.length === 1);

  handle.detach();
  connection.close();
  await once(connection, 'connection_close');
  for (const socket of server.clients) socket.terminate();
  server.close();
});
