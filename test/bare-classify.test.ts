import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { readAmqp } from '@faultmap/amqp';
import { type AnyDeviceCloudError, classify } from '@faultmap/core';
import type { Reader } from '@faultmap/core/adapter';
import { readHttp } from '@faultmap/http';
import { readMqtt } from '@faultmap/mqtt';
import axios from 'axios';
import mqtt from 'mqtt';
import { generate, type Packet, parser } from 'mqtt-packet';
import rhea, { type ConnectionError, type EventContext } from 'rhea';
import { afterAll, describe, expect, test } from 'vitest';

/*
 * The same native error, read bare and by its adapter. Bare may be less specific, never different.
 * The table of both is printed at the end.
 */

const table: string[][] = [];
afterAll(() => {
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  console.log(['fault, bare, by the adapter', ...lines].join('\n'));
});

const short = ({ category, code, reason, executed }: AnyDeviceCloudError) =>
  `${category} ${code ?? reason} ${executed}`;

/** What is known of both is the same; what only the adapter can see may be missing in the bare one. */
function compare(name: string, raw: unknown, reader: Reader): void {
  const bare = classify(raw);
  const adapted = classify(raw, { readers: [reader] });
  table.push([name, short(bare), short(adapted)]);
  if (bare.category !== 'unknown')
    expect({ name, category: bare.category }).toEqual({ name, category: adapted.category });
  for (const field of ['code', 'httpStatus', 'condition', 'reasonCode', 'trackingId', 'retryAfterMs'] as const)
    if (bare[field] !== undefined) expect({ name, [field]: bare[field] }).toEqual({ name, [field]: adapted[field] });
  // The bare one may be more careful about execution, never less.
  if (bare.executed === 'no') expect({ name, executed: adapted.executed }).toEqual({ name, executed: 'no' });
}

const trackingId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24';
const nested = (errorCode: number) =>
  JSON.stringify({ Message: JSON.stringify({ errorCode, trackingId, message: 'x' }), ExceptionMessage: '' });

describe('http, by axios', () => {
  const answer =
    (status: number, body: string, headers: Record<string, string> = {}) =>
    (response: ServerResponse) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  const situations: Record<string, (response: ServerResponse) => unknown> = {
    '404103 nested': answer(404, nested(404103)),
    '429001 with a wait': answer(429, nested(429001), { 'retry-after': '3' }),
    'a name in the header': answer(401, '', { 'iothub-errorcode': 'IotHubUnauthorizedAccess' }),
    'the old form': answer(409, '{"Message":"ErrorCode:DeviceAlreadyExists;x"}'),
    'a page of a gateway': answer(502, '<html><title>Bad Gateway</title></html>', { 'content-type': 'text/html' }),
    'an empty 503': answer(503, ''),
    'a bare 403': answer(403, ''),
    'a 200 cut off': (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"a":');
      setImmediate(() => response.destroy());
    },
    'a reset before the answer': (response) => response.socket?.resetAndDestroy(),
    'no answer in time': () => {},
  };

  test.each(Object.entries(situations))('%s', async (name, act) => {
    const server = createServer((_request, response) => void act(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const raw = await axios
      .get(`http://127.0.0.1:${port}/devices/d`, { timeout: 200, proxy: false })
      .catch((error: unknown) => error);
    server.closeAllConnections();
    server.close();
    compare(`http: ${name}`, raw, readHttp);
  });

  test('refused', async () => {
    compare(
      'http: refused',
      await axios.get('http://127.0.0.1:1/', { proxy: false }).catch((error: unknown) => error),
      readHttp,
    );
  });
});

/** A server that answers the CONNECT with what it is told to. */
async function refusedBy(act: (socket: Socket) => void, protocolVersion: 4 | 5): Promise<unknown> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    const reading = parser({ protocolVersion });
    reading.on('packet', (packet) => packet.cmd === 'connect' && act(socket));
    socket.on('data', (bytes) => reading.parse(bytes));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion, reconnectPeriod: 0, connectTimeout: 300 });
  const raw = await new Promise<unknown>((resolve) => {
    client.on('error', resolve);
    client.on('disconnect', resolve);
  });
  client.end(true);
  server.close();
  return raw;
}

