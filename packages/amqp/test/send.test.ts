import { inspect } from 'node:util';
import { isDeviceCloudError } from '@faultmap/core';
import type { Delivery, Sender } from 'rhea';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../test/support/ports.ts';
import { QUICK, quiet, startClient, until } from './support/client.ts';
import { insideOf, outcome } from './support/internals.ts';
import { caught } from './support/receiving.ts';
import { accept, each, RETRY, start } from './support/sending.ts';
import { startPeer } from './support/server.ts';

describe('send settles on the first outcome', () => {
  it('accepted: with the settled delivery, and no fault', async () => {
    const { client, sender } = await start((container) => each(container, accept));
    const delivery = await client.handle.send(sender, { body: 'x' });
    expect(delivery).toMatchObject({ settled: true, remote_settled: true });
    expect(client.faults).toEqual([]);
  });

  it('rejected: with the inner condition, address, direction and tracking id', async () => {
    const { client, sender } = await start((container) =>
      each(container, (delivery) =>
        delivery.reject({
          condition: 'amqp:link:message-size-exceeded',
          description: 'Message size is 349372 bytes which is greater than the max size 262144 bytes allowed.',
          info: { 'com.microsoft:tracking-id': 'aad4fe4767c335b2aa53f96ac717337d-G:0-TimeStamp:02/16/2025 09:49:47' },
        }),
      ),
    );
    const error = await caught(client.handle.send(sender, { body: 'x' }));
    expect(error).toMatchObject({
      category: 'bad-request',
      condition: 'amqp:link:message-size-exceeded',
      scope: 'delivery',
      executed: 'no',
      attempts: 1,
      stopped: 'not-transient',
      operation: 'send /devices/d1/messages/events',
      trackingId: 'aad4fe4767c335b2aa53f96ac717337d-G:0-TimeStamp:02/16/2025 09:49:47',
    });
    expect(isDeviceCloudError(error)).toBe(true);
    expect(client.faults).toHaveLength(1);
    expect(client.givenUp).toHaveLength(1);
  });

  it('rejected without an error', async () => {
    const { client, sender } = await start((container) => each(container, (delivery) => delivery.reject()));
    const error = await caught(client.handle.send(sender, { body: 'x' }));
    expect(error).toMatchObject({ category: 'bad-request', reason: 'rejected', executed: 'no' });
  });

  it('a quota of the device, told from a full queue of the service', async () => {
    const over = { condition: 'amqp:resource-limit-exceeded', description: 'too much' };
    const { client, sender } = await start((container) => each(container, (delivery) => delivery.reject(over)));
    expect(await caught(client.handle.send(sender, { body: 1 }))).toMatchObject({ code: 403002, category: 'quota' });
    const service = client.connection.open_sender('/messages/devicebound');
    expect(await caught(client.handle.send(service, { body: 1 }))).toMatchObject({ code: 403004, category: 'quota' });
  });

  it('released: was not processed, so it is sent again though it is not idempotent', async () => {
    let bodies: unknown[] = [];
    const { client, sender } = await start((container) => {
      bodies = each(container, (delivery) => delivery.release(), accept);
    });
    await client.handle.send(sender, { body: 'once' });
    expect(bodies).toEqual(['once', 'once']);
    expect(client.faults).toHaveLength(1);
    expect(client.faults[0]?.error).toMatchObject({ reason: 'released', executed: 'no', scope: 'delivery' });
    expect(client.recovered).toHaveLength(1);
  });

  it('modified: not taken for released; with delivery-failed it may have run', async () => {
    const { client, sender } = await start((container) =>
      each(container, (delivery) => delivery.modified({ delivery_failed: true })),
    );
    const error = await caught(client.handle.send(sender, { body: 'x' }));
    expect(error).toMatchObject({ reason: 'modified', executed: 'unknown', stopped: 'not-idempotent' });
    expect(client.faults).toHaveLength(1);
    expect(client.heard.filter((name) => name === 'released' || name === 'modified')).toEqual(['released', 'modified']);
  });

  it('throttled: repeated until it is taken', async () => {
    const busy = { condition: 'com.microsoft:device-container-throttled', description: 'slow down' };
    const { client, sender } = await start((container) =>
      each(
        container,
        (delivery) => delivery.reject(busy),
        (delivery) => delivery.reject(busy),
        accept,
      ),
    );
    await client.handle.send(sender, { body: 'x' });
    expect(client.faults.map(({ error }) => error.category)).toEqual(['throttled', 'throttled']);
  });

  it('accepted and never settled by the peer: 2,500 sends do not fill the buffer of 2,048', async () => {
    const { client, sender } = await start(
      (container) => each(container, (delivery) => delivery.update(false, outcome.accepted().described())),
      {},
      { connection: { receiver_options: { autoaccept: false, credit_window: 500, rcv_settle_mode: 1 } } },
    );
    await Promise.all(Array.from({ length: 2_500 }, () => client.handle.send(sender, { body: 'x' })));
    await quiet();
    expect(insideOf(sender.session).outgoing.deliveries.size).toBe(0);
    expect(client.faults).toEqual([]);
  });

  it('settled without a state: unknown, and never reported as sent', async () => {
    const { client, sender } = await start((container) => each(container, (delivery) => delivery.update(true)));
    const error = await caught(client.handle.send(sender, { body: 'x' }));
    expect(error).toMatchObject({ executed: 'unknown', scope: 'delivery' });
    expect(client.faults).toHaveLength(1);
  });

  it('pre-settled: at once', async () => {
    const { client } = await start(() => {});
    const sender = client.connection.open_sender({ target: 'q', snd_settle_mode: 1 } as never);
    const delivery = await client.handle.send(sender, { body: 'x' });
    expect(delivery.settled).toBe(true);
  });
});

