import { attachAmqp } from '@faultmap/amqp';
import type { FaultEvent } from '@faultmap/core';
import { startEmulator } from '@faultmap/emulator';
import { Connection } from 'rhea-promise';
import { expect, test } from 'vitest';

test('a connection of rhea-promise is attached by the one it wraps, and its senders are taken', async () => {
  const emulator = await startEmulator({ transports: ['amqp'], devices: ['pump-1'], auth: 'none' });
  const { hostname: host, port } = new URL(emulator.amqpUrl);
  const connection = new Connection({ host, port: Number(port), reconnect: false } as never);
  const handle = attachAmqp(connection, { retry: { baseDelayMs: 1, throttledBaseDelayMs: 1 } });
  const faults: FaultEvent[] = [];
  handle.on('fault', (event) => faults.push(event));

  await connection.open();
  const sender = await connection.createAwaitableSender({ target: '/devices/pump-1/messages/events' } as never);
  emulator.inject({ transport: 'amqp', match: { operation: 'd2c' }, fault: 429001 });
  await handle.send(sender, { message_id: 'm', body: 'x' });
  expect(faults.map(({ error }) => error.category)).toEqual(['throttled']);
  expect(emulator.log.executions('d2c', 'm')).toBe(1);

  handle.detach();
  await connection.close();
  await emulator.stop();
});
