import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// A program that is done must end: nothing of a stopped emulator keeps it alive.

const root = fileURLToPath(new URL('..', import.meta.url));

const PROGRAM = `
import rhea from 'rhea';
import { startEmulator } from ${JSON.stringify(`${root}dist/index.js`)};
const emulator = await startEmulator({ transports: ['amqp'], auth: 'none' });
emulator.inject({ transport: 'amqp', match: { operation: 'd2c' }, fault: process.argv[1] });
const { hostname, port } = new URL(emulator.amqpUrl);
const connection = rhea.create_container().connect({ host: hostname, port, reconnect: false });
for (const name of ['disconnected', 'connection_error', 'sender_error', 'error']) connection.on(name, () => {});
const sender = connection.open_sender('/devices/device1/messages/events');
await new Promise((resolve) => sender.once('sendable', resolve));
sender.send({ body: 'x' });
await new Promise((resolve) => setTimeout(resolve, 300));
await emulator.stop();
connection.close();
console.log('done');
`;

test.each(['reset-before', 'reset-during', 'reset-after', 'close', 'half-open', 'lost-ack', 'garbage'])(
  'after %s the process ends',
  async (fault) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM, fault], {
      cwd: root,
      timeout: 50_000,
    });
    expect(stdout).toContain('done');
  },
);