describe('send waits for credit with a bound', () => {
  it('more than rhea can hold are sent one by one', async () => {
    const { client, sender } = await start((container) => each(container, accept));
    const sent = await Promise.all(Array.from({ length: 2_500 }, (_, n) => client.handle.send(sender, { body: n })));
    expect(sent).toHaveLength(2_500);
    expect(client.faults).toEqual([]);
  });

  it('no credit: a typed rejection that says nothing was sent', async () => {
    const { client, sender } = await start(
      () => {},
      { attach: { creditTimeoutMs: 10, retry: { maxAttempts: 2, ...RETRY } } },
      {
        connection: { receiver_options: { credit_window: 0 } },
      },
    );
    const error = await caught(client.handle.send(sender, { body: 'x' }));
    expect(error).toMatchObject({
      executed: 'no',
      condition: 'client.sender:not-enough-link-credit',
      stopped: 'attempts',
      attempts: 0,
    });
    expect(client.givenUp).toMatchObject([{ attempt: 0 }]);
  });

  it('a link that is not open yet is waited for', async () => {
    const peer = await startPeer();
    const client = startClient(peer.port);
    const sender = client.connection.open_sender('q');
    await client.handle.send(sender, { body: 'x' });
    expect(client.faults).toEqual([]);
  });

  it('no link within the time, for want of a connection: says why, and is no second fault', async () => {
    const port = await freePort();
    const attach = { creditTimeoutMs: 50, retry: { ...RETRY, maxAttempts: 1 } };
    const client = startClient(port, {
      attach: { ...attach, reconnect: { ...QUICK, baseDelayMs: 1e6, maxDelayMs: 1e6 } },
    });
    await until(() => client.faults.length === 1);
    const sender = client.connection.open_sender('q');
    const waiting = [client.handle.send(sender, { body: 'x' }), client.handle.request('$cbs', { body: 'x' })];
    for (const error of await Promise.all(waiting.map(caught))) {
      expect(error).toMatchObject({ category: 'network', executed: 'no', condition: 'client.sender:link-not-ready' });
      expect((error as Error).message).toContain(`within 50 ms: [ECONNREFUSED] connect ECONNREFUSED 127.0.0.1:${port}`);
      expect((error as Error).cause).toBe(client.faults[0]?.error);
    }
    expect(client.faults).toHaveLength(1);
  });

  it('no outcome: a time-out that says it may have arrived', async () => {
    const { client, sender } = await start((container) => each(container, () => {}), {
      attach: { attemptTimeoutMs: 15 },
    });
    const error = await caught(client.handle.send(sender, { body: 'x' }));
    expect(error).toMatchObject({ category: 'timeout', executed: 'unknown', stopped: 'not-idempotent', attempts: 1 });
    expect(client.faults).toHaveLength(1);
  });

  it('no outcome: the peer is told nothing that nobody decided, and the session goes on', async () => {
    const said: unknown[] = [];
    const noise = vi.spyOn(console, 'error').mockImplementation((...values) => void said.push(values));
    const settled: unknown[] = [];
    const { client, sender } = await start(
      (container) => {
        each(container, () => {}, accept);
        container.on('settled', ({ delivery }) => settled.push(delivery));
      },
      { attach: { attemptTimeoutMs: 15 } },
    );
    expect(await caught(client.handle.send(sender, { body: 'x' }))).toMatchObject({ category: 'timeout' });
    await client.handle.send(sender, { body: 'y' }, { attemptTimeoutMs: 5_000 });
    await quiet(20);
    noise.mockRestore();
    expect(said).toEqual([]);
    expect(settled).toEqual([]);
    // Nothing keeps its place in rhea's buffer.
    expect(insideOf(sender.session).outgoing.deliveries.size).toBe(0);
  });

  it('an outcome that comes too late is not taken for that of another message', async () => {
    const received: Delivery[] = [];
    const { client, sender } = await start(
      (container) => each(container, (delivery) => received.push(delivery)),
      // A ring of four: the place of the first is that of the fifth.
      { connection: { session_buffer_size: 4 } },
    );
    expect(await caught(client.handle.send(sender, { body: 0 }, { attemptTimeoutMs: 15 }))).toBeDefined();
    const done: number[] = [];
    const sending = [1, 2, 3, 4].map((body) => client.handle.send(sender, { body }).then(() => done.push(body)));
    await until(() => received.length === 5);
    received[0]?.accept();
    await quiet(20);
    expect(done).toEqual([]);
    for (const delivery of received.slice(1)) delivery.accept();
    await Promise.all(sending);
  });

  it('the deadline is a hard end, also of a first attempt', async () => {
    const { client, sender } = await start((container) => each(container, () => {}));
    const error = await caught(client.handle.send(sender, { body: 'x' }, { retry: { deadlineMs: 20 } }));
    expect(error).toMatchObject({ category: 'timeout', stopped: 'deadline', executed: 'unknown' });
  });

  it('an abort ends it with its reason', async () => {
    const { client, sender } = await start((container) => each(container, () => {}));
    const abort = new AbortController();
    const sending = caught(client.handle.send(sender, { body: 'x' }, { signal: abort.signal }));
    await quiet(10);
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await sending).toBe(reason);
    expect(client.faults).toEqual([]);
  });
});

