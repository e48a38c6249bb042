import type { Server as NetServer, Socket } from 'node:net';
import { createServer } from 'node:net';
import rhea, { type Connection, type Container, type EventContext } from 'rhea';
import { cleanup } from './cleanup.ts';

export interface Peer {
  readonly port: number;
  readonly container: Container;
  readonly connections: Set<Connection>;
  readonly sockets: Set<Socket>;
  /** The one connection there is. */
  readonly connection: Connection;
  stop(): Promise<void>;
}

export interface PeerOptions {
  /** Accepts PLAIN with this check instead of anonymous. */
  readonly plain?: (username: string, password: string) => boolean | Promise<boolean>;
  /** Options of its side of each connection. */
  readonly connection?: object;
  /** Settles messages itself: nothing is accepted unless the script says so. @default true */
  readonly accept?: boolean;
  readonly port?: number;
}

/** A server of rhea that does what its listeners say. */
export async function startPeer(options: PeerOptions = {}, script?: (container: Container) => void): Promise<Peer> {
  const container = rhea.create_container();
  const connections = new Set<Connection>();
  if (options.plain) container.sasl_server_mechanisms.enable_plain(options.plain);
  for (const name of ['error', 'protocol_error', 'connection_error', 'session_error', 'sender_error', 'receiver_error'])
    container.on(name, () => {});
  container.on('connection_open', ({ connection }: EventContext) => connections.add(connection));
  container.on('connection_close', ({ connection }: EventContext) => connections.delete(connection));
  container.on('disconnected', ({ connection }: EventContext) => connections.delete(connection));
  script?.(container);
  const server = container.listen({
    port: options.port ?? 0,
    host: '127.0.0.1',
    receiver_options: { autoaccept: options.accept ?? true, credit_window: 100 },
    ...options.connection,
  } as Parameters<Container['listen']>[0]);
  const { port, sockets, stop } = await listening(server as NetServer);
  return {
    port,
    container,
    connections,
    sockets,
    get connection() {
      const [only] = connections;
      if (!only || connections.size > 1) throw new Error(`expected one connection, there are ${connections.size}`);
      return only;
    },
    stop,
  };
}

/** A server of raw sockets, for what rhea would not do. */
export async function startRaw(onSocket: (socket: Socket) => void): Promise<{ port: number; sockets: Set<Socket> }> {
  const server = createServer(onSocket);
  server.listen(0, '127.0.0.1');
  return listening(server);
}

async function listening(server: NetServer) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  cleanup(stop);
  return { port: address.port, sockets, stop };
}
