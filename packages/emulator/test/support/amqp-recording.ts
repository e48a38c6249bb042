import { type AddressInfo, createConnection, createServer } from 'node:net';
import type { Emulator } from '../../src/index.ts';
import { Client } from './amqp.ts';

/** Record what a client sends in a session with CBS, telemetry, a twin and a receiver. */
export async function recordSession(emulator: Emulator): Promise<Buffer[]> {
  const sent: Buffer[] = [];
  const { hostname, port } = new URL(emulator.amqpUrl);
  const relay = createServer((from) => {
    const to = createConnection(Number(port), hostname);
    from.on('data', (chunk: Buffer) => sent.push(Buffer.from(chunk)));
    for (const socket of [from, to]) socket.on('error', () => {});
    from.pipe(to);
    to.pipe(from);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const client = new Client({ host: '127.0.0.1', port: (relay.address() as AddressInfo).port });
  await client.putToken(emulator.deviceToken('device1'), '127.0.0.1/devices/device1');
  client.receive('/devices/device1/messages/devicebound', { rcv_settle_mode: 1 });
  await client.twin('/devices/device1/twin', 'GET');
  const sender = client.connection.open_sender('/devices/device1/messages/events');
  await client.send(sender, { message_id: 'r', application_properties: { a: 1, b: 'x' }, body: 'recorded' });
  await client.close();
  await new Promise((resolve) => relay.close(resolve));
  return sent;
}
