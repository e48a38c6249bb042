/*
 * A scriptable MQTT peer on the byte level, over tcp, tls, ws or wss: it does exactly what a test
 * says, well-formed or not. Without a script it behaves like a polite broker.
 */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type Packet,
  parser,
} from 'mqtt-packet';
import { createWebSocketStream, WebSocketServer } from 'ws';

export type Cmd = NonNullable<Packet['cmd']>;

/** What to do with one packet; return `false` to be polite all the same. */
export type Script = { readonly [C in Cmd]?: (link: Link, packet: Extract<Packet, { cmd: C }>) => unknown } & {
  /** As soon as bytes can flow, before any CONNECT. */
  readonly open?: (link: Link) => unknown;
};

/** One accepted connection. */
export class Link {
  readonly socket: net.Socket;
  readonly stream: Duplex;
  readonly received: Packet[] = [];
  readonly #parser = parser();
  connect: IConnectPacket | undefined;
  closed = false;

  constructor(socket: net.Socket, stream: Duplex) {
    this.socket = socket;
    this.stream = stream;
    stream.on('error', () => {}); // resets are part of the game
    stream.on('close', () => {
      this.closed = true;
    });
  }

  /** Of the CONNECT; 4 until one came. */
  get version(): number {
    return this.connect?.protocolVersion ?? 4;
  }

  listen(onPacket: (packet: Packet) => void): void {
    this.#parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') this.connect = packet;
      this.received.push(packet);
      onPacket(packet);
    });
    this.#parser.on('error', () => {});
    this.stream.on('data', (chunk: Buffer) => this.#parser.parse(chunk));
  }

  /** Loosely typed: what is sent need not be right. */
  send(packet: { readonly cmd: Cmd; readonly [field: string]: unknown }): void {
    this.raw(generate(packet as unknown as Packet, { protocolVersion: this.version }));
  }

  raw(bytes: Buffer | string): void {
    if (this.stream.writable) this.stream.write(bytes);
  }

  fin(): void {
    this.stream.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Packets of one kind, in order. */
  of<C extends Cmd>(cmd: C): Extract<Packet, { cmd: C }>[] {
    return this.received.filter((packet): packet is Extract<Packet, { cmd: C }> => packet.cmd === cmd);
  }

  /** CONNACK in the form of the client's version. */
  connack(code: number, extra: object = {}): void {
    this.send(
      this.version === 5
        ? { cmd: 'connack', sessionPresent: false, reasonCode: code, ...extra }
        : { cmd: 'connack', sessionPresent: false, returnCode: code },
    );
  }
}

export interface Peer {
  readonly port: number;
  readonly url: string;
  readonly links: Link[];
  /** Replaces what was scripted. */
  script(script: Script): void;
  stop(): Promise<void>;
}

export interface PeerOptions {
  readonly over?: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  readonly tls?: tls.TlsOptions;
  readonly script?: Script;
  readonly port?: number;
  /** HTTP status the websocket upgrade is refused with. */
  readonly refuseUpgrade?: number;
}

export async function startPeer(options: PeerOptions = {}): Promise<Peer> {
  const over = options.over ?? 'mqtt';
  const links: Link[] = [];
  const sockets = new Set<net.Socket>();
  let script = options.script ?? {};
  const accept = (socket: net.Socket, stream: Duplex) => {
    // Only the socket under TLS can be reset.
    const raw = [...sockets].find(({ remotePort }) => remotePort === socket.remotePort);
    const link = new Link(raw ?? socket, stream);
    links.push(link);
    link.listen((packet) => act(script, link, packet));
    script.open?.(link);
  };
  const server = makeServer(over, options, accept);
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    url: `${over}://127.0.0.1:${port}`,
    links,
    script: (next) => {
      script = next;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function makeServer(
  over: NonNullable<PeerOptions['over']>,
  options: PeerOptions,
  accept: (socket: net.Socket, stream: Duplex) => void,
): net.Server {
  if (over === 'mqtt') return net.createServer((socket) => accept(socket, socket));
  if (over === 'mqtts') return tls.createServer(options.tls ?? {}, (socket) => accept(socket, socket));
  const server = over === 'ws' ? http.createServer() : https.createServer(options.tls ?? {});
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'mqtt' });
  server.on('upgrade', (request, socket, head) => {
    if (options.refuseUpgrade) {
      socket.end(`HTTP/1.1 ${options.refuseUpgrade} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => accept(socket as net.Socket, createWebSocketStream(ws)));
  });
  return server;
}

function act(script: Script, link: Link, packet: Packet): void {
  const scripted = script[packet.cmd] as ((link: Link, packet: Packet) => unknown) | undefined;
  if (scripted && scripted(link, packet) !== false) return;
  polite(link, packet);
}

/** What a broker without faults answers. */
export function polite(link: Link, packet: Packet): void {
  const { cmd } = packet;
  if (cmd === 'connect') link.connack(0);
  else if (cmd === 'publish') acknowledge(link, packet);
  else if (cmd === 'pubrel') link.send({ cmd: 'pubcomp', messageId: packet.messageId });
  else if (cmd === 'subscribe') grant(link, packet);
  else if (cmd === 'unsubscribe')
    link.send({ cmd: 'unsuback', messageId: packet.messageId, granted: packet.unsubscriptions.map(() => 0) });
  else if (cmd === 'pingreq') link.send({ cmd: 'pingresp' });
  else if (cmd === 'disconnect') link.fin();
}

function acknowledge(link: Link, { qos, messageId }: IPublishPacket): void {
  if (qos === 1) link.send({ cmd: 'puback', messageId });
  if (qos === 2) link.send({ cmd: 'pubrec', messageId });
}

function grant(link: Link, { messageId, subscriptions }: ISubscribePacket): void {
  link.send({ cmd: 'suback', messageId, granted: subscriptions.map(({ qos }) => qos) });
}
