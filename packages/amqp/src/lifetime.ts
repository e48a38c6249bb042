import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import { evidence } from '@faultmap/core/adapter';
import type { Faults } from './faults.ts';
import { isListenersFault } from './observe.ts';
import { has, type RheaConnection, type RheaContext } from './rhea.ts';

/** Whom a lifetime tells what became of the connection. */
export interface LifetimeListener {
  /** A socket is being opened. */
  connecting(): void;
  /** The peer sent its OPEN; a refusal may follow at once. */
  opened(): void;
  /** What was unsettled is lost: the peer closed the connection, or the socket is gone. */
  lost(fault: AnyDeviceCloudError, what: 'connection' | 'socket'): void;
  /** The peer closed; rhea's own reconnect would leave it at that. */
  closedByPeer(fault: AnyDeviceCloudError): void;
  /** The socket is gone. */
  ended(fault: AnyDeviceCloudError, context: RheaContext): void;
  /** The application closed the connection. */
  closedHere(): void;
  /** Give up the socket: it is of no use any more. */
  abort(): void;
}

/** After a close or a violation rhea waits for the peer's FIN without a limit. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * One connection through its attempts: which of rhea's many events is the fault, and when the
 * attempt is over. Exactly one fault is told for each attempt that ends.
 */
export class Lifetime {
  readonly #connection: RheaConnection;
  readonly #faults: Faults;
  readonly #clock: Clock;
  readonly #listener: LifetimeListener;
  readonly #connectTimeoutMs: number;
  #fault: AnyDeviceCloudError | undefined;
  #expired: 'idle' | 'connect' | undefined;
  #over = false;
  #opened: boolean;
  /** The application closed it before the peer's OPEN: rhea opens and closes it once more for that. */
  #closedEarly = false;
  #cancelTimer: () => void = () => {};

  constructor(
    connection: RheaConnection,
    faults: Faults,
    clock: Clock,
    connectTimeoutMs: number,
    listener: LifetimeListener,
  ) {
    this.#connection = connection;
    this.#faults = faults;
    this.#clock = clock;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#listener = listener;
    this.#opened = connection.is_open();
    const opening = connection.socket && !connection.is_open() && !connection.is_closed();
    if (opening && !connection.is_server) this.#waitForOpen();
  }

  /** A new socket: a new attempt. */
  onSocket(): void {
    this.#fault = undefined;
    this.#expired = undefined;
    this.#over = false;
    this.#opened = false;
    this.#closedEarly = false;
    this.#listener.connecting();
    this.#waitForOpen();
  }

  /** `close` was called: by the application, or by rhea itself after an OPEN or a time-out. */
  onCloseCalled(): void {
    if (this.#over || this.#opened || this.#expired) return;
    this.#closedEarly = true;
    this.#closedHere();
  }

  /** The peer was silent for twice the idle time-out; rhea closes and ends the socket. */
  onIdle(): void {
    this.#expired ??= 'idle';
  }

  /** The socket is closed; it need not have ended for that, when it was destroyed on this side. */
  onSocketClosed(): void {
    if (!this.#over) this.#connection.eof?.();
  }

  /** The peer breaks the protocol in a way rhea does not notice. */
  onViolation(text: string): void {
    this.#note(evidence({ transport: 'amqp', scope: 'connection', violation: true, text }));
    this.#listener.abort();
  }

  onEvent(event: string, payload: unknown): void {
    if (this.#closedEarly) return;
    switch (event) {
      case 'connection_open':
        this.#opened = true;
        this.#cancelTimer();
        // It may come after all, when nobody gave the socket up for being late.
        this.#fault = undefined;
        this.#expired = undefined;
        this.#faults.forget(this.#connection);
        this.#listener.opened();
        return;
      case 'connection_error':
        this.#note({ event, payload });
        return;
      case 'connection_close':
        this.#onClose(payload);
        return;
      case 'protocol_error':
        this.#note({ event, payload });
        this.#waitForEnd();
        return;
      case 'error':
        this.#onError(payload);
        return;
      case 'disconnected':
        this.#onDisconnected(payload as RheaContext);
        return;
    }
  }

  stop(): void {
    this.#cancelTimer();
  }

  /** The application's listeners have heard of it, and may have closed the connection in answer. */
  afterEvent(event: string): void {
    if (this.#closedEarly) return;
    if (event !== 'connection_close' || this.#over || this.#expired) return;
    if (!this.#connection.state.local_open) this.#closedHere();
  }

  #closedHere(): void {
    this.#over = true;
    this.#cancelTimer();
    this.#listener.closedHere();
  }

  #onClose(payload: unknown): void {
    this.#cancelTimer();
    if (!this.#fault && !this.#expired && !this.#connection.state.local_open) {
      this.#closedHere();
      return;
    }
    const fault = this.#note(
      this.#expired ? { event: 'disconnected', expired: this.#expired } : { event: 'connection_close', payload },
    );
    this.#listener.lost(fault, 'connection');
    this.#listener.closedByPeer(fault);
    this.#waitForEnd();
  }

  /** Either the decoder's, or an exception of a listener, or a fault of a link that rhea re-raises. */
  #onError(error: unknown): void {
    if (isListenersFault(error)) return;
    const known = this.#toldOf(error);
    if (known) this.#fault ??= known;
    else this.#note({ event: 'error', payload: error });
    this.#waitForEnd();
  }

  #onDisconnected(context: RheaContext): void {
    this.#cancelTimer();
    if (this.#over) return;
    const { state } = this.#connection;
    // Closed by the application, and the peer dropped the socket instead of answering.
    if (!this.#fault && !this.#expired && state.was_open === false) {
      this.#closedHere();
      return;
    }
    this.#over = true;
    this.#fault ??= this.#toldOf(context.error);
    const fault = this.#note({ event: 'disconnected', payload: context, expired: this.#expired });
    this.#listener.lost(fault, 'socket');
    this.#listener.ended(fault, context);
  }

  /** The fault this attempt ends with; the first one seen is the cause of all that follow. */
  #note(seen: Parameters<Faults['tell']>[1]): AnyDeviceCloudError {
    this.#fault ??= this.#faults.tell(this.#connection, seen);
    this.#faults.set(this.#connection, this.#fault);
    return this.#fault;
  }

  #toldOf(error: unknown): AnyDeviceCloudError | undefined {
    if (!has(error)) return undefined;
    for (const end of [error.link, error.session]) {
      const told = has(end) ? this.#faults.of(end) : undefined;
      if (told) return told;
    }
    return undefined;
  }

  #waitForOpen(): void {
    this.#arm(this.#connectTimeoutMs, () => {
      this.#expired = 'connect';
      this.#note({ event: 'disconnected', expired: 'connect' });
      this.#listener.abort();
    });
  }

  #waitForEnd(): void {
    this.#arm(CLOSE_TIMEOUT_MS, () => this.#listener.abort());
  }

  #arm(ms: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(ms, run);
  }
}