describe('what cannot be sent is a typed rejection', () => {
  it('a message that cannot be encoded; its content stays out of the error', async () => {
    const { client, sender } = await start((container) => each(container, accept));
    const error = await caught(client.handle.send(sender, { body: 'x', message_id: { secret: 'hunter2' } as never }));
    expect(error).toMatchObject({ category: 'bad-request', executed: 'no', scope: 'delivery' });
    expect(String(error) + JSON.stringify(error)).not.toContain('hunter2');
  });

  it('a link or connection the application closed', async () => {
    const { client, sender } = await start((container) => each(container, accept));
    sender.close();
    await until(() => client.heard.includes('sender_close'));
    expect(await caught(client.handle.send(sender, { body: 'x' }))).toMatchObject({
      executed: 'no',
      stopped: 'not-transient',
    });
    const other = client.connection.open_sender('q');
    await until(() => other.is_open());
    client.connection.close();
    await until(() => client.heard.includes('connection_close'));
    expect(await caught(client.handle.send(other, { body: 'x' }))).toMatchObject({
      executed: 'no',
      stopped: 'not-transient',
    });
  });

  it('something that is no sender of this connection', async () => {
    const { client } = await start(() => {});
    await expect(client.handle.send({} as never, { body: 'x' })).rejects.toThrow(/expected a sender of rhea/);
    const stranger = await start(() => {});
    await expect(client.handle.send(stranger.sender, { body: 'x' })).rejects.toThrow(TypeError);
    await expect(client.handle.send({} as never, { body: 'x' }, { idempotend: true } as never)).rejects.toThrow(
      TypeError,
    );
  });
});

describe('what is said of a failed send', () => {
  it('holds neither the password nor the message', async () => {
    const peer = await startPeer({ accept: false, plain: () => true }, (container) => {
      each(
        container,
        (delivery) => delivery.reject({ condition: 'amqp:not-allowed', description: 'no' }),
        (_, { receiver }) => receiver?.close({ condition: 'amqp:link:detach-forced' }),
        (_, { session }) => session?.close({ condition: 'amqp:internal-error' }),
        (_, { connection }) => connection.close({ condition: 'amqp:internal-error' }),
        (_, { connection }) => connection.socket.resetAndDestroy(),
      );
    });
    const client = startClient(peer.port, {
      connection: { username: 'dev', password: 'hunter2-password' },
      attach: { retry: RETRY },
    });
    const sender = client.connection.open_sender('q');
    const errors: unknown[] = [];
    for (let n = 0; n < 5; n++) errors.push(await caught(client.handle.send(sender, { body: 'hunter2-body' })));
    expect(client.faults).toHaveLength(5);
    const all = [...errors, ...client.faults, ...client.faults.map(({ error }) => error.cause)];
    const said = all.map((one) => `${inspect(one, { depth: 20 })} ${String(one)}`).join();
    expect(said).not.toContain('hunter2');
  });
});

describe('the application sends by itself', () => {
  it('each outcome is one fault, and its own listeners hear what they heard before', async () => {
    const { client, sender } = await start((container) =>
      each(
        container,
        (delivery) => delivery.reject({ condition: 'amqp:not-allowed', description: 'no' }),
        (delivery) => delivery.release(),
        (delivery) => delivery.modified({ undeliverable_here: true }),
        (delivery) => delivery.update(true),
        accept,
      ),
    );
    for (let n = 0; n < 5; n++) {
      (sender as Sender).send({ body: n });
      // One at a time: rhea as a server writes two different outcomes of one tick as one.
      await until(() => client.heard.filter((name) => name === 'settled').length === n + 1);
    }
    expect(client.faults.map(({ error }) => error.reason).slice(0, 3)).toEqual([
      'amqp:not-allowed',
      'released',
      'modified',
    ]);
    expect(client.faults).toHaveLength(4);
    expect(client.heard.filter((name) => /released|modified|rejected|accepted/.test(name))).toEqual([
      'rejected',
      'released',
      'released',
      'modified',
      'accepted',
    ]);
  });
});
