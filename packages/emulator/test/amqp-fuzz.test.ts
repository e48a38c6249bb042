import { createConnection, type Socket } from 'node:net';
import fc from 'fast-check';
import rhea from 'rhea';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWellFormedFrame, isWellFormedMessage } from '../src/amqp/frame-check.ts';
import { type Emulator, startEmulator } from '../src/index.ts';
import { Client } from './support/amqp.ts';
import { recordSession } from './support/amqp-recording.ts';
import { eventually } from './support/eventually.ts';

let emulator: Emulator;
/** What a well-behaved client sent in a whole session, chunk by chunk. */
let session: Buffer[];

beforeAll(async () => {
  emulator = await startEmulator({ auth: 'none' });
  session = await recordSession(emulator);
});

afterAll(() => emulator.stop());

/** Write chunks and end; resolves when the emulator let go of the connection. */
function play(chunks: readonly Uint8Array[]): Promise<void> {
  const { hostname, port } = new URL(emulator.amqpUrl);
  return new Promise((resolve) => {
    const socket: Socket = createConnection(Number(port), hostname);
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
    for (const chunk of chunks) socket.write(chunk);
    socket.end();
  });
}

async function stillWorks(): Promise<void> {
  await eventually(() => emulator.connections).toBe(0);
  const client = Client.to(emulator);
  const sender = client.connection.open_sender('/devices/device1/messages/events');
  expect(await client.send(sender, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
  await client.close();
  await eventually(() => emulator.connections).toBe(0);
}

describe('bytes that are no AMQP', () => {
  it('random bytes end one connection, and nothing else', async () => {
    const bytes = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 });
    await fc.assert(fc.asyncProperty(bytes, play), { numRuns: 60 });
    await stillWorks();
  });

  it('answers what is no AMQP with the header it expects', async () => {
    const { hostname, port } = new URL(emulator.amqpUrl);
    const answer = await new Promise<string>((resolve) => {
      const socket = createConnection(Number(port), hostname, () => socket.write('GET / HTTP/1.1\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
    expect(answer).toBe('AMQP\0\x01\0\0');
    await stillWorks();
  });

  it('random bytes behind a good header do the same', async () => {
    const header = Buffer.from('AMQP\0\x01\0\0', 'latin1');
    const frame = fc.uint8Array({ minLength: 4, maxLength: 120 }).map((body) => {
      const bytes = Buffer.concat([Buffer.from([0, 0, 0, body.length + 8, 2, 0, 0, 0]), body]);
      return bytes;
    });
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 6 }), (frames) => play([header, ...frames])),
      { numRuns: 120 },
    );
    await stillWorks();
  });

  it('a session with mutated bytes does the same', async () => {
    const all = Buffer.concat(session);
    const mutation = fc.record({ at: fc.nat(all.length - 1), to: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 8 }), (mutations) => {
        const bytes = Buffer.from(all);
        for (const { at, to } of mutations) bytes[at] = to;
        return play([bytes]);
      }),
      { numRuns: 150 },
    );
    await stillWorks();
  });

  it('a session cut anywhere leaves nothing behind', async () => {
    const all = Buffer.concat(session);
    await fc.assert(
      fc.asyncProperty(fc.nat(all.length), (length) => play([all.subarray(0, length)])),
      { numRuns: 60 },
    );
    await stillWorks();
  });

  it('a session in single bytes is understood', async () => {
    const before = emulator.state.events.count;
    await play(session.flatMap((chunk) => [...chunk].map((byte) => Uint8Array.of(byte))));
    await eventually(() => emulator.state.events.count).toBe(before + 1);
    await stillWorks();
  });
});

describe('structures that would hurt a decoder', () => {
  const frame = (...body: number[]) => Buffer.from([0, 0, 0, body.length + 8, 2, 0, 0, 0, ...body]);

  it('refuses an array of four billion nulls', () => {
    expect(isWellFormedFrame(frame(0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40))).toBe(false);
  });

  it('refuses a list that claims more items than bytes', () => {
    expect(isWellFormedMessage(Buffer.from([0xd0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40]))).toBe(false);
  });

  it('refuses a list nested a thousand deep', () => {
    let bytes = Buffer.from([0x45]);
    for (let i = 0; i < 1_000; i++) {
      const size = Buffer.alloc(4);
      size.writeUInt32BE(bytes.length + 4);
      bytes = Buffer.concat([Buffer.from([0xd0]), size, Buffer.from([0, 0, 0, 1]), bytes]);
    }
    expect(isWellFormedMessage(bytes)).toBe(false);
  });

  it('refuses what is cut off, takes what is whole', () => {
    const list = Buffer.from([0xc0, 3, 2, 0x41, 0x42]);
    expect(isWellFormedMessage(list)).toBe(true);
    for (let length = 1; length < list.length; length++)
      expect(isWellFormedMessage(list.subarray(0, length))).toBe(false);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        isWellFormedMessage(Buffer.from(bytes));
        isWellFormedFrame(Buffer.from(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it('closes with a framing error on a frame above the maximum', async () => {
    const client = Client.to(emulator);
    await client.next('connection_open');
    const { socket } = client.connection as unknown as { socket: Socket };
    socket.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 2, 0, 0, 0]));
    const { error } = await client.next('connection_error');
    expect(error).toMatchObject({ condition: 'amqp:connection:framing-error' });
    await stillWorks();
  });

  it('detaches the answers of a request whose id cannot be sent back', async () => {
    const client = Client.to(emulator);
    const receiver = client.connection.open_receiver('/devices/device1/twin');
    const sender = client.connection.open_sender('/devices/device1/twin');
    await client.credit(sender);
    const refused = client.next('receiver_error');
    const id = rhea.types.wrap_list([1, 2]) as never;
    sender.send({ correlation_id: id, message_annotations: { operation: 'GET' }, body: '' });
    expect((await refused).receiver).toBe(receiver);
    expect(receiver.error).toMatchObject({ condition: 'amqp:invalid-field' });
    await client.close();
    await stillWorks();
  });

  it.each([
    // disposition: role receiver, first 0, last 4,294,967,295, settled, accepted
    [
      'a disposition of everything',
      'amqp:session:window-violation',
      [0, 0x53, 0x15, 0xc0, 13, 5, 0x41, 0x43, 0x70, 0xff, 0xff, 0xff, 0xff, 0x41, 0, 0x53, 0x24, 0x45],
    ],
    // transfer: handle 0, no delivery-id, a tag, format 0, not settled, no more; one byte of data
    [
      'a delivery without an id',
      'amqp:invalid-field',
      [0, 0x53, 0x14, 0xc0, 9, 6, 0x43, 0x40, 0xa0, 1, 1, 0x43, 0x42, 0x42, 0, 0x53, 0x75, 0xa0, 1, 0x78],
    ],
    [
      'a delivery whose id is a text',
      'amqp:invalid-field',
      [0, 0x53, 0x14, 0xc0, 11, 6, 0x43, 0xa1, 1, 0x78, 0xa0, 1, 1, 0x43, 0x42, 0x42, 0, 0x53, 0x75, 0xa0, 1, 0x78],
    ],
  ])('closes on %s', async (_what, condition, bytes) => {
    const client = Client.to(emulator);
    const sender = client.connection.open_sender('/devices/device1/messages/events');
    await client.credit(sender);
    (client.connection as unknown as { socket: Socket }).socket.write(frame(...bytes));
    const { error } = await client.next('connection_error');
    expect(error).toMatchObject({ condition });
    await stillWorks();
  });
});
