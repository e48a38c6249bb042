import { isWellFormedFrame } from './frame-check.ts';

/** A client's byte stream: a TCP or TLS socket, or a WebSocket with binary messages. */
export interface ByteStream {
  write(bytes: Uint8Array): void;
  /** Say goodbye after what was written. */
  end(): void;
  /** End at once; with `reset` as a TCP RST. */
  destroy(reset: boolean): void;
  /** Bytes handed to the system but not taken yet. */
  readonly pending: number;
}

const HEADER = Buffer.from('AMQP\0\x01\0\0', 'latin1');

type Handler = (value?: unknown) => void;

/** Largest frame we take and announce: the hub's own limit of 64 KiB. */
export const MAX_FRAME_SIZE = 65_536;
/** A client that does not read for this long in bytes is cut off, or it would fill our memory. */
const MAX_PENDING_BYTES = 32 * 1_048_576;
/** How long a peer has to answer our end of stream before the socket is destroyed. */
const LINGER_MS = 2_000;
/** A reset right behind data looks like a clean end to the other side's event loop (libuv). */
const RESET_GAP_MS = 20;

/**
 * The socket as the protocol engine sees it, with our hand on it: whole, well-formed frames go
 * in; what comes out can be muted, delayed or followed by anything. It ends exactly once.
 */
export class Pipe {
  readonly #stream: ByteStream;
  readonly #handlers = new Map<string, Handler>();
  #input: Buffer = Buffer.alloc(0);
  #linger: NodeJS.Timeout | undefined;
  #bytesPerSecond: number | undefined;
  #trickling: Promise<void> | undefined;
  #cut: 'end' | 'reset' | undefined;
  #muted = false;
  #ending = false;
  #closed = false;
  #started = false;
  #reading = false;
  /** Called once, when the stream is gone. */
  onClosed: () => void = () => {};
  /** Called when the bytes are not AMQP; the stream is ended afterwards. */
  onViolation: (what: string) => void = () => {};
  bytesIn = 0;
  bytesOut = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  // --- what rhea calls -------------------------------------------------------------------------

  on(event: string, handler: Handler): this {
    this.#handlers.set(event, handler);
    return this;
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || this.#muted) return;
    if (this.#cut) this.#sendHalf(bytes);
    else if (this.#bytesPerSecond || this.#trickling) this.#trickle(bytes);
    else this.#send(bytes);
  }

  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.#linger = setTimeout(() => this.destroy(), LINGER_MS);
    // In the next turn: rhea ends the socket before it writes a close that was just asked for.
    setImmediate(() => {
      if (!this.#muted && !this.#trickling) this.#stream.end();
      else void this.#trickling?.then(() => this.#stream.end());
    });
  }

  get_id_string(): string {
    return 'emulator';
  }

  // --- what the stream calls -------------------------------------------------------------------

  feed(chunk: Buffer): void {
    if (this.#closed || this.#muted || this.#ending) return;
    this.bytesIn += chunk.length;
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    this.#drain();
  }

  closed(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#linger);
    this.#input = Buffer.alloc(0);
    if (!this.#reading) this.#handlers.get('end')?.(error);
    this.onClosed();
  }

  // --- what faults call ------------------------------------------------------------------------

  /** Half-open: nothing leaves any more and nothing is taken in, but the socket stays. */
  mute(): void {
    this.#muted = true;
  }

  /** What is written next goes out byte by byte; what comes after it waits its turn. */
  trickle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Of the next write only half goes out, and then the stream ends: cleanly, or by a reset. */
  cutAfterNextHalf(reset: boolean): void {
    this.#cut = reset ? 'reset' : 'end';
  }

  /** Put bytes on the wire that are no frame of ours. */
  garbage(bytes: Uint8Array): void {
    if (!this.#closed) this.#send(bytes);
  }

  /** Reset once what was just written is on its way. */
  resetSoon(): void {
    setTimeout(() => this.destroy(true), RESET_GAP_MS);
  }

  destroy(reset = false): void {
    if (this.#closed) return;
    this.#stream.destroy(reset);
    this.closed();
  }

  // ---------------------------------------------------------------------------------------------

  #send(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.bytesOut += bytes.length;
    this.#stream.write(bytes);
    if (this.#stream.pending > MAX_PENDING_BYTES) this.destroy();
  }

  #sendHalf(bytes: Uint8Array): void {
    const reset = this.#cut === 'reset';
    this.#send(bytes.subarray(0, Math.ceil(bytes.length / 2)));
    this.#muted = true;
    if (reset) this.resetSoon();
    else setImmediate(() => this.#stream.end());
    this.#linger ??= setTimeout(() => this.destroy(), LINGER_MS);
  }

  #trickle(bytes: Uint8Array): void {
    const stepMs = this.#bytesPerSecond ? 1_000 / this.#bytesPerSecond : 0;
    this.#bytesPerSecond = undefined;
    const mine = (this.#trickling ?? Promise.resolve()).then(() => this.#writeSteps(bytes, stepMs));
    this.#trickling = mine;
    void mine.then(() => {
      if (this.#trickling === mine) this.#trickling = undefined;
    });
  }

  /** In steps of at least 10 ms: finer ones say nothing more about a slow peer. */
  async #writeSteps(bytes: Uint8Array, stepMs: number): Promise<void> {
    const perStep = stepMs > 0 ? Math.max(1, Math.round(10 / stepMs)) : bytes.length;
    for (let at = 0; at < bytes.length && !this.#closed && !this.#muted; at += perStep) {
      this.#send(bytes.subarray(at, at + perStep));
      if (stepMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, stepMs * perStep));
    }
  }

  #drain(): void {
    if (this.#closed || this.#muted || this.#ending) return;
    const whole = this.#wholeFrames();
    if (typeof whole === 'string') this.#violation(whole);
    if (typeof whole === 'string' || whole === 0) return;
    const frames = this.#input.subarray(0, whole);
    this.#input = this.#input.subarray(whole);
    this.#started = true;
    this.#reading = true;
    this.#handlers.get('data')?.(frames);
    this.#reading = false;
    // Ended by what it read: told now, since rhea sets its idle timer after reading.
    if (this.#closed) this.#handlers.get('end')?.();
    // A header that follows SASL in the same packet: rhea takes it only after its answer is out.
    if (isHeader(this.#input, 0)) setImmediate(() => this.#drain());
  }

  /** How many bytes of the input are whole frames, or what is wrong with them. */
  #wholeFrames(): number | string {
    const input = this.#input;
    let at = 0;
    while (input.length - at >= 8) {
      if (isHeader(input, at)) {
        if (at > 0) break; // each header begins a chunk of its own
        at += 8;
        continue;
      }
      const size = input.readUInt32BE(at);
      if (!this.#started && at === 0) return 'the connection does not begin with an AMQP header';
      if (size < 8) return `a frame of ${size} bytes`;
      if (size > MAX_FRAME_SIZE) return `a frame of ${size} bytes, above the maximum of ${MAX_FRAME_SIZE}`;
      if (at + size > input.length) break;
      if (!isWellFormedFrame(input.subarray(at, at + size))) return 'a frame that cannot be decoded';
      at += size;
    }
    return at;
  }

  #violation(what: string): void {
    this.#input = Buffer.alloc(0);
    // 2.2: whoever does not begin with a header is told which one we expect.
    if (!this.#started) this.#send(HEADER);
    this.onViolation(what);
    this.end();
  }
}

/** A protocol header: at the start, and again after SASL. */
function isHeader(bytes: Buffer, at: number): boolean {
  return bytes.length - at >= 8 && bytes.toString('latin1', at, at + 4) === 'AMQP';
}
