import { setTimeout as after } from 'node:timers/promises';
import { isDeviceCloudError } from '@faultmap/core';
import { attachMqtt } from '@faultmap/mqtt';
import { expect, test, vi } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import type { Link, Script } from './support/peer.ts';
import { startPeer } from './support/peer.ts';
import { type Library, libraries, outcome, until } from './support/stage.ts';

/* Random calls against a server in a random mood: whatever happens, every promise settles. */

vi.setConfig({ maxConcurrency: 12 });

const RUNS = 16;
const SEED = Number(process.env.FAULTMAP_SEED ?? Math.floor(Math.random() * 2 ** 31));

type Mood = (link: Link, packet: { cmd: string; messageId?: number }) => unknown;
const code = ({ version }: Link) => (version === 5 ? 0x87 : 0x80);
const acks = { publish: 'puback', subscribe: 'suback', unsubscribe: 'unsuback', pubrel: 'pubcomp' } as const;
const answerTo = (cmd: string) => acks[cmd as keyof typeof acks];

/** `false`: as a polite server would. */
const moods: readonly Mood[] = [
  () => false,
  () => false,
  () => false,
  () => false,
  () => undefined,
  (link) => link.reset(),
  (link) => link.fin(),
  (link) => link.raw(Buffer.from([0xff, 0x03, 0x00])),
  (link, { cmd, messageId = 1 }) =>
    link.send({ cmd: answerTo(cmd), messageId, reasonCode: code(link), granted: [code(link)] }),
  (link, { messageId = 1 }) => link.send({ cmd: 'suback', messageId, granted: [0] }),
  (link, { messageId = 1 }) => link.send({ cmd: 'puback', messageId: messageId + 1 }),
  (link) => link.version === 5 && link.send({ cmd: 'disconnect', reasonCode: 0x8b }),
];

function moody(random: () => number): Script {
  const pick: Mood = (link, packet) => (moods[Math.floor(random() * moods.length)] as Mood)(link, packet);
  const connect = (link: Link) => {
    const dice = random();
    if (dice < 0.1) return link.connack(3);
    if (dice < 0.15) return link.fin();
    return false;
  };
  return { connect, publish: pick, pubrel: pick, subscribe: pick, unsubscribe: pick };
}

async function run(seed: number, library: Library, level: 4 | 5): Promise<Record<string, number>> {
  const random = randomFrom(seed);
  const peer = await startPeer({ script: moody(random) });
  const client = libraries[library](peer.url, {
    protocolVersion: level,
    connectTimeout: 200,
    keepalive: 1,
    reconnectPeriod: 5,
  });
  const handle = attachMqtt(client, {
    operationTimeoutMs: 200,
    offlineTimeoutMs: 600,
    attemptTimeoutMs: 100,
    retry: { baseDelayMs: 5, deadlineMs: 800 },
    reconnect: { baseDelayMs: 1, maxDelayMs: 20, throttledBaseDelayMs: 5, stableAfterMs: 0 },
  });
  const calls: readonly (() => Promise<unknown>)[] = [
    () => client.publishAsync('a', 'x'),
    () => client.publishAsync('a', 'x', { qos: 1 }),
    () => client.publishAsync('a', 'x', { qos: 2 }),
    () => client.subscribeAsync(['a', 'b']),
    () => client.unsubscribeAsync('a'),
    () => handle.request('$iothub/twin/GET/'),
    () => handle.request('$iothub/twin/PATCH/properties/reported/', {}),
  ];
  const pending: Promise<{ value: unknown } | { error: unknown } | 'pending'>[] = [];
  for (let at = 0; at < 40; at++) {
    pending.push(outcome((calls[Math.floor(random() * calls.length)] as () => Promise<unknown>)(), 10_000));
    if (random() < 0.5) await after(random() * 8);
  }
  if (random() < 0.5) client.end(true);
  const counts: Record<string, number> = { fulfilled: 0, pending: 0, foreign: 0 };
  for (const ended of await Promise.all(pending)) {
    const name =
      ended === 'pending'
        ? 'pending'
        : 'value' in ended
          ? 'fulfilled'
          : isDeviceCloudError(ended.error)
            ? ended.error.category
            : 'foreign';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  handle.detach();
  client.end(true);
  await peer.stop();
  for (const name of ['packetsend', 'packetreceive', 'message'] as const) expect(client.listenerCount(name)).toBe(0);
  return counts;
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const before = timers();
const totals: Record<string, number> = {};
for (let at = 0; at < RUNS; at++) {
  const library: Library = at % 3 === 2 ? 'oldest' : 'newest';
  const level = at % 2 ? 5 : 4;
  test.concurrent(`every promise settles (seed ${SEED + at}, level ${level}, ${library} mqtt.js)`, async () => {
    const counts = await run(SEED + at, library, level);
    for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
    expect(counts).toMatchObject({ pending: 0, foreign: 0 });
  });
}

test('nothing is left running', async () => {
  console.log(`chaos from seed ${SEED}: ${JSON.stringify(totals)}`);
  await until(() => timers() <= before + 1, 'the timers are gone');
});
