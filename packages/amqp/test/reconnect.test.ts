import { createServer } from 'node:net';
import type { FaultEvent } from '@faultmap/core';
import type { Connection } from 'rhea';
import { describe, expect, it } from 'vitest';
import { fastClock, QUICK, quiet, startClient, until } from './support/client.ts';
import { OPEN, speak } from './support/frames.ts';
import { startPeer, startRaw } from './support/server.ts';
import { cert, key } from './support/tls.ts';

describe('the backoff', () => {
  it('does not begin anew at a TCP connect: a server that accepts and drops is left alone longer and longer', async () => {
    let accepted = 0;
    const peer = await startRaw((socket) => {
      accepted++;
      socket.destroy();
    });
    const client = startClient(peer.port, {
      attach: { reconnect: { baseDelayMs: 10, maxDelayMs: 10_000 }, clock: fastClock(10) },
    });
    await until(() => client.retries.length === 6);
    // Full jitter with 0.5 is half of base times two to the n.
    expect(client.retries.map(({ delayMs }) => delayMs)).toEqual([5, 10, 20, 40, 80, 160]);
    expect(accepted).toBeLessThanOrEqual(6);
    expect(client.faults.length).toBe(6);
  });

  it('does not begin anew after an OPEN that did not last either', async () => {
    const peer = await startPeer({}, (container) => {
      container.on('session_open', ({ connection }) => connection.close({ condition: 'amqp:connection:forced' }));
    });
    const client = startClient(peer.port, {
      attach: { reconnect: { ...QUICK, connectTimeoutMs: 1e6 }, clock: fastClock(100) },
    });
    client.connection.open_sender('q');
    await until(() => client.retries.length === 4);
    expect(client.retries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    // From the second in a row at least five seconds.
    for (const { delayMs } of client.retries.slice(1)) expect(delayMs).toBeGreaterThanOrEqual(5_000);
  });

  it('begins anew when the connection stayed good', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port, { attach: { reconnect: { ...QUICK, stableAfterMs: 0 } } });
    const sender = client.connection.open_sender('q');
    for (let n = 1; n <= 3; n++) {
      await until(() => sender.is_open() && client.recovered.length === n - 1);
      for (const socket of peer.sockets) socket.resetAndDestroy();
      await until(() => client.retries.length === n);
    }
    expect(client.retries.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  });

  it('is the library’s own with reconnect: false, and none where the library’s is off', async () => {
    const peer = await startPeer();
    const own = startClient(peer.port, { connection: { reconnect: 5 }, attach: { reconnect: false } });
    const off = startClient(peer.port, { connection: { reconnect: false }, attach: { reconnect: undefined } });
    own.connection.open_sender('q');
    await until(() => own.connection.is_open() && off.connection.is_open());
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => own.recovered.length === 1, undefined, 4_000);
    expect(own.retries).toEqual([]);
    expect(off.connection.is_open()).toBe(false);
    expect(off.faults).toHaveLength(1);
    expect(off.retries).toEqual([]);
  });
});

describe('what is left of the lost connection', () => {
  it('the beginning of a frame is not taken for that of the next connection', async () => {
    let times = 0;
    const half = Buffer.from('000004000200000000531c', 'hex');
    const peer = await startRaw((socket) => {
      speak(socket, ++times === 1 ? [OPEN, half] : [OPEN]);
      if (times === 1) setTimeout(() => socket.resetAndDestroy(), 30);
    });
    const client = startClient(peer.port);
    await until(() => client.faults.length === 1);
    await until(() => client.connection.is_open(), 'the next connection', 2_000);
    expect(times).toBe(2);
  });

  it('a late error of the old socket does not end the next connection', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port);
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    const old = client.connection.socket;
    for (const socket of peer.sockets) socket.end();
    await until(() => client.faults.length === 1 && sender.is_open());
    old.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
    old.emit('end');
    await client.handle.send(sender, { body: 'x' });
    expect(client.faults).toHaveLength(1);
  });
});

