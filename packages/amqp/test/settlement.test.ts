import { inspect } from 'node:util';
import type { AnyDeviceCloudError } from '@faultmap/core';
import type { Delivery, EventContext, Message } from 'rhea';
import { describe, expect, it } from 'vitest';
import { quiet, startClient, until } from './support/client.ts';
import { insideOf, outcome } from './support/internals.ts';
import { caught, receiving } from './support/receiving.ts';
import { startPeer } from './support/server.ts';

const PASSWORD = 'hunter2-hunter2';

const deliveryOf = (error: AnyDeviceCloudError | undefined) =>
  (error?.cause as { delivery?: unknown } | undefined)?.delivery;
const lost = { category: 'precondition', code: 412002, reason: 'DeviceMessageLockLost', scope: 'settlement' };

describe('a delivery of an earlier connection', () => {
  const settlements: [string, (delivery: Delivery) => void][] = [
    ['accept', (delivery) => delivery.accept()],
    ['reject', (delivery) => delivery.reject()],
    ['release', (delivery) => delivery.release()],
    ['modified', (delivery) => delivery.modified({ delivery_failed: true })],
  ];

  it.each(settlements)('%s: a 412002 fault with the delivery, once, instead of silence', async (_name, settle) => {
    const { peer, client, delivery } = await receiving(() => {}, {
      connection: { username: 'dev', password: PASSWORD },
    });
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.recovered.length === 1);
    const before = client.faults.length;
    settle(delivery);
    settle(delivery);
    expect(client.faults).toHaveLength(before + 1);
    const error = client.faults.at(-1)?.error;
    expect(error).toMatchObject(lost);
    expect(deliveryOf(error)).toBe(delivery);
    expect(inspect(error, { depth: 9, showHidden: false }) + inspect(error?.cause, { depth: 9 })).not.toContain(
      PASSWORD,
    );
  });

  it('also before the connection is back, and by handle.settle as a rejection', async () => {
    const { peer, client, delivery } = await receiving();
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.faults.length === 1);
    const error = await caught(client.handle.settle(delivery, 'accepted'));
    expect(error).toMatchObject(lost);
    expect(client.faults).toHaveLength(2);
    expect(await caught(client.handle.settle(delivery, 'released'))).toBe(error);
    expect(client.faults).toHaveLength(2);
  });

  it('of a link that the peer detached, or a session that it ended', async () => {
    for (const end of ['sender', 'session'] as const) {
      const { peer, client, delivery } = await receiving();
      const context = { sender: peer.connection.find_sender(() => true) };
      const closing = end === 'sender' ? context.sender : context.sender?.session;
      closing?.close({ condition: 'amqp:internal-error' });
      await until(() => client.faults.length === 1);
      await quiet(10);
      delivery.accept();
      expect(client.faults.at(-1)?.error).toMatchObject(lost);
    }
  });

  it('of a link that is attached again, whose settlement was on its way', async () => {
    const { peer, client, receiver, deliveries, delivery } = await receiving(() => {}, {
      receiver: { rcv_settle_mode: 1 },
      sender: { autosettle: false },
    });
    const settling = caught(client.handle.settle(delivery, 'accepted'));
    await quiet(10);
    peer.connection.find_sender(() => true)?.close({ condition: 'amqp:link:detach-forced' });
    const error = await settling;
    expect(error).toMatchObject({ executed: 'unknown', condition: 'amqp:link:detach-forced' });
    expect((error as Error).cause).toBe(client.faults[0]?.error);
    await until(() => deliveries.length === 2);
    expect(receiver.is_open()).toBe(true);
    expect(await caught(client.handle.settle(delivery, 'accepted'))).toMatchObject(lost);
    // rhea's window is not narrower for what was lost.
    expect(insideOf(receiver.session).incoming.window).toBe(2_047);
  });

  it('a new delivery on the connection that is back settles as ever', async () => {
    const { peer, client, deliveries } = await receiving();
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => deliveries.length === 2);
    await client.handle.settle(deliveries[1] as Delivery, 'accepted');
    expect(client.faults).toHaveLength(1);
  });
});

