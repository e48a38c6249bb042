import { connect as connectSocket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulator, startEmulator } from '../src/index.ts';
import { eventually } from './support/eventually.ts';

/*
 * Random and mutated bytes on each listener: none may end the process, raise a warning, or leave
 * a connection behind.
 */

let emulator: Emulator;
const warnings: string[] = [];
const onWarning = (warning: Error) => warnings.push(warning.message);

beforeAll(async () => {
  process.on('warning', onWarning);
  emulator = await startEmulator({ transports: ['http', 'mqtt'], tls: true, throttle: false });
});
afterAll(async () => {
  process.off('warning', onWarning);
  await emulator.stop();
});

/** Send pieces, take whatever comes, and close or reset. */
function throwAt(port: number, pieces: readonly Uint8Array[], tls = false): Promise<void> {
  return new Promise((resolve) => {
    const socket = tls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : connectSocket(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.once('close', () => resolve());
    for (const piece of pieces) socket.write(piece);
    // Half of them leave politely.
    if (pieces.length % 2 === 0) socket.end();
    setTimeout(() => socket.destroy(), 10);
  });
}

const portOf = (url: string | undefined) => Number(new URL(url ?? '').port);

const connectPacket = (): Packet => ({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: false,
  clientId: 'device1',
  keepalive: 60,
  username: '127.0.0.1/device1/?api-version=2021-04-12',
  password: Buffer.from(emulator.deviceToken('device1')),
});

const packets: Packet[] = [
  {
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [
      { topic: '$iothub/twin/res/#', qos: 0 },
      { topic: '$iothub/methods/POST/#', qos: 1 },
    ],
  },
  { cmd: 'publish', topic: '$iothub/twin/GET/?$rid=1', payload: '', qos: 0, dup: false, retain: false },
  {
    cmd: 'publish',
    topic: '$iothub/twin/PATCH/properties/reported/?$rid=2',
    payload: '{"a":{"b":[1]}}',
    qos: 1,
    messageId: 2,
    dup: false,
    retain: false,
  },
  {
    cmd: 'publish',
    topic: 'devices/device1/messages/events/%24.mid=1&a=b',
    payload: 'x',
    qos: 1,
    messageId: 3,
    dup: false,
    retain: false,
  },
  { cmd: 'publish', topic: '$iothub/methods/res/200/?$rid=3', payload: '{}', qos: 0, dup: false, retain: false },
  { cmd: 'puback', messageId: 9 },
  { cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['$iothub/methods/POST/#'] },
  { cmd: 'pingreq' },
];

const requests = () => {
  const authorization = `authorization: ${emulator.serviceToken()}\r\nhost: x\r\n`;
  const body = '{"query":"SELECT * FROM devices WHERE tags.a = 1","methodName":"m","tags":{"a":1},"blobName":"b"}';
  return [
    'GET /devices/device1',
    'PUT /devices/x',
    'PATCH /twins/device1',
    'POST /devices/query',
    'POST /twins/device1/methods',
    'DELETE /devices/device1/commands',
    'POST /devices',
    'POST /$emulator/faults',
  ].map((line) => Buffer.from(`${line} HTTP/1.1\r\n${authorization}content-length: ${body.length}\r\n\r\n${body}`));
};

/** A change of some bytes of a valid stream: a bit flipped, a byte set, cut out or put in. */
const mutation = fc.record({
  at: fc.nat(10_000),
  kind: fc.constantFrom('flip', 'set', 'cut', 'insert'),
  value: fc.integer({ min: 0, max: 255 }),
});
type Mutation = { at: number; kind: string; value: number };

function mutate(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  let result = Buffer.from(bytes);
  for (const { at, kind, value } of mutations) {
    const index = at % Math.max(1, result.length);
    if (kind === 'flip') result[index] = (result[index] ?? 0) ^ (1 << (value % 8));
    else if (kind === 'set') result[index] = value;
    else if (kind === 'cut')
      result = Buffer.concat([result.subarray(0, index), result.subarray(index + 1 + (value % 8))]);
    else
      result = Buffer.concat([
        result.subarray(0, index),
        Buffer.alloc(1 + (value % 16), value),
        result.subarray(index),
      ]);
  }
  return result;
}

/** Nothing is left, nothing was said, and both listeners still serve. */
async function isSound(): Promise<void> {
  await eventually(() => emulator.connections).toBe(0);
  expect(warnings).toEqual([]);
}

const noise = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 4 });
const runs = { numRuns: 120 };

test('random bytes', async () => {
  const ports = [emulator.urls.http, emulator.urls.mqtt].map(portOf);
  const secure = [emulator.urls.https, emulator.urls.mqtts].map(portOf);
  await fc.assert(
    fc.asyncProperty(noise, fc.boolean(), async (pieces, tls) => {
      await Promise.all((tls ? secure : ports).map((port) => throwAt(port, pieces, tls)));
    }),
    runs,
  );
  await isSound();
});

test('mutated MQTT, before and after the CONNECT', async () => {
  const port = portOf(emulator.urls.mqtt);
  const v5 = (packet: Packet) => generate(packet, { protocolVersion: 5 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(mutation, { maxLength: 6 }),
      fc.shuffledSubarray(packets),
      fc.boolean(),
      fc.boolean(),
      async (mutations, some, early, five) => {
        const hello = connectPacket() as Packet & { protocolVersion: number };
        hello.protocolVersion = five ? 5 : 4;
        const rest = Buffer.concat(some.map((packet) => (five ? v5(packet) : generate(packet))));
        const first = five ? v5(hello) : generate(hello);
        await throwAt(
          port,
          early ? [mutate(Buffer.concat([first, rest]), mutations)] : [first, mutate(rest, mutations)],
        );
      },
    ),
    runs,
  );
  await isSound();
});

test('the streams above are good ones where no byte was changed', () => {
  const operations = new Set(emulator.log.requests({ outcome: 'ok' }).map((entry) => entry.operation));
  for (const operation of ['connect', 'subscribe', 'd2c', 'twin-get', 'twin-patch', 'unsubscribe', 'method-answer']) {
    expect(operations).toContain(operation);
  }
});

test('mutated HTTP', async () => {
  const port = portOf(emulator.urls.http);
  const all = requests();
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 6 }), fc.nat(all.length - 1), async (mutations, index) => {
      await throwAt(port, [mutate(all[index] as Buffer, mutations)]);
    }),
    runs,
  );
  emulator.clearFaults();
  await isSound();
});

test('mutated WebSocket frames', async () => {
  const port = portOf(emulator.urls.http);
  const upgrade = Buffer.from(
    'GET /$iothub/websocket HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: mqtt\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const hello = generate(connectPacket());
  // A masked binary frame with a mask of zeros.
  const frame = Buffer.concat([Buffer.from([0x82, 0xfe, hello.length >> 8, hello.length & 0xff, 0, 0, 0, 0]), hello]);
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), fc.boolean(), async (mutations, early) => {
      await throwAt(
        port,
        early ? [mutate(Buffer.concat([upgrade, frame]), mutations)] : [upgrade, mutate(frame, mutations)],
      );
    }),
    runs,
  );
  await isSound();
});

test('a packet that announces more than any message may hold ends the connection', async () => {
  const port = portOf(emulator.urls.mqtt);
  const header = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]);
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(generate(connectPacket()));
  socket.write(header);
  for (let sent = 0; sent < 16; sent += 1) socket.write(Buffer.alloc(64 * 1024));
  socket.resume();
  await closed;
  await isSound();
});
