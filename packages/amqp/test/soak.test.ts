import type { AnyDeviceCloudError } from '@faultmap/core';
import type { Delivery, EventContext } from 'rhea';
import { expect, it } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import { QUICK, startClient, until } from './support/client.ts';
import { outcome } from './support/internals.ts';
import { startPeer } from './support/server.ts';

const SENDS = Number(process.env.FAULTMAP_SOAK_SENDS ?? 10_000);
const SEED = Number(process.env.FAULTMAP_SOAK_SEED ?? Date.now() % 1_000_000);
const AT_ONCE = 100;

type Act = (context: EventContext, delivery: Delivery) => void;

/** Without a frame: the peer forgets it, so that its own buffer does not fill. */
const settleSilently = (delivery: { settled: boolean }) => {
  delivery.settled = true;
};

/** What the peer may do with a message: how often, whether it took it, and the doing. */
const ACTS: [name: string, share: number, took: boolean, act: Act][] = [
  ['release', 0.03, false, (_, delivery) => delivery.release()],
  ['modify', 0.02, false, (_, delivery) => delivery.modified({})],
  ['modify-failed', 0.01, true, (_, delivery) => delivery.modified({ delivery_failed: true })],
  [
    'throttle',
    0.02,
    false,
    (_, delivery) => delivery.reject({ condition: 'com.microsoft:device-container-throttled' }),
  ],
  ['reject', 0.01, false, (_, delivery) => delivery.reject({ condition: 'com.microsoft:argument-error' })],
  ['withhold', 0.003, true, (_, delivery) => void setTimeout(settleSilently, 500, delivery)],
  ['accept-unsettled', 0.05, true, (_, delivery) => delivery.update(false, outcome.accepted().described())],
  ['reset', 0.001, true, ({ connection }) => connection.socket.resetAndDestroy()],
  [
    'accept-then-reset',
    0.001,
    true,
    ({ connection }, delivery) => {
      delivery.accept();
      connection.socket.resetAndDestroy();
    },
  ],
  ['fin', 0.001, true, ({ connection }) => connection.socket.end()],
  ['force-close', 0.001, true, ({ connection }) => connection.close({ condition: 'amqp:connection:forced' })],
  ['fatal-close', 0.001, true, ({ connection }) => connection.close({ condition: 'amqp:internal-error' })],
  ['end-session', 0.001, true, ({ session }) => session?.close({ condition: 'amqp:session:window-violation' })],
  ['detach', 0.002, true, ({ receiver }) => receiver?.close({ condition: 'amqp:link:detach-forced' })],
];

it(
  `${SENDS} sends through a peer that fails at random: each settles, none is reported sent that was not accepted`,
  async () => {
    const random = randomFrom(SEED);
    const took = new Map<number, number>();
    const accepted = new Set<number>();
    const acts: Record<string, number> = {};
    const count = (map: Map<number, number>, key: number) => map.set(key, (map.get(key) ?? 0) + 1);

    // One outcome a tick: rhea as a server writes different outcomes of one tick as the first.
    const todo: [EventContext, number][] = [];
    const work = () => {
      const [next] = todo.splice(0, 1);
      if (!next) return;
      const [context, id] = next;
      decide(context, id);
      setImmediate(work);
    };
    const decide = (context: EventContext, id: number) => {
      if (!context.receiver?.is_open()) return; // the peer's own close overtook it
      const delivery = context.delivery as Delivery;
      let at = random();
      const chosen = ACTS.find(([, share]) => {
        at -= share;
        return at < 0;
      });
      const [name, , taken, act] = chosen ?? ['accept', 1, true, (() => delivery.accept()) as Act];
      acts[name] = (acts[name] ?? 0) + 1;
      if (taken) count(took, id);
      if (name.startsWith('accept')) accepted.add(id);
      act(context, delivery);
    };
    const peer = await startPeer({ accept: false }, (container) => {
      container.on('message', (context: EventContext) => {
        todo.push([context, context.message?.body as number]);
        if (todo.length === 1) setImmediate(work);
      });
      // The client settles what was accepted and left open.
      container.on('settled', ({ delivery }) => settleSilently(delivery));
    });

    const client = startClient(peer.port, {
      listen: false,
      attach: {
        reconnect: { ...QUICK, stableAfterMs: 0 },
        attemptTimeoutMs: 400,
        random: randomFrom(SEED + 1),
        retry: {
          maxAttempts: 8,
          baseDelayMs: 1,
          maxDelayMs: 20,
          throttledBaseDelayMs: 1,
          throttledMaxDelayMs: 20,
          pacer: false,
        },
      },
    });
    client.container.on('disconnected', () => {});
    for (const name of ['connection_error', 'session_error', 'sender_error']) client.container.on(name, () => {});
    const sender = client.connection.open_sender('q');
    await until(() => sender.is_open());

    const sent = new Set<number>();
    const settled = new Map<number, number>();
    const failed = new Map<string, number>();
    let begun = 0;
    const one = async () => {
      while (begun < SENDS) {
        const id = begun++;
        try {
          await client.handle.send(sender, { body: id }, { idempotent: id % 2 === 0 });
          sent.add(id);
        } catch (reason) {
          const error = reason as AnyDeviceCloudError;
          const what = `${error.reason}, ${error.executed}, ${error.stopped}`;
          failed.set(what, (failed.get(what) ?? 0) + 1);
          // Said not to have run: then it did not.
          if (error.executed === 'no') expect(took.get(id) ?? 0).toBe(0);
        }
        count(settled, id);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));

    const twice = [...took].filter(([id, times]) => id % 2 === 1 && times > 1);
    console.log(
      `soak: seed ${SEED}, ${SENDS} sends, ${sent.size} sent, ${SENDS - sent.size} failed, ${client.faults.length} faults,`,
      `${client.retries.filter(({ operation }) => operation === 'reconnect').length} reconnects; peer: ${JSON.stringify(acts)};`,
      `failed: ${JSON.stringify(Object.fromEntries(failed))}`,
    );
    expect(settled.size).toBe(SENDS);
    expect([...settled.values()].every((times) => times === 1)).toBe(true);
    expect([...sent].filter((id) => !accepted.has(id))).toEqual([]);
    expect(twice).toEqual([]);
    expect(sent.size).toBeGreaterThan(SENDS * 0.5);
  },
  60_000 + SENDS,
);
