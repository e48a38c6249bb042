import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server as NetServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach } from 'vitest';

/** A server on loopback that is gone at the end of the test. */
export interface Served {
  readonly port: number;
  readonly url: string;
  /** Requests or connections so far. */
  count(): number;
  close(): Promise<void>;
}

const open = new Set<Served>();

afterEach(async () => {
  await Promise.all([...open].map((server) => server.close()));
});

export async function serve(handler: RequestListener): Promise<Served> {
  let count = 0;
  const server = createHttp((request, response) => {
    count++;
    handler(request, response);
  });
  return listen(server, 'http', () => count);
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export async function certificate(name: string, more: { expired?: boolean } = {}): Promise<Certificate> {
  const now = Date.now();
  const made = await generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    algorithm: 'sha256',
    notBeforeDate: new Date(now - 10 * 86_400_000),
    notAfterDate: new Date(now + (more.expired ? -86_400_000 : 86_400_000)),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
  return { key: made.private, cert: made.cert };
}

export async function serveTls(options: Certificate, handler: RequestListener): Promise<Served> {
  const server = createHttps(options, handler);
  server.on('tlsClientError', () => {});
  return listen(server, 'https', () => 0);
}

/** Anything that is not HTTP. */
export async function serveRaw(onConnection: (socket: Socket) => void): Promise<Served> {
  let count = 0;
  const server = createTcp((socket) => {
    count++;
    socket.on('error', () => {});
    onConnection(socket);
  });
  return listen(server, 'http', () => count);
}

async function listen(server: Server | NetServer, scheme: string, count: () => number): Promise<Served> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket | TLSSocket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  };
  server.on('connection', keep);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const served: Served = {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    count,
    async close() {
      open.delete(served);
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
  open.add(served);
  return served;
}

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const { port, close } = await serveRaw(() => {});
  await close();
  return port;
}
