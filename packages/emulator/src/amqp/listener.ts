import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { WebSocket } from 'ws';
import { thumbprintsOf } from '../http/access.ts';
import type { ListenerContext, RunningListener } from '../listener.ts';
import { resetSocket } from '../reset-socket.ts';

import { type Endpoint, Peer } from './peer.ts';
import { type ByteStream, Pipe } from './pipe.ts';

/** Sub-protocol of AMQP over WebSockets, as the official clients ask for it. */
const WEBSOCKET_PROTOCOL = 'AMQPWSB10';
/** How long clients have to answer the close of a stopping emulator. */
const STOP_GRACE_MS = 50;

/** AMQP 1.0 over TCP, TLS (when there is a certificate) and WebSockets. */
export async function startAmqp(context: ListenerContext): Promise<RunningListener> {
  const peers = new Set<Peer>();
  let count = 0;
  let endpoint: Endpoint = { host: context.host, port: 0 };
  const accept = (pipe: Pipe, thumbprints: readonly string[] = []) => {
    count += 1;
    const peer = new Peer({ id: count, context, pipe, endpoint, thumbprints });
    peers.add(peer);
    peer.onGone = () => peers.delete(peer);
  };
  const servers: Server[] = [];
  const urls: Record<string, string> = {};
  const listen = async (name: 'amqp' | 'amqps', server: Server) => {
    servers.push(server);
    const port = await bind(server, context.ports[name], context.host);
    urls[name] = `${name}://${context.host.includes(':') ? `[${context.host}]` : context.host}:${port}`;
    endpoint = { host: context.host, port };
  };
  await listen(
    'amqp',
    createTcpServer((socket) => accept(pipeOfSocket(socket))),
  );
  if (context.tls) {
    const { key, cert } = context.tls;
    // A client certificate is asked for but not demanded; its thumbprint is checked per device.
    const options = { key, cert, requestCert: true, rejectUnauthorized: false };
    const server = createTlsServer(options, (socket) => accept(pipeOfSocket(socket), thumbprintsOf(socket)));
    // A failed handshake is the client's to report.
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    await listen('amqps', server);
  }
  context.webSockets.set(WEBSOCKET_PROTOCOL, (webSocket, request) =>
    accept(pipeOfWebSocket(webSocket), thumbprintsOf(request.socket)),
  );
  return {
    urls,
    connections: () => peers.size,
    close: () => close(servers, peers),
  };
}

function bind(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function close(servers: readonly Server[], peers: ReadonlySet<Peer>): Promise<void> {
  const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
  for (const peer of peers) peer.close({ condition: 'amqp:connection:forced', description: 'The emulator stops.' });
  if (peers.size > 0) await new Promise((resolve) => setTimeout(resolve, STOP_GRACE_MS));
  for (const peer of [...peers]) peer.pipe.destroy();
  await Promise.all(closed);
}

function pipeOfSocket(socket: Socket): Pipe {
  socket.setNoDelay(true);
  const stream: ByteStream = {
    write: (bytes) => void socket.write(bytes),
    end: () => void socket.end(),
    destroy: (reset) => (reset ? resetSocket(socket) : void socket.destroy()),
    get pending() {
      return socket.writableLength;
    },
  };
  const pipe = new Pipe(stream);
  socket.on('data', (chunk) => pipe.feed(chunk));
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => pipe.closed(failure));
  return pipe;
}

function pipeOfWebSocket(socket: WebSocket): Pipe {
  const stream: ByteStream = {
    write: (bytes) => socket.send(bytes),
    end: () => socket.close(),
    destroy: (reset) => {
      const { _socket } = socket as WebSocket & { readonly _socket?: Socket };
      if (reset && _socket) resetSocket(_socket);
      socket.terminate();
    },
    get pending() {
      return socket.bufferedAmount;
    },
  };
  const pipe = new Pipe(stream);
  socket.on('message', (data) => pipe.feed(toBuffer(data)));
  socket.on('error', () => {});
  socket.on('close', () => pipe.closed());
  return pipe;
}

function toBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
