import { X509Certificate } from 'node:crypto';
import { connect as tlsConnect } from 'node:tls';
import rhea from 'rhea';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Emulator, startEmulator } from '../src/index.ts';
import { Client } from './support/amqp.ts';
import { eventually } from './support/eventually.ts';

const D2C = '/devices/device1/messages/events';

let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator({ tls: true });
});

afterAll(() => emulator.stop());

async function sendOver(options: object, messageId: string): Promise<void> {
  const client = new Client(options as never);
  await client.putToken(emulator.deviceToken('device1'), '127.0.0.1/devices/device1');
  const sender = client.connection.open_sender(D2C);
  expect(await client.send(sender, { message_id: messageId, body: 'x' })).toMatchObject({ outcome: 'accepted' });
  await client.close();
  expect(emulator.log.executions('d2c', messageId)).toBe(1);
}

function webSocketDetails(url: string, options: object): object {
  const connect = rhea.websocket_connect(WebSocket as never);
  return {
    connection_details: connect(`${url.replace(/^http/, 'ws')}/$iothub/websocket`, ['AMQPWSB10'], options as never),
  };
}

describe('transports', () => {
  it('TLS, with the certificate checked', async () => {
    const { hostname, port } = new URL(emulator.urls.amqps ?? '');
    await sendOver(
      { transport: 'tls', host: hostname, port: Number(port), ca: emulator.ca, servername: 'localhost' },
      't',
    );
  });

  it('WebSocket with sub-protocol AMQPWSB10', async () => {
    await sendOver(webSocketDetails(emulator.urls.http ?? '', {}), 'w');
  });

  it('secure WebSocket', async () => {
    await sendOver(webSocketDetails(emulator.urls.https ?? '', { ca: emulator.ca }), 's');
  });

  it('takes a client certificate whose thumbprint a device has, over SASL EXTERNAL', async () => {
    const made = await generate([{ name: 'commonName', value: 'cert-device' }], { keyType: 'ec', algorithm: 'sha256' });
    const { fingerprint256 } = new X509Certificate(made.cert);
    emulator.state.identities.create(
      { deviceId: 'cert-device' },
      { authenticationType: 'selfSigned', primaryThumbprint: fingerprint256 },
    );
    const { hostname, port } = new URL(emulator.urls.amqps ?? '');
    const trust = { ca: emulator.ca, servername: 'localhost', cert: made.cert, key: made.private };
    const options = { transport: 'tls', host: hostname, port: Number(port), enable_sasl_external: true, ...trust };
    const client = new Client(options as never);
    const own = client.connection.open_sender('/devices/cert-device/messages/events');
    expect(await client.send(own, { body: 'x' })).toMatchObject({ outcome: 'accepted' });
    client.connection.open_sender(D2C);
    const { sender } = await client.next('sender_error');
    expect(sender?.error).toMatchObject({ condition: 'amqp:unauthorized-access' });
    await client.close();
  });

  it('resets a TLS connection too', async () => {
    emulator.inject({ transport: 'amqp', match: { operation: 'connect' }, fault: 'reset-before' });
    const { hostname, port } = new URL(emulator.urls.amqps ?? '');
    const client = new Client({
      transport: 'tls',
      host: hostname,
      port: Number(port),
      ca: emulator.ca,
      servername: 'localhost',
    } as never);
    const { error } = await client.next('disconnected');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  it('lets a failed handshake be the client’s to report', async () => {
    const { hostname, port } = new URL(emulator.urls.amqps ?? '');
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      tlsConnect({ host: hostname, port: Number(port), servername: 'localhost' }).on('error', resolve);
    });
    expect(error.code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    await eventually(() => emulator.connections).toBe(0);
  });
});

describe('stopping', () => {
  it('closes with connection:forced and ends every connection', async () => {
    const other = await startEmulator();
    const client = await Client.device(other);
    const gone = client.next('connection_error');
    await other.stop();
    expect((await gone).error).toMatchObject({ condition: 'amqp:connection:forced' });
    expect(other.connections).toBe(0);
  });
});