describe('credentials', () => {
  it('are asked before every reconnect; who fails to give them is told, and asked again', async () => {
    const peer = await startPeer({ plain: (_user, password) => password === 'right' });
    let asked = 0;
    const client = startClient(peer.port, {
      connection: { username: 'dev', password: 'expired' },
      attach: {
        credentials: async () => {
          if (++asked === 1) throw new Error('vault is down');
          return { password: 'right' };
        },
      },
    });
    await until(() => client.connection.is_open());
    expect(asked).toBe(2);
    expect(client.faults.map(({ error }) => error.reason)).toEqual([
      'amqp:unauthorized-access',
      'CredentialsUnavailable',
    ]);
    expect((client.connection.options as { password?: string }).password).toBe('right');
  });

  it('refused again: slow probes that say when; resume asks at once', async () => {
    let right = 'unknown';
    const peer = await startPeer({ plain: (_user, password) => password === right });
    const client = startClient(peer.port, {
      connection: { username: 'dev', password: 'wrong' },
      attach: { credentials: () => ({ password: 'still wrong' }) },
    });
    client.connection.open_sender('q');
    await until(() => client.givenUp.length === 1);
    expect(client.givenUp[0]).toMatchObject({ operation: 'reconnect', error: { category: 'unauthorized' } });
    expect(client.givenUp[0]?.nextProbeAt?.getTime()).toBeGreaterThan(Date.now() + 400_000);
    right = 'still wrong';
    client.handle.resume();
    await until(() => client.connection.is_open());
    await until(() => client.recovered.length === 1, undefined, 3_000);
  });

  it('stop until resume when asked to', async () => {
    let allow = false;
    const peer = await startPeer({ plain: () => allow });
    const client = startClient(peer.port, {
      connection: { username: 'dev', password: 'x' },
      attach: { reconnect: { ...QUICK, onPermanentFault: 'stop' } },
    });
    const sender = client.connection.open_sender('q');
    await until(() => client.givenUp.length === 1);
    expect(client.givenUp[0]).toMatchObject({ stopped: 'not-transient' });
    const seen = client.faults.length;
    await quiet();
    expect(client.faults).toHaveLength(seen);
    allow = true;
    client.handle.resume();
    await until(() => sender.is_open());
    await client.handle.send(sender, { body: 'x' });
  });

  it('a connection that cannot be freed of its SASL failure is given up', async () => {
    const peer = await startPeer({ plain: () => false });
    const client = startClient(peer.port, { connection: { username: 'dev', password: 'x' } });
    let stuck: unknown;
    Object.defineProperty(client.connection, 'transport_error', {
      get: () => stuck,
      set: (value) => {
        stuck ??= value;
      },
    });
    await until(() => client.givenUp.length === 1);
    expect(client.givenUp[0]).toMatchObject({ stopped: 'not-transient', error: { category: 'unauthorized' } });
    await quiet();
    expect(client.faults).toHaveLength(1);
  });

  it('no secret is in any event', async () => {
    const { inspect } = await import('node:util');
    const peer = await startPeer({ plain: () => false });
    const client = startClient(peer.port, { connection: { username: 'dev', password: 'hunter2-hunter2' } });
    await until(() => client.faults.length === 2);
    const all = [...client.faults, ...client.retries, ...client.givenUp];
    const text = all
      .map((event) => `${inspect(event, { depth: 12 })} ${inspect(event.error.cause, { depth: 12 })}`)
      .join();
    expect(text).not.toContain('hunter2');
  });
});

