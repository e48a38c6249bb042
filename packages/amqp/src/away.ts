import { isLink, type RheaConnection, type RheaLink, type RheaSession } from './rhea.ts';
import { wrapMethod } from './wrap.ts';

type End = RheaLink | RheaSession;

/**
 * While the connection is away rhea takes no notice of what the application does: a link or session that is
 * opened then is never attached, since its frames go to the lost connection, and one that is closed is
 * attached again. Here both are noted in time for the next connection, which rhea makes from its states.
 */
export class WhileAway {
  readonly #connection: RheaConnection;
  #undo: (() => void)[] = [];

  constructor(connection: RheaConnection) {
    this.#connection = connection;
  }

  /** The connection is lost, and no listener of the application has heard of it. */
  begins(): void {
    this.stop();
    for (const end of this.#ends()) {
      if (!end.state.was_open) continue;
      for (const name of ['close', isLink(end) ? 'detach' : 'end'] as const)
        this.#undo.push(wrapMethod(end as RheaLink & RheaSession, name, (original) => closing(end, original)));
    }
  }

  /** The next connection is about to be made. */
  ends(): void {
    this.stop();
    // What was open before is marked so, and not open: this was opened since.
    for (const { state } of this.#ends()) if (state.local_open) state.disconnected();
  }

  stop(): void {
    for (const take of this.#undo.splice(0).reverse()) take();
  }

  *#ends(): Iterable<End> {
    for (const session of Object.values(this.#connection.local_channel_map)) {
      yield session;
      yield* Object.values(session.links);
    }
  }
}

function closing<T extends (...args: never[]) => unknown>(end: End, original: T): T {
  return function (this: unknown, ...args: never[]) {
    end.state.was_open = false;
    if (!isLink(end)) for (const link of Object.values(end.links)) link.state.was_open = false;
    return original.apply(this, args);
  } as T;
}
