import type { Duplex } from 'node:stream';

/** The open sockets of a listener, numbered as they come. */
export class Sockets {
  readonly #open = new Map<Duplex, number>();
  #count = 0;

  hold(socket: Duplex): void {
    this.#count += 1;
    this.#open.set(socket, this.#count);
    socket.on('error', () => {}); // resets and failed handshakes are the client's right; close follows
    socket.once('close', () => this.#open.delete(socket));
  }

  get size(): number {
    return this.#open.size;
  }

  /** Number of a socket; 0 for one that is not held. */
  numberOf(socket: Duplex): number {
    return this.#open.get(socket) ?? 0;
  }

  /** End them all at once; done when all are closed. */
  async destroy(): Promise<void> {
    const closed = [...this.#open.keys()].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', resolve)),
    );
    for (const socket of this.#open.keys()) socket.destroy();
    await Promise.all(closed);
  }
}

/** An endpoint as a URL; IPv6 addresses get their brackets. */
export function endpoint(scheme: string, host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