describe('a permanent fault', () => {
  it('of TLS: a name that is not the certificate’s, and a certificate nobody vouches for', async () => {
    const peer = await startPeer({ connection: { transport: 'tls', cert, key } });
    for (const [connection, reason] of [
      [{ transport: 'tls', servername: 'broker.test' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      [{ transport: 'tls', ca: [cert], servername: 'other.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ] as const) {
      const client = startClient(peer.port, { connection });
      await until(() => client.givenUp.length === 1);
      expect(client.faults).toHaveLength(1);
      expect(client.faults[0]?.error).toMatchObject({
        category: 'network',
        reason,
        scope: 'connection',
        executed: 'no',
      });
      expect(client.givenUp[0]?.nextProbeAt).toBeInstanceOf(Date);
    }
    const good = startClient(peer.port, { connection: { transport: 'tls', ca: [cert], servername: 'broker.test' } });
    await until(() => good.connection.is_open());
    expect(good.faults).toEqual([]);
  });

  it('a client of TLS at a plain port', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port, { connection: { transport: 'tls', servername: 'broker.test' } });
    await until(() => client.faults.length === 1);
    expect(client.faults[0]?.error).toMatchObject({ category: 'network', scope: 'connection' });
  });

  it('a plain client at a port of TLS: a silent close, and the attempts get rarer', async () => {
    const peer = await startPeer({ connection: { transport: 'tls', cert, key } });
    const client = startClient(peer.port);
    await until(() => client.faults.length >= 2);
    expect(client.faults[0]?.error).toMatchObject({ scope: 'connection', transport: 'amqp' });
  });

  it('the quota of the day: not before it resets', async () => {
    const peer = await startPeer({}, (container) => {
      container.on('session_open', ({ connection }) =>
        connection.close({ condition: 'com.microsoft:quota-exceeded', description: 'daily quota' }),
      );
    });
    const client = startClient(peer.port);
    const givenUp: FaultEvent[] = [];
    client.handle.on('give-up', (event) => givenUp.push(event));
    client.connection.open_sender('q');
    await until(() => client.retries.length === 1);
    const [wait] = client.retries;
    // So long a wait is told as one, with its end.
    expect(givenUp).toMatchObject([{ operation: 'reconnect', nextProbeAt: expect.any(Date) }]);
    expect(wait?.error).toMatchObject({ category: 'quota', code: 403002, resetAt: expect.any(Date) });
    const backAt = Date.now() + (wait?.delayMs ?? 0);
    expect(backAt).toBeGreaterThanOrEqual((wait?.error.resetAt?.getTime() ?? Infinity) - 1_000);
  });
});

describe('the application', () => {
  it('closed by the application before it was open: it stays closed', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port);
    const sending = client.handle.send(client.connection.open_sender('q'), { body: 'x' }).catch((reason) => reason);
    client.connection.close();
    expect(await sending).toMatchObject({ executed: 'no', stopped: 'not-transient' });
    await until(() => client.heard.includes('connection_close'));
    await quiet();
    expect(client.connection.is_open()).toBe(false);
    // The send's own.
    expect(client.faults.map(({ operation }) => operation)).toEqual(['send q']);
    expect(client.retries).toEqual([]);
  });

  it('closes while a reconnect is waited for: nothing is connected any more, and sends end', async () => {
    let connected = 0;
    const peer = await startPeer({}, (container) => container.on('connection_open', () => connected++));
    const client = startClient(peer.port, { attach: { reconnect: { ...QUICK, baseDelayMs: 80, maxDelayMs: 80 } } });
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.retries.length === 1);
    const sending = client.handle.send(sender, { body: 'x' }, { retry: false });
    const rejected = expect(sending).rejects.toMatchObject({ executed: 'no' });
    client.connection.close();
    await rejected;
    await quiet(120);
    expect(connected).toBe(1);
  });

  it('closes in answer to the close of the peer: it is left closed', async () => {
    let connected = 0;
    const peer = await startPeer({}, (container) => {
      container.on('connection_open', ({ connection }) => {
        connected++;
        connection.close({ condition: 'amqp:internal-error' });
      });
    });
    const client = startClient(peer.port);
    client.container.on('connection_error', ({ connection }) => (connection as Connection).close());
    await until(() => client.heard.includes('connection_close'));
    await quiet(80);
    expect(connected).toBe(1);
    expect(client.retries).toEqual([]);
    expect(client.connection.is_closed()).toBe(true);
  });

  it('switches reconnecting off: nothing is connected any more', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port);
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());
    client.connection.set_reconnect(false);
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.faults.length === 1);
    await quiet();
    expect(client.retries).toEqual([]);
    await expect(client.handle.send(sender, { body: 'x' }, { retry: false })).rejects.toMatchObject({
      executed: 'no',
      attempts: 0,
    });
  });

  it('connects by itself: the wait is over', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port, { attach: { reconnect: { ...QUICK, baseDelayMs: 1e6, maxDelayMs: 1e6 } } });
    await until(() => client.connection.is_open());
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.retries.length === 1);
    client.connection.reconnect();
    await until(() => client.connection.is_open());
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.retries.length === 2);
  });

  it('attaches before it connects', async () => {
    const peer = await startPeer();
    const rhea = (await import('rhea')).default;
    const { attachAmqp } = await import('@faultmap/amqp');
    const { end } = await import('./support/client.ts');
    const connection = rhea.create_container().create_connection({ host: '127.0.0.1', port: peer.port } as never);
    const handle = attachAmqp(connection);
    const sender = connection.open_sender('q');
    connection.connect();
    await handle.send(sender, { body: 'x' });
    handle.detach();
    end(connection);
  });

  it('gives a port that is taken by somebody who says nothing, and options that throw', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    let calls = 0;
    const client = startClient(port, {
      connection: {
        connection_details: () => {
          if (++calls === 2) throw new RangeError('no more hosts');
          return { host: '127.0.0.1', port: calls === 1 ? 1 : port, options: {} };
        },
      },
    });
    await until(() => calls >= 3);
    expect(client.faults.length).toBeGreaterThanOrEqual(2);
    silent.close();
  });
});
