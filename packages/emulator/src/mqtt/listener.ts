import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { createWebSocketStream, type WebSocket } from 'ws';
import { thumbprintsOf } from '../http/access.ts';
import type { ListenerContext, RunningListener } from '../listener.ts';
import { endpoint, Sockets } from '../sockets.ts';
import { keyOf } from '../state/identity.ts';
import { MqttConnection } from './connection.ts';
import type { Hub } from './peer.ts';
import { Sessions } from './session.ts';

/** Serve MQTT 3.1.1 and 5 over TCP and, with TLS, over TLS; over WebSockets through the HTTP listener. */
export async function startMqtt(context: ListenerContext): Promise<RunningListener> {
  const hub: Hub = { context, sessions: new Sessions(), live: new Map() };
  const held = new Sockets();
  const sockets = new Sockets();
  const accept = (stream: Duplex, socket: Socket, thumbprints: readonly string[] = []) => {
    held.hold(stream);
    new MqttConnection({ hub, stream, socket, id: held.numberOf(stream), thumbprints });
  };
  const stopDelivering = deliver(hub);
  context.webSockets.set('mqtt', (webSocket, request) => {
    accept(streamOf(webSocket), request.socket, thumbprintsOf(request.socket));
  });
  const plain = createServer({ noDelay: true }, (socket) => accept(socket, socket));
  const secure = context.tls && makeTlsServer(context, accept);
  const servers = secure ? [plain, secure] : [plain];
  for (const server of servers) server.on('connection', (socket: Socket) => sockets.hold(socket));
  const urls = await listenAll(context, plain, secure);
  return {
    urls,
    connections: () => held.size,
    close: async () => {
      stopDelivering();
      context.webSockets.delete('mqtt');
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      await Promise.all([held.destroy(), sockets.destroy(), ...closed]);
    },
  };
}

/** A WebSocket as a stream that closes whenever the WebSocket does. */
function streamOf(webSocket: WebSocket): Duplex {
  const stream = createWebSocketStream(webSocket, { readableHighWaterMark: 65_536 });
  // ws ends the writing side when the socket has finished, and a reset one never does.
  webSocket.once('close', () => {
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => stream.destroy());
  });
  return stream;
}

async function listenAll({ host, ports }: ListenerContext, plain: Server, secure: Server | undefined) {
  const urls: Record<string, string> = { mqtt: endpoint('mqtt', host, await listen(plain, ports.mqtt, host)) };
  if (!secure) return urls;
  try {
    urls.mqtts = endpoint('mqtts', host, await listen(secure, ports.mqtts, host));
    return urls;
  } catch (error) {
    plain.close();
    throw error;
  }
}

/** One listener of the state for all connections: what changes goes to the one it concerns. */
function deliver({ context: { cloud }, live }: Hub): () => void {
  const off = [
    cloud.queues.available.on((key) => live.get(key)?.delivery?.pump()),
    cloud.inputs.available.on((key) => live.get(key)?.delivery?.pump()),
    cloud.twins.desiredChanged.on(({ identity, patch, version }) => {
      live.get(keyOf(identity))?.delivery?.desired(patch, version);
    }),
  ];
  return () => {
    for (const stop of off) stop();
  };
}

function makeTlsServer(
  context: ListenerContext,
  accept: (stream: Duplex, socket: Socket, thumbprints: string[]) => void,
): Server {
  const { key, cert } = context.tls as NonNullable<ListenerContext['tls']>;
  // A client certificate is asked for but not demanded; its thumbprint is checked per device.
  const options = { key, cert, requestCert: true, rejectUnauthorized: false, noDelay: true };
  const server = createTlsServer(options, (socket: TLSSocket) => accept(socket, socket, thumbprintsOf(socket)));
  server.on('tlsClientError', () => {});
  return server;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: 4_096 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
