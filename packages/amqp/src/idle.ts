import type { RheaConnection } from './rhea.ts';

/**
 * Tells the peer how long it may be silent, where the application does not: only then does rhea notice that
 * it is gone, after twice that time. It has to be in the OPEN, for the peer sends heartbeats only when it
 * was told to; an OPEN that is written already is left alone, and the next one has it.
 */
export class IdleTimeout {
  readonly #connection: RheaConnection;
  readonly #ms: number;
  #set = false;

  /** @param ms - `Infinity`: none */
  constructor(connection: RheaConnection, ms: number) {
    this.#connection = connection;
    this.#ms = ms;
    const { open_requests: opens = 0 } = connection.state;
    if (opens > 0) this.opening();
  }

  /** A new socket, whose OPEN is still to be written. */
  opening(): void {
    const { local, is_server: isServer } = this.#connection;
    if (this.#ms === Infinity || isServer || typeof local.open.idle_time_out === 'number') return;
    local.open.idle_time_out = this.#ms;
    this.#set = true;
  }

  /** The next OPEN is as the application has it. */
  restore(): void {
    if (this.#set) this.#connection.local.open.idle_time_out = undefined;
    this.#set = false;
  }
}
