/* Detached while something is on its way. */
import { expect, it } from 'vitest';
import { quiet, startClient, until } from './support/client.ts';
import { FORCED } from './support/restoring.ts';
import { startPeer } from './support/server.ts';

const wraps = (end: object) =>
  ['dispatch', 'close', 'detach', 'remove', 'create_link', 'end'].filter((name) => Object.hasOwn(end, name));

it('a link that is just being attached again for a send has no wrap of ours left', async () => {
  const peer = await startPeer();
  const client = startClient(peer.port, { attach: { reconnect: false } });
  const sender = client.connection.open_sender('q');
  await client.handle.send(sender, { body: 'x' });
  peer.connection.find_receiver(() => true)?.close(FORCED);
  await until(() => sender.is_closed());
  const sending = client.handle.send(sender, { body: 'y' }).catch((reason) => reason);
  client.handle.detach();
  expect(await sending).toMatchObject({ name: 'AbortError' });
  await quiet();
  expect(wraps(sender)).toEqual([]);
  expect(wraps(sender.session)).toEqual([]);
});

it('nor a session that is just being begun again', async () => {
  const peer = await startPeer();
  const client = startClient(peer.port, { attach: { reconnect: false } });
  const sender = client.connection.open_sender('q');
  await client.handle.send(sender, { body: 'x' });
  peer.connection.find_receiver(() => true)?.session.close(FORCED);
  await until(() => sender.session.is_closed());
  const sending = client.handle.send(sender, { body: 'y' }).catch((reason) => reason);
  client.handle.detach();
  expect(await sending).toMatchObject({ name: 'AbortError' });
  await quiet();
  expect(wraps(sender)).toEqual([]);
  expect(wraps(sender.session)).toEqual([]);
});

it.each(['send', 'request'] as const)(
  'a %s that waits before it is repeated is rejected, and nothing more is sent',
  async (what) => {
    let times = 0;
    const peer = await startPeer({ accept: false }, (container) => {
      container.on('message', ({ delivery }) => {
        times++;
        delivery?.release();
      });
    });
    const client = startClient(peer.port, { attach: { retry: { baseDelayMs: 30, maxDelayMs: 30 } } });
    const sender = client.connection.open_sender('q');
    const pending =
      what === 'send' ? client.handle.send(sender, { body: 'x' }) : client.handle.request('node', { body: 'x' });
    const ended = pending.catch((reason) => reason);
    await until(() => client.retries.length === 1);
    client.handle.detach();
    expect(await ended).toMatchObject({ name: 'AbortError' });
    await quiet();
    expect(times).toBe(1);
  },
);
