import type { Clock, RetryOptions } from '@faultmap/core';
import { type FaultEvents, resolveRetryOptions, runOperation } from '@faultmap/core/adapter';
import { AMQP_RETRY_DEFAULTS, type AmqpCredentials, type CbsToken } from './options.ts';
import { reattach } from './reattach.ts';
import type { Requests } from './request.ts';
import type { RheaConnection, RheaLink } from './rhea.ts';
import { guarded, wrapMethod } from './wrap.ts';

/** The node that tokens are put to. */
export const CBS = '$cbs';

export interface TokenKeeperSetup {
  readonly connection: RheaConnection;
  readonly requests: Requests;
  readonly events: FaultEvents;
  readonly retry: RetryOptions | false | undefined;
  readonly clock: Clock | undefined;
  readonly random: (() => number) | undefined;
  readonly creditTimeoutMs: number;
  readonly attemptTimeoutMs: number;
}

/**
 * Tokens put by claims-based security hold for a connection. After a reconnect rhea attaches all
 * links at once, and the peer refuses them for want of a token: so they are held back until the
 * token of `credentials` is put.
 */
export class TokenKeeper {
  readonly #setup: TokenKeeperSetup;
  /** Links that wait, and what takes the wraps off each. */
  readonly #held = new Map<RheaLink, () => void>();
  #token: CbsToken | undefined;

  constructor(setup: TokenKeeperSetup) {
    this.#setup = setup;
  }

  /** Take what `credentials` returned; what belongs to SASL goes into the connection's options. */
  take(fresh: AmqpCredentials): void {
    const { options } = this.#setup.connection;
    for (const name of ['username', 'password', 'token'] as const)
      if (fresh[name] !== undefined) options[name] = fresh[name];
    if (fresh.cbs) this.#token = fresh.cbs;
  }

  /** Is the link waiting for the token? */
  isHeld(link: RheaLink): boolean {
    return this.#held.has(link);
  }

  /** Before a reconnect: keep all links from being attached with it but those that the token is put on. */
  hold(): void {
    if (!this.#token) return;
    for (const session of Object.values(this.#setup.connection.local_channel_map))
      for (const link of Object.values(session.links)) {
        if (!link.state.was_open || this.#setup.requests.putsTokens(link)) continue;
        link.state.was_open = false;
        this.#held.set(link, this.#unlessClosed(link));
      }
  }

  /** The connection is open again: put the token, then let the links go, whatever came of it. */
  async opened(): Promise<void> {
    if (!this.#token) return;
    await this.put().catch(() => {}); // told as a fault and a give-up
    if (this.#setup.connection.is_open()) guarded(() => this.release());
  }

  release(): void {
    for (const link of [...this.#held.keys()]) {
      this.#letGo(link);
      const { session } = link;
      if (!session.state.local_open && !session.state.was_open) continue; // closed meanwhile
      // A second loss has taken it out of its session.
      if (session.links[link.name] === link) link.attach();
      else reattach(link);
    }
  }

  /** Nobody will put a token: the links are left to rhea, as if they had not been held. */
  stop(): void {
    const held = [...this.#held.keys()];
    this.release();
    if (!this.#setup.connection.state.was_open) return;
    // For the next connection, which rhea makes from its states.
    for (const { state } of held) if (state.local_open) state.disconnected();
  }

  #letGo(link: RheaLink): void {
    this.#held.get(link)?.();
    this.#held.delete(link);
  }

  /** rhea takes no notice when a link is closed that is not open yet. */
  #unlessClosed(link: RheaLink): () => void {
    const closing = <T extends (...args: never[]) => unknown>(original: T) =>
      ((...args: never[]) => {
        this.#letGo(link);
        return original.apply(link, args);
      }) as T;
    const restore = [wrapMethod(link, 'close', closing), wrapMethod(link, 'detach', closing)];
    return () => restore.forEach((take) => void take());
  }

  /** @returns whether there is a token to put @throws what the peer answered */
  async put(): Promise<boolean> {
    if (!this.#token) return false;
    const { name, token, type = 'servicebus.windows.net:sastoken' } = this.#token;
    const { requests, events, creditTimeoutMs, attemptTimeoutMs, retry, clock, random } = this.#setup;
    const message = { application_properties: { operation: 'put-token', type, name }, body: token };
    const call = { operation: `put-token ${name}`, creditTimeoutMs, attemptTimeoutMs, retry: {} };
    await runOperation((attempt) => requests.once(CBS, message, {}, call, attempt), {
      ...resolveRetryOptions('attachAmqp', retry, { ...AMQP_RETRY_DEFAULTS, clock, random }),
      // Put twice it is the same token.
      idempotent: true,
      operation: call.operation,
      events,
      hardDeadline: true,
    });
    return true;
  }
}

/** A request whose success means that links refused for want of a token may be tried again. */
export function putsToken(address: string, message: Record<string, unknown>): boolean {
  const properties = message.application_properties as { operation?: unknown } | undefined;
  return address === CBS && properties?.operation === 'put-token';
}
