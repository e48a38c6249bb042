import { Agent } from 'node:http';
import axios from 'axios';
import { connect } from 'mqtt';
import { parser } from 'mqtt-packet';
import rhea from 'rhea';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { type Emulator, startEmulator, type UncleanKind } from '../src/index.ts';
import { eventually } from './support/eventually.ts';
import { type End, Tap } from './support/tap.ts';

/* Every unclean fault over every transport, of what a real client sends: what is on the wire. */

type Transport = 'http' | 'mqtt' | 'amqp';
/** How often the operation ran, how many whole answers were sent, and how the connection is left. */
type Seen = readonly [ran: number, answers: number, end: End];

const TABLE: Record<UncleanKind, Record<Transport, Seen>> = {
  'reset-before': { http: [0, 0, 'reset'], mqtt: [0, 0, 'reset'], amqp: [0, 0, 'reset'] },
  close: { http: [0, 0, 'closed'], mqtt: [0, 0, 'closed'], amqp: [0, 0, 'closed'] },
  'half-open': { http: [0, 0, 'open'], mqtt: [0, 0, 'open'], amqp: [0, 0, 'open'] },
  // MQTT and AMQP leave it to the client to close what it cannot read.
  garbage: { http: [0, 0, 'closed'], mqtt: [0, 0, 'open'], amqp: [0, 0, 'open'] },
  'lost-ack': { http: [1, 0, 'open'], mqtt: [1, 0, 'open'], amqp: [1, 0, 'open'] },
  truncated: { http: [1, 0, 'closed'], mqtt: [1, 0, 'closed'], amqp: [1, 0, 'closed'] },
  'reset-during': { http: [1, 0, 'reset'], mqtt: [1, 0, 'reset'], amqp: [1, 0, 'reset'] },
  'reset-after': { http: [1, 1, 'reset'], mqtt: [1, 1, 'reset'], amqp: [1, 1, 'reset'] },
  // HTTP has one answer to a request: there the operation itself is what comes twice.
  duplicate: { http: [2, 1, 'open'], mqtt: [1, 2, 'open'], amqp: [1, 2, 'open'] },
  'not-json': { http: [1, 1, 'open'], mqtt: [1, 1, 'open'], amqp: [1, 1, 'open'] },
  slow: { http: [1, 1, 'open'], mqtt: [1, 1, 'open'], amqp: [1, 1, 'open'] },
};

const cases = Object.entries(TABLE).flatMap(([kind, row]) =>
  Object.entries(row).map(([transport, seen]) => ({
    kind: kind as UncleanKind,
    transport: transport as Transport,
    seen,
  })),
);

let emulator: Emulator;
let tap: Tap;
const ends: (() => void)[] = [];
const printed: Record<string, Record<string, string>> = {};

beforeEach(async () => {
  emulator = await startEmulator();
});

afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await tap.close();
  await emulator.stop();
});

afterAll(() => console.table(printed));

/** What strikes, and the id its executions are counted by. */
const OPERATIONS: Record<Transport, readonly [operation: string, id: string]> = {
  http: ['twin-patch', 'device1'],
  mqtt: ['d2c', 'm'],
  amqp: ['d2c', 'm'],
};

/** Send one through a tap, whatever comes of it. */
const senders: Record<Transport, (url: string, ready: () => void) => void> = {
  http(url, ready) {
    ready();
    const headers = { authorization: emulator.serviceToken() };
    const httpAgent = new Agent({ keepAlive: true });
    ends.push(() => httpAgent.destroy());
    axios.patch(`${url}/twins/device1`, { tags: { floor: 2 } }, { headers, httpAgent }).catch(() => {});
  },
  mqtt(url, ready) {
    const password = emulator.deviceToken('device1');
    const client = connect(url, { clientId: 'device1', username: 'hub/device1/?', password, reconnectPeriod: 0 });
    ends.push(() => client.end(true));
    client.on('error', () => {});
    client.once('connect', () => {
      ready();
      client.publish('devices/device1/messages/events/%24.mid=m', 'x', { qos: 1 }, () => {});
    });
  },
  amqp(url, ready) {
    const { hostname: host, port } = new URL(url);
    const container = rhea.create_container();
    for (const name of ['disconnected', 'protocol_error', 'error', 'connection_error', 'rejected'])
      container.on(name, () => {});
    const [username, password] = ['device1@sas.hub', emulator.deviceToken('device1')];
    const connection = container.connect({ host, port: Number(port), username, password, reconnect: false } as never);
    ends.push(() => connection.close());
    const sender = connection.open_sender('/devices/device1/messages/events');
    sender.once('sendable', () => {
      ready();
      sender.send({ message_id: 'm', body: 'x' });
    });
  },
};

/** Whole answers among the bytes the emulator sent. */
const counters: Record<Transport, (bytes: Buffer) => number> = {
  http(bytes) {
    let count = 0;
    let rest = bytes.toString('latin1');
    for (;;) {
      const length = /^HTTP\/1\.1 \d{3} [\s\S]*?content-length: (\d+)/i.exec(rest)?.[1];
      const end = rest.indexOf('\r\n\r\n') + 4 + Number(length);
      if (length === undefined || rest.length < end) return count;
      count += 1;
      rest = rest.slice(end);
    }
  },
  mqtt(bytes) {
    let count = 0;
    const codec = parser();
    codec.on('packet', ({ cmd }) => {
      if (cmd === 'puback') count += 1;
    });
    codec.on('error', () => {});
    codec.parse(bytes);
    return count;
  },
  amqp(bytes) {
    let count = 0;
    for (let at = 0; at + 8 <= bytes.length; ) {
      const isHeader = bytes.toString('latin1', at, at + 4) === 'AMQP';
      const size = isHeader ? 8 : bytes.readUInt32BE(at);
      if (size < 8 || at + size > bytes.length) break;
      // A disposition: descriptor 0x15 (AMQP 1.0, 2.7.6).
      const performative = at + (bytes[at + 4] ?? 0) * 4;
      if (!isHeader && bytes.toString('hex', performative, performative + 3) === '005315') count += 1;
      at += size;
    }
    return count;
  },
};

it.each(cases)('$kind over $transport: $seen', async ({ kind, transport, seen }) => {
  const made = await Tap.to({ http: emulator.httpUrl, mqtt: emulator.mqttUrl, amqp: emulator.amqpUrl }[transport]);
  tap = made.tap;
  const [operation, id] = OPERATIONS[transport];
  const fault = kind === 'slow' ? ({ unclean: 'slow', bytesPerSecond: 1_000 } as const) : kind;
  senders[transport](made.url, () => emulator.inject({ match: { operation }, fault }));
  const read = (): Seen => [emulator.log.executions(operation, id), counters[transport](tap.sent), tap.end];
  await eventually(() => emulator.log.requests({ operation }).length).toBeGreaterThan(0);
  await eventually(read).toEqual(seen);
  // Nothing more comes.
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(read()).toEqual(seen);
  const [ran, answers, end] = seen;
  printed[kind] = { ...printed[kind], [transport]: `ran ${ran}, answers ${answers}, ${end}` };
});
