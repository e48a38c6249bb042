import { connect, type Socket } from 'node:net';
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet';

/** An MQTT 5 client that is nothing but the codec: it sends what it is told, and answers nothing by itself. */
export class RawMqtt {
  readonly #socket: Socket;
  readonly #seen: Packet[] = [];
  readonly #waiting: { cmd: string; resolve: (packet: Packet) => void }[] = [];
  /** Resolves when the connection is closed, by whatever. */
  readonly closed: Promise<void>;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    const codec = parser({ protocolVersion: 5 });
    codec.on('packet', (packet) => this.#take(packet));
    this.#socket.on('data', (bytes) => codec.parse(bytes));
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.#socket.on('close', () => resolve()));
  }

  send(packet: Packet): void {
    this.#socket.write(generate(packet, { protocolVersion: 5 }));
  }

  /** Send a CONNECT and wait for its answer. */
  async connect(connect: Partial<IConnectPacket> & { readonly clientId: string }): Promise<Packet> {
    const given = { protocolId: 'MQTT', protocolVersion: 5, clean: true, keepalive: 60 } as const;
    this.send({ cmd: 'connect', ...given, ...connect });
    return this.next('connack');
  }

  /** The oldest packet of a kind that was not asked for yet. */
  next<C extends Packet['cmd']>(cmd: C): Promise<Extract<Packet, { cmd: C }>> {
    const at = this.#seen.findIndex((one) => one.cmd === cmd);
    const found = at < 0 ? undefined : this.#seen.splice(at, 1)[0];
    if (found) return Promise.resolve(found as Extract<Packet, { cmd: C }>);
    return new Promise((resolve) => this.#waiting.push({ cmd, resolve: resolve as (packet: Packet) => void }));
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(packet: Packet): void {
    const at = this.#waiting.findIndex(({ cmd }) => cmd === packet.cmd);
    if (at < 0) this.#seen.push(packet);
    else this.#waiting.splice(at, 1)[0]?.resolve(packet);
  }
}
