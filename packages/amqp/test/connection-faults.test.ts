import { connect, type LookupFunction, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { fastClock, QUICK, quiet, startClient, until } from './support/client.ts';
import { OPEN, speak } from './support/frames.ts';
import { startPeer, startRaw } from './support/server.ts';

const TRACKING = '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:11-TimeStamp:11/07/2018 09:22:57';

/** A peer that closes every connection with this, at the first begin. */
function closing(error?: object) {
  return startPeer({}, (container) => {
    container.on('session_open', ({ connection }) => connection.close(error));
  });
}

describe('the peer closes the connection', () => {
  it('with a fatal error: one fault with condition, text, tracking id; the application hears what rhea says', async () => {
    const peer = await closing({
      condition: 'amqp:unauthorized-access',
      description: JSON.stringify({ errorCode: 401002, trackingId: TRACKING, message: 'Unauthorized access' }),
      info: { 'com.microsoft:tracking-id': TRACKING },
    });
    const client = startClient(peer.port, { attach: { reconnect: false } });
    client.connection.open_sender('/devices/d1/messages/events');
    await until(() => client.heard.includes('connection_close'));
    await quiet();
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({
      category: 'unauthorized',
      code: 401002,
      reason: 'IotHubUnauthorizedAccess',
      scope: 'connection',
      transport: 'amqp',
      condition: 'amqp:unauthorized-access',
      trackingId: TRACKING,
    });
    expect(client.heard.filter((name) => name.startsWith('connection'))).toEqual([
      'connection_open',
      'connection_error',
      'connection_close',
    ]);
    expect(client.heard).not.toContain('disconnected');
  });

  it.each([
    ['forced', 'amqp:connection:forced', {}],
    ['taken for not fatal', 'amqp:internal-error', { all_errors_non_fatal: true }],
  ])('%s: one fault, and the connection is made again with its links', async (_what, condition, connection) => {
    let times = 0;
    const peer = await startPeer({}, (container) => {
      container.on('receiver_open', (context) => {
        if (++times === 1) context.connection.close({ condition, description: 'moved' });
      });
    });
    const client = startClient(peer.port, { connection });
    const sender = client.connection.open_sender('q');
    await until(() => client.recovered.length === 1 && sender.is_open());
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'server', condition });
    expect(client.retries).toMatchObject([{ operation: 'reconnect', attempt: 1 }]);
    expect(client.heard).toContain('disconnected');
    expect(times).toBe(2);
  });

  it('with a fatal error that passes: it is made again all the same', async () => {
    let times = 0;
    const peer = await startPeer({}, (container) => {
      container.on('receiver_open', ({ connection }) => {
        if (++times === 1) connection.close({ condition: 'amqp:internal-error', description: 'oops' });
      });
    });
    const client = startClient(peer.port);
    const sender = client.connection.open_sender('q');
    await until(() => client.recovered.length === 1 && sender.is_open());
    expect(client.faults).toHaveLength(1);
    expect(times).toBe(2);
  });

  it('without an error: one fault, and it is made again', async () => {
    let times = 0;
    const peer = await startPeer({}, (container) => {
      container.on('receiver_open', ({ connection }) => {
        if (++times === 1) connection.close();
      });
    });
    const client = startClient(peer.port);
    client.connection.open_sender('q');
    await until(() => client.recovered.length === 1);
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ scope: 'connection', transport: 'amqp' });
  });

  it('at once after its OPEN: the refusal is the fault, and nothing counts as recovered', async () => {
    let refuse = true;
    const peer = await startPeer({}, (container) => {
      container.on('connection_open', ({ connection }) => {
        if (refuse) connection.close({ condition: 'amqp:internal-error', description: 'no room' });
      });
    });
    const client = startClient(peer.port, {
      attach: { clock: fastClock(50), reconnect: { ...QUICK, connectTimeoutMs: 1e6 } },
    });
    await until(() => client.retries.length === 3);
    expect(client.faults).toHaveLength(3);
    expect(client.recovered).toHaveLength(0);
    expect(client.retries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    refuse = false;
  });

  it('because a newer connection took over: it is not answered by taking back', async () => {
    const peer = await closing({
      condition: 'amqp:internal-error',
      description: 'Another AMQP Client has opened a connection for the same device',
    });
    const client = startClient(peer.port);
    client.connection.open_sender('q');
    await until(() => client.givenUp.length === 1);
    await quiet();
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'conflict', code: 400027 });
    expect(client.givenUp[0]?.nextProbeAt).toBeInstanceOf(Date);
    expect(client.retries[0]?.delayMs).toBeGreaterThanOrEqual(60_000);
    expect(peer.connections.size).toBe(0);
  });
});

describe('SASL', () => {
  it('refused: one fault; with fresh credentials the same connection is made again', async () => {
    const peer = await startPeer({ plain: (_user, password) => password === 'right' });
    const asked: string[] = [];
    const client = startClient(peer.port, {
      connection: { username: 'dev', password: 'wrong' },
      attach: {
        credentials: ({ error }) => {
          asked.push(error.category);
          return { password: 'right' };
        },
      },
    });
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    await until(() => client.recovered.length === 1);
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'unauthorized', condition: 'amqp:unauthorized-access' });
    expect(asked).toEqual(['unauthorized']);
    await expect(client.handle.send(sender, { body: 'x' })).resolves.toBeDefined();
  });

  it('no common mechanism, and an internal error of the server: told as what they are', async () => {
    const none = await startPeer({ plain: () => true });
    const client = startClient(none.port, { connection: { username: 'dev' } });
    await until(() => client.faults.length === 1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'unauthorized', scope: 'connection' });
    expect(client.faults[0]?.error.detail).toContain('No suitable mechanism');

    const broken = await startPeer({ plain: () => Promise.reject(new Error('database')) });
    const other = startClient(broken.port, { connection: { username: 'dev', password: 'x' } });
    await until(() => other.faults.length === 1);
    expect(other.faults[0]?.error).toMatchObject({ category: 'server', condition: 'amqp:internal-error' });
  });

  it('missing where the server wants it: the silent close is a fault', async () => {
    const peer = await startPeer({ plain: () => true, connection: { require_sasl: true } });
    const client = startClient(peer.port);
    await until(() => client.faults.length >= 1);
    expect(client.faults[0]?.error).toMatchObject({ scope: 'connection', transport: 'amqp' });
  });
});

