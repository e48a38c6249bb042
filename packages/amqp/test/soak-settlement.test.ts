import type { AnyDeviceCloudError } from '@faultmap/core';
import type { Delivery, EventContext, Message, Sender } from 'rhea';
import { expect, it } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import { QUICK, startClient, until } from './support/client.ts';
import { outcome } from './support/internals.ts';
import { startPeer } from './support/server.ts';

const MESSAGES = Number(process.env.FAULTMAP_SOAK_MESSAGES ?? 3_000);
const SEED = Number(process.env.FAULTMAP_SOAK_SEED ?? Date.now() % 1_000_000);

it(`${MESSAGES} messages of a peer that fails at random: none is reported settled that the peer did not take`, async () => {
  const random = randomFrom(SEED);
  const taken = new Set<number>();
  const ids = new WeakMap<Delivery, number>();
  let next = 0;
  const peer = await startPeer({ connection: { sender_options: { autosettle: false } } }, (container) => {
    container.on('sendable', ({ sender }: EventContext) => {
      for (let n = 0; n < 20 && (sender as Sender).sendable(); n++) {
        ids.set((sender as Sender).send({ body: next } as Message), next);
        next++;
      }
    });
    container.on('accepted', ({ delivery, sender, session, connection }: EventContext) => {
      const at = random();
      if (at < 0.005) return connection.socket.resetAndDestroy();
      if (at < 0.008) return void (sender as Sender).close({ condition: 'amqp:link:detach-forced' });
      if (at < 0.01) return connection.close({ condition: 'amqp:connection:forced' });
      if (at < 0.012) return session?.close({ condition: 'amqp:internal-error' });
      taken.add(ids.get(delivery as Delivery) as number);
      (delivery as Delivery).update(true, outcome.accepted().described());
      if (at < 0.015) connection.socket.resetAndDestroy();
    });
  });

  const client = startClient(peer.port, {
    listen: false,
    attach: { keepAlive: true, reconnect: { ...QUICK, stableAfterMs: 0 }, attemptTimeoutMs: 2_000 },
  });
  client.container.on('disconnected', () => {});
  const settled = new Set<number>();
  const failed = new Map<string, number>();
  let done = 0;
  client.container.on('message', async ({ message, delivery }: EventContext) => {
    try {
      await client.handle.settle(delivery as Delivery, 'accepted');
      settled.add(message?.body as number);
    } catch (reason) {
      const { reason: what, executed } = reason as AnyDeviceCloudError;
      failed.set(`${what}, ${executed}`, (failed.get(`${what}, ${executed}`) ?? 0) + 1);
    }
    done++;
  });
  // Opened once: whatever takes it away, it comes back.
  client.connection.open_receiver({
    source: 'q',
    autoaccept: false,
    rcv_settle_mode: 1,
    credit_window: 50,
  } as never);
  await until(() => done >= MESSAGES, 'all to be settled', 30_000);

  console.log(
    `soak: seed ${SEED}, ${done} settlements, ${settled.size} confirmed, ${client.faults.length} faults;`,
    `failed: ${JSON.stringify(Object.fromEntries(failed))}`,
  );
  expect([...settled].filter((id) => !taken.has(id))).toEqual([]);
  expect(settled.size).toBeGreaterThan(MESSAGES / 2);
}, 60_000);
