import type { EventContext, Receiver, Sender } from 'rhea';
import { describe, expect, it } from 'vitest';
import { fastClock, QUICK, quiet, startClient, until } from './support/client.ts';
import { caught } from './support/receiving.ts';
import { accept, each, FORCED, RETRY, start } from './support/sending.ts';
import { startPeer } from './support/server.ts';

describe('a send that loses its connection, session or link', () => {
  const lossOf = {
    'the socket': ({ connection }: EventContext) => connection.socket.resetAndDestroy(),
    'a forced close': ({ connection }: EventContext) => connection.close({ condition: 'amqp:connection:forced' }),
    'a fatal close': ({ connection }: EventContext) => connection.close({ condition: 'amqp:internal-error' }),
    'a close without error': ({ connection }: EventContext) => connection.close(),
    'the session': ({ session }: EventContext) => session?.close({ condition: 'amqp:session:window-violation' }),
    'the link': ({ receiver }: EventContext) =>
      receiver?.close({ condition: 'amqp:link:detach-forced', description: 'moved' }),
    'a detach without error': ({ receiver }: EventContext) => receiver?.detach(),
  };

  it.each(Object.entries(lossOf))('%s: unknown outcome, not sent again unless idempotent', async (_what, lose) => {
    const { client, sender } = await start((container) => each(container, (_, context) => lose(context)));
    const error = await caught(client.handle.send(sender, { body: 'x' }, { attemptTimeoutMs: 3_000 }));
    expect(error).toMatchObject({ executed: 'unknown', stopped: 'not-idempotent', attempts: 1 });
    expect(client.faults).toHaveLength(1);
    expect((error as Error).cause).toBe(client.faults[0]?.error);
  });

  it.each(Object.entries(lossOf))(
    '%s: an idempotent one is sent again on the link that is back',
    async (_what, lose) => {
      let bodies: unknown[] = [];
      const { client, sender } = await start((container) => {
        bodies = each(container, (_, context) => lose(context), accept);
      });
      await client.handle.send(sender, { body: 'x' }, { idempotent: true });
      expect(bodies).toEqual(['x', 'x']);
      expect(client.faults).toHaveLength(1);
      await client.handle.send(sender, { body: 'y' });
      expect(bodies).toEqual(['x', 'x', 'y']);
    },
  );

  it.each(['amqp:link:stolen', 'com.microsoft:link-creation-conflict'])(
    '%s: somebody else has it now, so it is never attached again',
    async (condition) => {
      let attached = 0;
      const { client, sender } = await start((container) => {
        container.on('receiver_open', () => attached++);
        each(container, (_, { receiver }) => receiver?.close({ condition }));
      });
      const first = await caught(client.handle.send(sender, { body: 'x' }, { idempotent: true }));
      expect(first).toMatchObject({ category: 'conflict', condition, stopped: 'not-transient' });
      const second = await caught(client.handle.send(sender, { body: 'x' }, { idempotent: true }));
      expect(second).toMatchObject({ category: 'conflict', executed: 'no', stopped: 'not-transient' });
      expect(attached).toBe(1);
      expect(client.faults).toHaveLength(1);
    },
  );

  it('the link, in the middle of a message: its rest is not written, on the old link or the new one', async () => {
    const bodies: unknown[] = [];
    const peer = await startPeer(
      // Room for four frames: the others are held back.
      { connection: { max_frame_size: 1_024, session_buffer_size: 4 } },
      (container) => container.on('message', ({ message }) => bodies.push(message?.body)),
    );
    const client = startClient(peer.port, { attach: { retry: RETRY } });
    const [sender, other] = ['q', 'other'].map((address) => client.connection.open_sender(address)) as [Sender, Sender];
    await until(() => sender.is_open() && other.is_open());
    const sending = caught(client.handle.send(sender, { body: 'x'.repeat(50_000) }));
    await quiet(20);
    const waiting = client.handle.send(other, { body: 'behind it' }, { attemptTimeoutMs: 3_000 });
    peer.connection.find_receiver((link: Receiver) => link.target.address === 'q')?.close(FORCED);
    expect(await sending).toMatchObject({ executed: 'unknown', condition: FORCED.condition });
    await waiting;
    await client.handle.send(sender, { body: 'after it' });
    expect(bodies).toEqual(['behind it', 'after it']);
    expect(client.faults).toHaveLength(1);
    expect(client.heard).not.toContain('disconnected');
  });

  it('many at once: one fault for the loss, and each rejected with it as the cause', async () => {
    const { client, sender, peer } = await start((container) => each(container, () => {}));
    const sending = Array.from({ length: 50 }, (_, n) => caught(client.handle.send(sender, { body: n })));
    await quiet(20);
    for (const socket of peer.sockets) socket.resetAndDestroy();
    const errors = await Promise.all(sending);
    expect(client.faults).toHaveLength(1);
    for (const error of errors) expect((error as Error).cause).toBe(client.faults[0]?.error);
  });

  it('sends begun while there is no connection wait for it, and are sent once', async () => {
    let bodies: unknown[] = [];
    const { client, sender, peer } = await start((container) => {
      bodies = each(container, accept);
    });
    for (const socket of peer.sockets) socket.destroy();
    await until(() => client.faults.length === 1);
    await Promise.all(['a', 'b', 'c'].map((body) => client.handle.send(sender, { body })));
    expect(bodies).toEqual(['a', 'b', 'c']);
  });

  it('a link detached just before the connection is lost is attached again with it', async () => {
    let bodies: unknown[] = [];
    const { client, sender, peer } = await start((container) => {
      bodies = each(container, accept);
    });
    peer.connection.find_receiver(() => true)?.close({ condition: 'amqp:link:detach-forced' });
    await until(() => client.faults.length === 1);
    for (const socket of peer.sockets) socket.destroy();
    await until(() => client.faults.length === 2);
    await client.handle.send(sender, { body: 'a' });
    expect(bodies).toEqual(['a']);
    expect(client.faults).toHaveLength(2);
  });

  it('a connection that stays away for long ends them at once, unsent', async () => {
    const { client, sender } = await start(
      (container) =>
        each(container, (_, { connection }) =>
          connection.close({ condition: 'amqp:unauthorized-access', description: 'disabled' }),
        ),
      { attach: { reconnect: { ...QUICK, onPermanentFault: 'stop' }, clock: fastClock(20) } },
    );
    await caught(client.handle.send(sender, { body: 'x' }));
    await until(() => client.givenUp.some(({ operation }) => operation === 'reconnect') || client.retries.length > 0);
    expect(client.faults[0]?.error).toMatchObject({ category: 'unauthorized' });
  });
});
