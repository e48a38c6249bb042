/* A disposition may name a range of deliveries, and a peer that is not right any range. */
import { createRequire } from 'node:module';
import rhea, { type Connection, type EventContext } from 'rhea';
import { expect, it, vi } from 'vitest';
import { startClient, until } from './support/client.ts';
import { startPeer } from './support/server.ts';

const frames = createRequire(import.meta.url)('rhea/lib/frames.js') as { disposition(fields: object): object };
const accepted = (rhea.message as unknown as { accepted(): { described(): object } }).accepted;

/* rhea alone is busy for ten seconds with each. */
vi.setConfig({ testTimeout: 5_000 });

/** The peer's side of the only session. */
function sessionOf(connection: Connection) {
  const [session] = Object.values(connection.local_channel_map);
  return session as { output(frame: object): void };
}

it('all that ever were are accepted at once: what is on its way is, and nothing hangs', async () => {
  const peer = await startPeer({ accept: false }, (container) => {
    container.on('message', ({ connection }: EventContext) => {
      const all = { first: 0, last: 2 ** 32 - 1, settled: true, state: accepted().described() };
      sessionOf(connection as Connection).output(frames.disposition({ ...all, role: true }));
    });
  });
  const client = startClient(peer.port);
  const sender = client.connection.open_sender('q');
  for (const body of ['one', 'two', 'three']) await client.handle.send(sender, { body });
  expect(client.faults).toEqual([]);
});

it('and what was received, likewise', async () => {
  const peer = await startPeer();
  const client = startClient(peer.port);
  const receiver = client.connection.open_receiver({ source: 'q', autoaccept: false } as never);
  const seen: string[] = [];
  receiver.on('message', ({ message }: EventContext) => seen.push(String(message?.body)));
  receiver.on('settled', () => seen.push('settled'));
  await until(() => receiver.is_open());
  const theirs = peer.connection.find_sender(() => true);
  await until(() => theirs?.sendable());
  theirs?.send({ body: 'one' });
  await until(() => seen.length === 1);
  const all = { role: false, first: 0, last: 2 ** 32 - 1, settled: true };
  sessionOf(peer.connection).output(frames.disposition(all));
  theirs?.send({ body: 'two' });
  await until(() => seen.length === 3);
  expect(seen).toEqual(['one', 'settled', 'two']);
});