describe('the socket', () => {
  it('is refused: a fault for each attempt, with growing numbers', async () => {
    const { port, stop } = await startPeer();
    await stop();
    const client = startClient(port);
    await until(() => client.faults.length === 3);
    expect(client.faults[0]?.error).toMatchObject({ category: 'network', reason: 'ECONNREFUSED', executed: 'no' });
    expect(client.retries.slice(0, 3).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('is refused at both addresses of a name: told by the code of the inner errors', async () => {
    const { port, stop } = await startPeer();
    await stop();
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
    const lookup: LookupFunction = (_name, _options, done) => done(null, addresses);
    const open = (_port: number, _host: string, _options: object, done: () => void) =>
      connect({ port, host: 'two.test', lookup, autoSelectFamily: true }, done);
    const client = startClient(port, {
      connection: { connection_details: () => ({ port, host: 'x', connect: open }) },
    });
    await until(() => client.faults.length === 1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'network', reason: 'ECONNREFUSED', executed: 'no' });
  });

  it('name is not known', async () => {
    const client = startClient(1, { connection: { host: 'nowhere.invalid' } });
    await until(() => client.faults.length === 1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'network' });
  });

  it('is closed (FIN), and reset (RST): one fault each, then recovered', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port, {
      attach: { clock: fastClock(50), reconnect: { ...QUICK, connectTimeoutMs: 1e6 } },
    });
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    for (const socket of peer.sockets) socket.end();
    await until(() => client.recovered.length === 1);
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ scope: 'connection', transport: 'amqp' });
    await until(() => sender.is_open());
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.recovered.length === 2);
    expect(client.faults).toHaveLength(2);
    expect(client.faults[1]?.error).toMatchObject({ category: 'network', reason: 'ECONNRESET' });
  });

  it('is silent for too long: a keepalive time-out, not a quota', async () => {
    const peer = await startRaw((socket) => speak(socket, [OPEN]));
    const client = startClient(peer.port, { connection: { idle_time_out: 30 } });
    await until(() => client.faults.length === 1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'timeout', scope: 'connection' });
    expect(client.faults[0]?.error.reason).not.toContain('resource-limit');
  });

  it('is closed by the peer for being idle: the condition of a quota, but none', async () => {
    const peer = await closing({
      condition: 'amqp:resource-limit-exceeded',
      description: 'local-idle-timeout expired',
    });
    const client = startClient(peer.port);
    client.connection.open_sender('q');
    await until(() => client.faults.length >= 1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'timeout', condition: 'amqp:resource-limit-exceeded' });
  });

  it('never answers with an OPEN: a time-out, and another attempt', async () => {
    const peer = await startRaw(() => {});
    const client = startClient(peer.port, { attach: { reconnect: { ...QUICK, connectTimeoutMs: 30 } } });
    await until(() => client.faults.length === 2);
    expect(client.faults[0]?.error).toMatchObject({ category: 'timeout', scope: 'connection', executed: 'no' });
    expect(client.heard.filter((name) => name === 'disconnected').length).toBeGreaterThanOrEqual(1);
  });

  it.each([
    ['HTTP', (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['two OPENs', (socket: Socket) => speak(socket, [OPEN, OPEN])],
    [
      'a frame that cannot be decoded',
      (socket: Socket) => speak(socket, [OPEN, Buffer.from('0000000c020000000053100f', 'hex')]),
    ],
  ])('sends %s: one fault', async (_what, talk) => {
    const peer = await startRaw(talk);
    const client = startClient(peer.port, {
      attach: { reconnect: { ...QUICK, baseDelayMs: 100_000, maxDelayMs: 100_000 } },
    });
    await until(() => client.faults.length > 0);
    for (const socket of peer.sockets) socket.end();
    await until(() => client.heard.includes('disconnected'));
    await quiet();
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'protocol', scope: 'connection' });
  });

  it('announces a frame of 4 GB: a protocol fault instead of waiting for ever', async () => {
    const peer = await startRaw((socket) => speak(socket, [OPEN, Buffer.from('fffffff00200000000', 'hex')]));
    const client = startClient(peer.port, {
      attach: { reconnect: { ...QUICK, baseDelayMs: 100_000, maxDelayMs: 100_000 } },
    });
    await until(() => client.faults.length === 1);
    await quiet();
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'protocol', scope: 'connection' });
  });

  it('is destroyed on this side, without an end or an error: the loss is seen all the same', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port);
    const sender = client.connection.open_sender('q');
    await client.handle.send(sender, { body: 'x' });
    client.connection.socket.destroy();
    await client.handle.send(sender, { body: 'y' }, { idempotent: true });
    expect(client.faults.map(({ error }) => error.category)).toEqual(['network']);
  });
});
