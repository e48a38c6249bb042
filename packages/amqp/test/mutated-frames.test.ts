/* A wire that turns bytes over on their way to the client: whatever rhea makes of it, nothing of ours breaks. */
import { once } from 'node:events';
import net from 'node:net';
import { isDeviceCloudError } from '@faultmap/core';
import type { EventContext } from 'rhea';
import { expect, it } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import { cleanup } from './support/cleanup.ts';
import { startClient } from './support/client.ts';
import { startPeer } from './support/server.ts';

const SEED = Number(process.env.FAULTMAP_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** One byte in so many is another. */
const RATES = [40, 150, 600];
const RUNS = 9;

function mutate(bytes: Buffer, random: () => number, oneIn: number): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 0; at < copy.length; at++) if (random() < 1 / oneIn) copy[at] = Math.floor(random() * 256);
  return copy;
}

async function startWire(to: number, random: () => number, oneIn: number): Promise<number> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.pipe(far);
    far.on('data', (bytes) => near.write(mutate(bytes, random, oneIn)));
    far.on('end', () => near.end());
    near.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

const runs = Array.from({ length: RUNS }, (_, at) => [SEED + at, RATES[at % RATES.length] as number] as const);

it.each(runs)('seed %i, one byte in %i: every promise ends, typed', async (seed, oneIn) => {
  const random = randomFrom(seed);
  const peer = await startPeer({}, (container) => {
    container.on('sender_open', ({ sender }: EventContext) => {
      for (let at = 0; at < 3; at++) sender?.send({ body: at });
    });
    container.on('message', ({ message, session }: EventContext) => {
      if (message?.reply_to === undefined) return;
      const application_properties = { 'status-code': 200 };
      const answer = { body: '', correlation_id: message.message_id, application_properties };
      session?.find_sender(() => true)?.send(answer as never);
    });
  });
  const port = await startWire(peer.port, random, oneIn);
  const broken: string[] = [];
  const heard = (warning: Error) => {
    if (warning.name === 'FaultmapWarning') broken.push(String(warning));
  };
  process.on('warning', heard);
  cleanup(() => process.off('warning', heard));
  const limits = { creditTimeoutMs: 150, attemptTimeoutMs: 150 };
  const client = startClient(port, {
    attach: {
      ...limits,
      keepAlive: true,
      reconnect: { baseDelayMs: 1, maxDelayMs: 5, stableAfterMs: 0, connectTimeoutMs: 100, slowDelayMs: 5 },
      retry: { baseDelayMs: 1, maxDelayMs: 5, throttledBaseDelayMs: 1, deadlineMs: 600 },
      credentials: () => ({ cbs: { name: 'hub', token: 'right' } }),
    },
  });
  const { connection, handle } = client;
  const settling: Promise<unknown>[] = [];
  const receiver = connection.open_receiver({ source: 'q', autoaccept: false, rcv_settle_mode: 1 } as never);
  receiver.on('message', ({ delivery }: EventContext) => {
    if (!delivery) return;
    const settled = handle.settle(delivery, random() < 0.5 ? 'accepted' : 'released');
    settled.catch(() => {}); // looked at in the end
    settling.push(settled);
  });
  const sender = connection.open_sender('q');
  const all = Array.from({ length: 40 }, (_, at) =>
    at % 4 === 0
      ? handle.request('$management', { body: at }, { idempotent: true })
      : handle.send(sender, { body: at }, { idempotent: at % 2 === 0 }),
  );
  const ends = await Promise.allSettled(all);
  for (const end of [...ends, ...(await Promise.allSettled(settling))])
    if (end.status === 'rejected') expect(isDeviceCloudError(end.reason), String(end.reason)).toBe(true);
  handle.detach();
  expect(broken).toEqual([]);
});