describe('mqtt, by mqtt.js', () => {
  const send = (packet: Packet, protocolVersion: 4 | 5) => (socket: Socket) =>
    void socket.end(generate(packet, { protocolVersion }));
  const connack = (code: number, protocolVersion: 4 | 5): Packet =>
    protocolVersion === 5
      ? { cmd: 'connack', reasonCode: code, sessionPresent: false }
      : { cmd: 'connack', returnCode: code, sessionPresent: false };

  test.each([
    ...[1, 2, 3, 4, 5].map((code) => [`CONNACK ${code} of 3.1.1`, connack(code, 4), 4] as const),
    ...[0x86, 0x87, 0x88, 0x89, 0x9c, 0x9f].map(
      (code) => [`CONNACK 0x${code.toString(16)} of 5`, connack(code, 5), 5] as const,
    ),
  ])('%s', async (name, packet, protocolVersion) => {
    compare(`mqtt: ${name}`, await refusedBy(send(packet, protocolVersion), protocolVersion), (input) =>
      readMqtt(input, { protocolVersion }),
    );
  });

  test.each([0x8b, 0x8e, 0x97, 0x98])('DISCONNECT %i', async (reasonCode) => {
    const accept = generate(connack(0, 5), { protocolVersion: 5 });
    const leave = generate({ cmd: 'disconnect', reasonCode }, { protocolVersion: 5 });
    const raw = await refusedBy((socket) => socket.end(Buffer.concat([accept, leave])), 5);
    compare(`mqtt: DISCONNECT 0x${reasonCode.toString(16)}`, raw, (input) => readMqtt(input, { protocolVersion: 5 }));
  });

  test('no CONNACK in time, and a reset', async () => {
    compare('mqtt: no CONNACK', await refusedBy(() => {}, 4), readMqtt);
    compare('mqtt: reset', await refusedBy((socket) => socket.resetAndDestroy(), 4), readMqtt);
  });

  test('an answer on a topic', () => {
    for (const status of [400, 403, 429, 500])
      compare(
        `mqtt: twin answer ${status}`,
        { cmd: 'publish', topic: `$iothub/twin/res/${status}/?$rid=1`, payload: Buffer.from('') },
        readMqtt,
      );
  });
});

describe('amqp, by rhea', () => {
  const conditions: readonly ConnectionErrorRecord[] = [
    {
      condition: 'amqp:unauthorized-access',
      description: `{"errorCode":401002,"message":"x","trackingId":"${trackingId}"}`,
    },
    { condition: 'amqp:resource-limit-exceeded', description: 'full' },
    { condition: 'com.microsoft:device-container-throttled', description: 'Wait 10 seconds and try again' },
    { condition: 'com.microsoft:message-lock-lost', description: 'x' },
    { condition: 'amqp:not-allowed', description: 'Service rejected the message with status: 429' },
    { condition: 'vendor:odd', description: 'x' },
  ];
  interface ConnectionErrorRecord {
    readonly condition: string;
    readonly description: string;
  }

  /** Refused at the link, with the context as rhea hands it over. */
  async function detached(record: ConnectionErrorRecord): Promise<EventContext> {
    const container = rhea.create_container();
    const server = container.listen({ port: 0, host: '127.0.0.1' });
    container.on('receiver_open', ({ receiver }) => receiver?.close(record));
    container.on('disconnected', () => {});
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connection = rhea.create_container().connect({ port, host: '127.0.0.1', reconnect: false });
    const context = await new Promise<EventContext>((resolve) => {
      connection.open_sender('/messages/devicebound').on('sender_error', resolve);
    });
    connection.on('connection_error', () => {});
    connection.close();
    server.close();
    return context;
  }

  test.each(conditions)('$condition', async (record) => {
    const context = await detached(record);
    const raw = context.sender?.error as ConnectionError;
    compare(`amqp: ${record.condition}, its record`, raw, readAmqp);
    // The context tells the place as well: more exact, never another thing.
    const bare = classify(raw);
    const placed = classify({ event: 'sender_error', payload: context }, { readers: [readAmqp] });
    table.push([`amqp: ${record.condition}, its place`, short(bare), short(placed)]);
    expect(placed.category).toBe(bare.category);
    if (bare.code !== undefined) expect(placed.code).toBe(bare.code);
  });
});
