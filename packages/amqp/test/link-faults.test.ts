import type { Container, EventContext } from 'rhea';
import { describe, expect, it } from 'vitest';
import { quiet, startClient, until } from './support/client.ts';
import { startPeer } from './support/server.ts';

const ADDRESS = '/devices/d1/messages/events';

async function start(script: (container: Container) => void) {
  const peer = await startPeer({}, script);
  return { peer, client: startClient(peer.port) };
}

/** A peer that detaches what is attached to it. */
function detaching(error?: object) {
  const close = ({ receiver, sender }: EventContext) => setImmediate(() => (receiver ?? sender)?.close(error));
  return start((container) => {
    container.on('receiver_open', close);
    container.on('sender_open', close);
  });
}

describe('the peer detaches a link', () => {
  it.each([
    ['amqp:link:stolen', 'conflict', 'never'],
    ['amqp:link:detach-forced', 'server', 'backoff'],
    ['amqp:not-found', 'not-found', 'never'],
    ['amqp:resource-limit-exceeded', 'quota', 'at-reset'],
    ['com.microsoft:device-container-throttled', 'throttled', 'throttled'],
    ['com.microsoft:iot-hub-suspended', 'unauthorized', 'never'],
    ['vendor:made-up', 'unknown', 'never'],
  ])('%s: one fault, category %s, with direction, address and info', async (condition, category, advice) => {
    const { client } = await detaching({
      condition,
      description: 'because',
      info: { 'com.microsoft:tracking-id': '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1' },
    });
    client.connection.open_sender(ADDRESS);
    await until(() => client.heard.includes('sender_close'));
    await quiet(20);
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({
      category,
      advice,
      condition,
      scope: 'link',
      detail: 'because',
      trackingId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1',
    });
    expect(client.connection.is_open()).toBe(true);
    expect(client.heard.filter((name) => name.startsWith('sender'))).toEqual([
      'sender_open',
      'sender_error',
      'sender_close',
    ]);
  });

  it('a receiver: the direction tells the condition apart', async () => {
    const { client } = await detaching({ condition: 'amqp:not-found', description: 'gone' });
    client.connection.open_receiver('/devices/d1/messages/devicebound');
    await until(() => client.heard.includes('receiver_close'));
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'not-found', scope: 'link' });
  });

  it('without an error: one fault', async () => {
    const { client } = await detaching();
    client.connection.open_sender(ADDRESS);
    await until(() => client.heard.includes('sender_close'));
    await quiet(20);
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ scope: 'link', transport: 'amqp' });
  });

  it('refused with the attach itself: the success that precedes it is none', async () => {
    const { client } = await start((container) => {
      container.on('receiver_open', ({ receiver }) =>
        receiver.close({ condition: 'amqp:unauthorized-access', description: 'link disallowed by local policy' }),
      );
    });
    client.connection.open_sender(ADDRESS);
    await until(() => client.heard.includes('sender_close'));
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'unauthorized', scope: 'link' });
  });

  it('closed by this side: no fault', async () => {
    const { client } = await start(() => {});
    const sender = client.connection.open_sender(ADDRESS);
    await until(() => sender.is_open());
    sender.close();
    await until(() => client.heard.includes('sender_close'));
    const other = client.connection.create_session();
    other.begin();
    await until(() => other.is_open());
    other.close();
    await until(() => client.heard.includes('session_close'));
    client.connection.close();
    await until(() => client.heard.includes('connection_close'));
    await quiet();
    expect(client.faults).toEqual([]);
    expect(client.retries).toEqual([]);
  });
});

describe('the peer ends a session', () => {
  it.each([[{ condition: 'amqp:session:window-violation', description: 'full' }], [undefined]])(
    'with %o: one fault, whatever links it had',
    async (error) => {
      const { client } = await start((container) => {
        container.on('receiver_open', ({ session }) => setImmediate(() => session?.close(error)));
      });
      client.connection.open_receiver('a');
      client.connection.open_sender(ADDRESS);
      await until(() => client.heard.includes('session_close'));
      await quiet(20);
      expect(client.faults).toHaveLength(1);
      expect(client.faults[0]?.error).toMatchObject({ scope: 'session', transport: 'amqp' });
      expect(client.faults[0]?.error.condition).toBe(error?.condition);
      expect(client.connection.is_open()).toBe(true);
    },
  );
});

describe('the application listens where it likes', () => {
  it('on link, session, connection and container at once: each level hears what it heard without us', async () => {
    const run = async (attached: boolean) => {
      const { client } = await detaching({ condition: 'amqp:link:detach-forced' });
      if (!attached) client.handle.detach();
      const heard: string[] = [];
      const { connection } = client;
      const listen = (level: string, end: { on(name: string, listener: () => void): unknown }, ...names: string[]) => {
        for (const name of names) end.on(name, () => heard.push(`${level} ${name}`));
      };
      const sender = connection.open_sender(ADDRESS);
      listen('link', sender, 'sender_error');
      listen('session', sender.session, 'sender_close', 'session_open');
      listen('connection', connection, 'sender_open', 'disconnected');
      listen('container', client.container, 'sendable', 'accepted', 'settled');
      await until(() => heard.includes('session sender_close'));
      return heard;
    };
    expect(await run(true)).toEqual(await run(false));
  });
});
