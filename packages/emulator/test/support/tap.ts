import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How the emulator's side of a connection ended, seen from a client. */
export type End = 'open' | 'closed' | 'reset';

/** A relay between one client and the emulator that keeps what the emulator sent. */
export class Tap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #chunks: Buffer[] = [];
  end: End = 'open';

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param target - a url of the emulator */
  static async to(target: string): Promise<{ tap: Tap; url: string }> {
    const { protocol, hostname, port } = new URL(target);
    const server = createServer((client) => tap.#relay(client, connect(Number(port), hostname)));
    const tap = new Tap(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { tap, url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  /** All that was sent so far. */
  get sent(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #relay(client: Socket, emulator: Socket): void {
    this.#sockets.add(client).add(emulator);
    emulator.on('data', (chunk) => {
      this.#chunks.push(chunk);
      client.write(chunk);
    });
    client.on('data', (chunk) => emulator.write(chunk));
    emulator.on('error', () => {
      this.end = 'reset';
      client.destroy();
    });
    emulator.on('end', () => {
      if (this.end === 'open') this.end = 'closed';
      client.end();
    });
    client.on('error', () => {});
    client.on('close', () => emulator.destroy());
  }
}
