/*
 * What attaching costs an MQTT client, on the built packages:
 * - heap of one attachment, over 1,000 connected clients, against the client itself
 * - time of one acknowledged publish, attached against plain
 *
 * `node --expose-gc test/bench/mqtt-bytes.bench.mjs`
 */
import net from 'node:net';
import { attachMqtt } from '@faultmap/mqtt';
import mqtt from 'mqtt';
import { generate, parser } from 'mqtt-packet';

const CLIENTS = 1_000;
const PUBLISHES = 10_000;
const ROUNDS = 7;

if (!globalThis.gc) throw new Error('run with --expose-gc');

/** The least a broker can do: accept and acknowledge. */
const server = net.createServer((socket) => {
  const incoming = parser();
  socket.on('error', () => {});
  socket.on('data', (chunk) => incoming.parse(chunk));
  incoming.on('packet', ({ cmd, messageId }) => {
    if (cmd === 'connect') socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
    if (cmd === 'publish' && messageId) socket.write(generate({ cmd: 'puback', messageId }));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `mqtt://127.0.0.1:${server.address().port}`;

const connect = () =>
  new Promise((resolve, reject) => {
    const client = mqtt.connect(url, { keepalive: 0 });
    client.once('connect', () => resolve(client)).once('error', reject);
  });

/** Heap in use, when nothing moves any more. */
async function heap() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage().heapUsed;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function bytes() {
  await connect(); // load everything first
  attachMqtt(await connect());
  const before = await heap();
  const clients = [];
  while (clients.length < CLIENTS) clients.push(await connect());
  const connected = await heap();
  const handles = clients.map((client) => attachMqtt(client));
  const attached = await heap();
  for (const handle of handles.splice(0)) handle.detach();
  const detached = await heap();
  for (const client of clients) client.end(true);
  const each = (from, to) => Math.round((to - from) / CLIENTS);
  console.log(`connected client (with its end in the server)  ${each(before, connected)} bytes`);
  console.log(`attachment                                     ${each(connected, attached)} bytes`);
  console.log(`left after detach                              ${each(connected, detached)} bytes`);
}

/** Microseconds a publish, 100 at a time. */
async function microseconds(client) {
  const startedAt = performance.now();
  for (let sent = 0; sent < PUBLISHES; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => client.publishAsync('a', 'x', { qos: 1 })));
  return ((performance.now() - startedAt) * 1_000) / PUBLISHES;
}

async function time() {
  const [plain, attached] = [await connect(), await connect()];
  attachMqtt(attached);
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round++) rounds.push([await microseconds(plain), await microseconds(attached)]);
  const [a, b] = [0, 1].map((which) => median(rounds.slice(1).map((round) => round[which])));
  console.log(
    `acknowledged publish: plain ${a.toFixed(1)} µs, attached ${b.toFixed(1)} µs, ratio ${(b / a).toFixed(2)}`,
  );
  plain.end(true);
  attached.end(true);
}

await bytes();
await time();
process.exit();
