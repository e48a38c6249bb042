/* A wire that turns bytes over on their way to the client: whatever mqtt.js makes of it, nothing of ours breaks. */
import { once } from 'node:events';
import net from 'node:net';
import { isDeviceCloudError } from '@faultmap/core';
import { expect, test, vi } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import { polite, type Script, startPeer } from './support/peer.ts';
import { type Library, setStage } from './support/stage.ts';

vi.setConfig({ maxConcurrency: 8 });

const SEED = Number(process.env.FAULTMAP_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** One byte in so many is another. */
const RATES = [8, 30, 120];
const RUNS = 3;

async function startWire(to: number, random: () => number, oneIn: number) {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far);
    far.on('data', (bytes: Buffer) => {
      const copy = Buffer.from(bytes);
      // The CONNACK comes through: else nothing else is tried.
      for (let at = 5; at < copy.length; at++) if (random() < 1 / oneIn) copy[at] = Math.floor(random() * 256);
      near.write(copy);
    });
    far.on('end', () => near.end());
    near.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as net.AddressInfo).port, stop };
}

/** Polite, and it sends messages of its own. */
const talking: Script = {
  publish: (link, packet) => {
    polite(link, packet);
    link.send({
      cmd: 'publish',
      topic: `$iothub/twin/res/200/?$rid=${packet.topic.split('$rid=')[1] ?? 'x'}`,
      payload: '{}',
    });
    link.send({ cmd: 'publish', topic: 'news', payload: 'x', qos: 1, messageId: 77 });
  },
};

const runs = (['newest', 'oldest'] as const).flatMap((library) =>
  ([4, 5] as const).flatMap((level) =>
    Array.from({ length: RUNS }, (_, at) => [SEED + at, library, level, RATES[at % RATES.length] as number] as const),
  ),
);

test.concurrent.each(runs)(
  'seed %i (%s, level %i, one byte in %i): every promise ends, typed',
  async (seed, library: Library, level, oneIn) => {
    const random = randomFrom(seed);
    const peer = await startPeer({ script: talking });
    const wire = await startWire(peer.port, random, oneIn);
    const broken: string[] = [];
    const heard = (warning: Error) => {
      if (warning.name === 'FaultmapWarning') broken.push(String(warning));
    };
    process.on('warning', heard);
    const stage = await setStage({
      library,
      level,
      url: `mqtt://127.0.0.1:${wire.port}`,
      client: { keepalive: 1, connectTimeout: 200 },
      attach: {
        reconnect: {
          baseDelayMs: 1,
          maxDelayMs: 5,
          throttledBaseDelayMs: 1,
          takeOverDelayMs: 1,
          slowDelayMs: 5,
          stableAfterMs: 0,
        },
        operationTimeoutMs: 200,
        offlineTimeoutMs: 500,
        attemptTimeoutMs: 100,
        retry: { baseDelayMs: 1, maxDelayMs: 5, throttledBaseDelayMs: 1, deadlineMs: 800 },
      },
    });
    const { client, handle } = stage;
    const all = Array.from({ length: 30 }, (_, at): Promise<unknown> => {
      if (at % 5 === 0) return handle.request('$iothub/twin/GET/');
      if (at % 5 === 1) return client.subscribeAsync([`a/${at}`, `b/${at}`], { qos: 1 });
      if (at % 5 === 2) return client.unsubscribeAsync(`a/${at}`);
      return client.publishAsync(`t/${at}`, 'x', { qos: (at % 3) as 0 | 1 | 2 });
    });
    for (const end of await Promise.allSettled(all))
      if (end.status === 'rejected') expect(isDeviceCloudError(end.reason), String(end.reason)).toBe(true);
    await stage.close();
    wire.stop();
    await peer.stop();
    process.off('warning', heard);
    expect(broken).toEqual([]);
  },
);
