import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../src/index.ts';

/*
 * Clients that leave without all the goodbyes of their protocol: the emulator holds none of them. The
 * tests wait less than the 30 s that the ws library would.
 */

const WAIT_MS = 15_000;

let emulator: Emulator;
const sockets: Socket[] = [];

beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await emulator.stop();
});

/** A raw client whose upgrade is answered; it does not close its side on its own. */
async function open(protocol: string): Promise<{ socket: Socket; status: string }> {
  const { port } = new URL(emulator.httpUrl);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  socket.on('error', () => {});
  socket.write(
    'GET /$iothub/websocket HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
      `sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: ${protocol}\r\n\r\n`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return { socket, status: answer.toString('latin1', 9, 12) };
}

/** A masked binary frame, with a mask of zeros. */
function frame(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x82, 0xfe, bytes.length >> 8, bytes.length & 0xff, 0, 0, 0, 0]), bytes]);
}

const noneHeld = () => expect.poll(() => emulator.connections, { timeout: WAIT_MS }).toBe(0);

/** What each protocol begins with; the answer to it comes in a frame. */
const hello = {
  mqtt: () =>
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: 'device1',
      keepalive: 0,
      username: `${emulator.state.hostName}/device1/?api-version=2021-04-12`,
      password: Buffer.from(emulator.deviceToken('device1')),
    }),
  AMQPWSB10: () => Buffer.from('AMQP\0\x01\0\0', 'latin1'),
};

test('a client of MQTT that says goodbye and keeps its side open', async () => {
  const { port } = new URL(emulator.mqttUrl);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  socket.write(hello.mqtt());
  await once(socket, 'data');
  socket.write(generate({ cmd: 'disconnect' }));
  await noneHeld();
});

test.each(['mqtt', 'AMQPWSB10'] as const)('a client of %s that resets its connection', async (protocol) => {
  const { socket, status } = await open(protocol);
  expect(status).toBe('101');
  socket.write(frame(hello[protocol]()));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer[0]).toBe(0x82);
  socket.resetAndDestroy();
  await noneHeld();
});

test.each(['mqtt', 'AMQPWSB10'] as const)('a client of %s that stays after a broken frame', async (protocol) => {
  const { socket } = await open(protocol);
  socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.readUInt16BE(2)).toBe(1002); // told so, by a close frame
  socket.resume();
  await noneHeld();
});

test('a client that stays after its upgrade was refused', async () => {
  const { socket, status } = await open('of-nobody');
  expect(status).toBe('400');
  socket.resume();
  await noneHeld();
});
