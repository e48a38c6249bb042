import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CONTROL_PREFIX, control } from '../control/control.ts';
import type { ListenerContext, RunningListener } from '../listener.ts';
import { endpoint, Sockets } from '../sockets.ts';
import { Exchange } from './exchange.ts';

/** Where the cloud serves MQTT and AMQP over WebSockets. */
const WEB_SOCKET_PATH = '/$iothub/websocket';

const KEEP_ALIVE_MS = 120_000;

/** How long a client may take to answer a goodbye before its connection is cut. */
const GOODBYE_MS = 1_000;

/** Of a client that goes away. */
const ignore = () => {};

/** Serve REST, and WebSockets for the other transports, over HTTP and, with TLS, HTTPS. */
export async function startHttp(context: ListenerContext): Promise<RunningListener> {
  const sockets = new Sockets();
  const onRequest: RequestListener = (request, response) => {
    response.on('error', ignore);
    if (context.control && request.url?.startsWith(CONTROL_PREFIX)) {
      control(request, response, context);
      return;
    }
    new Exchange(request, response, context, sockets.numberOf(request.socket)).run();
  };
  const upgrade = makeUpgrade(context);
  const servers: Server[] = [createServer(onRequest)];
  if (context.tls) {
    const { key, cert } = context.tls;
    // A client certificate is asked for but not demanded; its thumbprint is checked per device.
    servers.push(createTlsServer({ key, cert, requestCert: true, rejectUnauthorized: false }, onRequest));
  }
  for (const server of servers) {
    // As long as the load balancer before the cloud keeps a silent connection.
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.on('connection', (socket) => sockets.hold(socket));
    server.on('upgrade', upgrade);
    server.on('tlsClientError', () => {});
  }
  const [plain, secure] = servers as [Server, Server?];
  const urls: Record<string, string> = await listenAll(context, plain, secure);
  return {
    urls,
    connections: () => sockets.size,
    close: async () => {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      await Promise.all([sockets.destroy(), ...closed]);
    },
  };
}

async function listenAll(context: ListenerContext, plain: Server, secure: Server | undefined) {
  const urls: Record<string, string> = {};
  const port = await listen(plain, context.ports.http, context.host);
  urls.http = endpoint('http', context.host, port);
  if (context.webSockets) urls.ws = endpoint('ws', context.host, port) + WEB_SOCKET_PATH;
  if (!secure) return urls;
  try {
    const securePort = await listen(secure, context.ports.https, context.host);
    urls.https = endpoint('https', context.host, securePort);
    urls.wss = endpoint('wss', context.host, securePort) + WEB_SOCKET_PATH;
  } catch (error) {
    plain.close();
    throw error;
  }
  return urls;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, 1024, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Hand WebSockets to the listener that registered their sub-protocol. */
function makeUpgrade(context: ListenerContext) {
  const webSockets = new WebSocketServer(webSocketOptions(context));
  return (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = (request.url ?? '').split('?', 1)[0];
    const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(',');
    const name = offered.map((one) => one.trim()).find((one) => context.webSockets.has(one));
    const handler = name === undefined ? undefined : context.webSockets.get(name);
    const status = upgradeFault(context, path ?? '') ?? (path !== WEB_SOCKET_PATH ? 404 : handler ? undefined : 400);
    if (status !== undefined || !handler) {
      refuse(socket as Socket, status ?? 400);
      return;
    }
    webSockets.handleUpgrade(request, socket as Socket, head, (webSocket) => {
      webSocket.on('error', () => {}); // a broken frame closes it; the handler sees the close
      handler(webSocket, request);
    });
  };
}

function webSocketOptions(context: ListenerContext) {
  return {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 2 * 1024 * 1024,
    // Of ws 8.19 and later, not yet in its types.
    closeTimeout: GOODBYE_MS,
    handleProtocols: (offered: Set<string>) => [...offered].find((name) => context.webSockets.has(name)) ?? false,
  };
}

/** Answer an upgrade with a status; 0 is no answer, with the connection half open. */
function refuse(socket: Socket, status: number): void {
  // The parser has let go of the socket: unless it is read, the client's leaving is not seen.
  socket.resume();
  socket.once('end', () => socket.destroy());
  if (status === 0) return;
  socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  socket.setTimeout(GOODBYE_MS, () => socket.destroy());
}

/** A scripted fault of the upgrade itself (operation `upgrade`): its HTTP status. */
function upgradeFault(context: ListenerContext, path: string): number | undefined {
  const fault = context.faults.next({ transport: 'http', operation: 'upgrade', method: 'GET', path });
  if (!fault?.form) return undefined;
  context.cloud.log.record({
    transport: 'http',
    operation: 'upgrade',
    target: path,
    outcome: 'refused',
    scripted: true,
  });
  if ('status' in fault.form) return fault.form.status;
  if ('code' in fault.form) return Math.trunc(fault.form.code / 1000);
  return 'unclean' in fault.form && fault.form.unclean === 'half-open' ? 0 : 503;
}
