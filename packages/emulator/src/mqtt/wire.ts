import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { generate, type Packet } from 'mqtt-packet';
import type { UncleanFault } from '../faults/types.ts';
import { resetSocket } from '../reset-socket.ts';
import type { Clock } from '../state/clock.ts';

/** A moment for the client to read what was sent, before the connection goes, in ms. */
const LINGER_MS = 20;
const SLOW_BYTES_PER_S = 20;

/** Writes packets to one client, well or as a network at fault does. */
export class Wire {
  protocolVersion = 4;
  readonly #stream: Duplex;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #mute = false;
  #batch: Buffer[] | undefined;
  /** What comes after a close is not read any more. */
  closing = false;

  /** @param socket - what carries the stream, to be reset */
  constructor(stream: Duplex, socket: Socket, clock: Clock) {
    this.#stream = stream;
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Nothing is written any more: the connection stays, half open. */
  mute(): void {
    this.#mute = true;
  }

  get muted(): boolean {
    return this.#mute;
  }

  send(packets: readonly Packet[]): void {
    if (this.#mute || !this.#stream.writable) return;
    for (const packet of packets) {
      const bytes = this.#bytesOf(packet);
      if (this.#batch) this.#batch.push(bytes);
      else this.#stream.write(bytes);
    }
  }

  /** What is sent while `run` runs goes out in one piece: one read brings many packets. */
  batch(run: () => void): void {
    this.#batch = [];
    try {
      run();
    } finally {
      this.#flush();
      this.#batch = undefined;
    }
  }

  #flush(): void {
    const batch = this.#batch;
    if (!batch || batch.length === 0) return;
    this.#batch = [];
    if (this.#stream.writable) this.#stream.write(batch.length === 1 ? batch[0] : Buffer.concat(batch));
  }

  #bytesOf(packet: Packet): Buffer {
    // The answer to most packets by far has four bytes in 3.1.1.
    if (packet.cmd === 'puback' && this.protocolVersion !== 5 && packet.messageId !== undefined) {
      return Buffer.from([0x40, 0x02, packet.messageId >> 8, packet.messageId & 0xff]);
    }
    return generate(packet, { protocolVersion: this.protocolVersion });
  }

  /** Close cleanly: FIN, after what was written. */
  close(): void {
    if (this.closing) return;
    this.closing = true;
    this.#flush();
    this.#stream.end();
    // A client that does not close its side must not hold ours.
    const cancel = this.#clock.after(1_000, () => this.#stream.destroy());
    this.#stream.once('close', cancel);
  }

  /** Reset: the client sees ECONNRESET. */
  reset(): void {
    resetSocket(this.#socket);
    this.#stream.destroy();
  }

  /** Send answers the way a network or front end at fault does. */
  sendUnclean(packets: readonly Packet[], fault: UncleanFault): void {
    const bytes = Buffer.concat(packets.map((packet) => this.#bytesOf(packet)));
    this.#flush();
    switch (fault.unclean) {
      case 'reset-during':
        this.#sendHalf(bytes, () => this.reset());
        return;
      case 'truncated':
        this.#sendHalf(bytes, () => this.close());
        return;
      case 'reset-after':
        this.send(packets);
        this.#clock.after(LINGER_MS, () => this.reset());
        return;
      case 'slow':
        this.#sendSlowly(bytes, fault.bytesPerSecond ?? SLOW_BYTES_PER_S);
        return;
      case 'duplicate':
        this.send([...packets, ...packets]);
        return;
      default:
        this.send(packets);
    }
  }

  /** Bytes that are no MQTT: packet type 15 with wrong flags, then noise. */
  sendGarbage(): void {
    if (!this.#stream.writable) return;
    this.#flush();
    this.#stream.write(Buffer.concat([Buffer.from([0x0f, 0xff, 0xff, 0xff, 0xff]), randomBytes(59)]));
  }

  #sendHalf(bytes: Buffer, then: () => void): void {
    if (this.#stream.writable) this.#stream.write(bytes.subarray(0, Math.max(1, Math.floor(bytes.length / 2))));
    this.#clock.after(LINGER_MS, then);
  }

  #sendSlowly(bytes: Buffer, bytesPerSecond: number): void {
    let sent = 0;
    const next = () => {
      if (!this.#stream.writable || sent >= bytes.length) return;
      this.#stream.write(bytes.subarray(sent, sent + 1));
      sent += 1;
      this.#clock.after(1000 / bytesPerSecond, next);
    };
    next();
  }
}
