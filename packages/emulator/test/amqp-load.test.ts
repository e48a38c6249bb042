import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../src/index.ts';
import { Client } from './support/amqp.ts';
import { eventually } from './support/eventually.ts';

const CONNECTIONS = 500;

let emulator: Emulator;

beforeAll(async () => {
  const devices = Array.from({ length: CONNECTIONS }, (_, i) => `d${i}`);
  emulator = await startEmulator({ devices, throttle: false });
});

afterAll(() => emulator.stop());

it(`holds ${CONNECTIONS} connections at once, each of them served, and lets go of all`, async () => {
  const before = process.memoryUsage().rss;
  const clients: Client[] = [];
  for (let i = 0; i < CONNECTIONS; i += 50) {
    const batch = Array.from({ length: 50 }, (_, k) => Client.device(emulator, `d${i + k}`));
    clients.push(...(await Promise.all(batch)));
  }
  expect(emulator.connections).toBe(CONNECTIONS);
  expect(emulator.state.connections.size).toBe(CONNECTIONS);
  const perConnection = Math.round((process.memoryUsage().rss - before) / CONNECTIONS / 1024);
  console.log(`${CONNECTIONS} AMQP connections: ${perConnection} KiB of resident memory each, clients included`);
  const sent = await Promise.all(
    clients.map((client, i) =>
      client.send(client.connection.open_sender(`/devices/d${i}/messages/events`), { body: 'x' }),
    ),
  );
  expect(sent.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(CONNECTIONS);
  await Promise.all(clients.map((client) => client.close()));
  await eventually(() => emulator.connections).toBe(0);
  expect(emulator.state.connections.size).toBe(0);
});