describe('handle.settle on a live link', () => {
  it.each([
    ['accepted', 'accepted'],
    ['released', 'released'],
    ['rejected', 'rejected'],
    ['modified', 'modified'],
    [{ rejected: { condition: 'app:bad', description: 'no' } }, 'rejected'],
    [{ modified: { undeliverable_here: true } }, 'modified'],
  ] as const)('%o: the peer sees it', async (how, seen) => {
    const heard: string[] = [];
    const { client, delivery } = await receiving((container) => {
      for (const name of ['accepted', 'released', 'rejected', 'modified'])
        container.on(name, ({ delivery: { remote_state } }) =>
          heard.push(remote_state.constructor.composite_type as string),
        );
    });
    await client.handle.settle(delivery, how);
    await until(() => heard.length >= 1);
    expect(heard[0]).toBe(seen);
    expect(client.faults).toEqual([]);
  });

  it('different outcomes at once: each message gets its own', async () => {
    const seen = new Map<unknown, string>();
    const bodies = new Map<Delivery, unknown>();
    const peer = await startPeer({}, (container) => {
      const sent = new Map<Delivery, unknown>();
      container.once('sendable', ({ sender }) => {
        for (let n = 0; n < 8; n++) sent.set(sender.send({ body: n }), n);
      });
      container.on('settled', ({ delivery }) =>
        seen.set(sent.get(delivery), delivery.remote_state.constructor.composite_type),
      );
    });
    const client = startClient(peer.port);
    client.container.on('message', ({ delivery, message }: EventContext) => {
      bodies.set(delivery as Delivery, message?.body);
    });
    client.connection.open_receiver({ source: 'q', autoaccept: false } as never);
    await until(() => bodies.size === 8);
    const outcomes = ['accepted', 'released', 'accepted', 'rejected', 'rejected', 'accepted', 'released', 'accepted'];
    await Promise.all([...bodies.keys()].map((one, n) => client.handle.settle(one, outcomes[n] as 'accepted')));
    await until(() => seen.size === 8);
    expect([...seen.entries()].sort().map(([, kind]) => kind)).toEqual(outcomes);
  });

  it('with rcv_settle_mode 1: when the peer has confirmed it', async () => {
    let confirmed = false;
    const { client, delivery } = await receiving(
      (container) => {
        container.on('accepted', ({ delivery: theirs }) => {
          setTimeout(() => {
            confirmed = true;
            theirs.update(true, outcome.accepted().described());
          }, 20);
        });
      },
      { receiver: { rcv_settle_mode: 1 }, sender: { autosettle: false } },
    );
    await client.handle.settle(delivery, 'accepted');
    expect(confirmed).toBe(true);
    expect(client.faults).toEqual([]);
  });

  it.each(['amqp:not-found', 'com.microsoft:message-lock-lost'])(
    'after the lock expired (the peer answers rejected, %s): rejects with 412002, and it is a fault',
    async (condition) => {
      const { client, delivery } = await receiving(
        (container) => {
          container.on('accepted', ({ delivery: theirs }) =>
            theirs.update(true, outcome.rejected({ error: { condition, description: 'lock lost' } }).described()),
          );
        },
        { receiver: { rcv_settle_mode: 1 }, sender: { autosettle: false } },
      );
      const error = await caught(client.handle.settle(delivery, 'accepted'));
      expect(error).toMatchObject({ ...lost, condition });
      expect(client.faults).toHaveLength(1);
      expect(deliveryOf(client.faults[0]?.error)).toBe(delivery);
    },
  );

  it('the same when the application settles by itself and rhea has forgotten the delivery', async () => {
    const { client, delivery } = await receiving(
      (container) => {
        container.on('accepted', ({ delivery: theirs }) => {
          theirs.remote_settled = false;
          theirs.update(true, outcome.rejected({ error: { condition: 'amqp:not-found' } }).described());
        });
      },
      { sender: { autosettle: false } },
    );
    delivery.accept();
    await until(() => client.faults.length === 1);
    expect(client.faults[0]?.error).toMatchObject(lost);
  });

  it('the peer never confirms: a time-out of unknown outcome; a lost connection the same', async () => {
    const options = { receiver: { rcv_settle_mode: 1 }, sender: { autosettle: false } };
    const silent = await receiving(() => {}, { ...options, attach: { attemptTimeoutMs: 20 } });
    expect(await caught(silent.client.handle.settle(silent.delivery, 'accepted'))).toMatchObject({
      category: 'timeout',
      executed: 'unknown',
      scope: 'settlement',
    });
    const dropped = await receiving(() => {}, options);
    const settling = caught(dropped.client.handle.settle(dropped.delivery, 'accepted'));
    await quiet(10);
    for (const socket of dropped.peer.sockets) socket.resetAndDestroy();
    const error = await settling;
    expect(error).toMatchObject({ executed: 'unknown' });
    expect((error as Error).cause).toBe(dropped.client.faults[0]?.error);
  });

  it('something else than a delivery or an outcome is a mistake of the program', async () => {
    const { client, delivery } = await receiving();
    await expect(client.handle.settle({} as never, 'accepted')).rejects.toThrow(TypeError);
    await expect(client.handle.settle(delivery, 'done' as never)).rejects.toThrow(
      /outcome: expected 'accepted', .*, got "done"/,
    );
  });
});

describe('messages that need no settling', () => {
  it('sent settled by the peer: settling them late is no fault', async () => {
    const { peer, client, delivery } = await receiving(() => {}, { sender: { snd_settle_mode: 1 } });
    for (const socket of peer.sockets) socket.resetAndDestroy();
    await until(() => client.faults.length === 1);
    delivery.accept();
    expect(client.faults).toHaveLength(1);
  });

  it('accepted by rhea itself: thousands leave no trace and no fault', async () => {
    const peer = await startPeer({}, (container) => {
      let sent = 0;
      container.on('sendable', ({ sender }) => {
        while (sent < 3_000 && sender.sendable()) {
          sender.send({ body: 'x' } as Message);
          sent++;
        }
      });
    });
    const client = startClient(peer.port);
    let got = 0;
    client.container.on('message', () => got++);
    client.connection.open_receiver('q');
    await until(() => got === 3_000);
    expect(client.faults).toEqual([]);
  });
});
