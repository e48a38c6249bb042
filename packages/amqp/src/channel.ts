import { randomUUID } from 'node:crypto';
import type { AnyDeviceCloudError } from '@faultmap/core';
import { conclude, evidence } from '@faultmap/core/adapter';
import type { RequestOptions } from './options.ts';
import { has, type RheaConnection, type RheaLink, type RheaSession } from './rhea.ts';
import type { SendSetup } from './send.ts';

export interface ChannelSetup extends SendSetup {
  readonly connection: RheaConnection;
}

interface Waiter {
  resolve(answer: Record<string, unknown>): void;
  reject(fault: AnyDeviceCloudError): void;
  stop(reason: unknown): void;
}

/** Devices' and modules' twins: both links carry the same channel id, transfers are pre-settled. */
const TWIN = /^\/devices\/[^/]+(\/modules\/[^/]+)?\/twin$/;
const TWIN_API_VERSION = '2021-04-12';

/** Every event of a link or session: heard here, so that none of our own reaches the application. */
const OWN_EVENTS = [
  ...['message', 'settled', 'accepted', 'rejected', 'released', 'modified', 'received', 'sendable'],
  ...['open', 'error', 'close', 'flow', 'draining'].map((name) => `sender_${name}`),
  ...['open', 'error', 'close', 'flow', 'drained'].map((name) => `receiver_${name}`),
  ...['session_open', 'session_error', 'session_close'],
];

/** A link to send requests on, and a link their answers come back on, in a session of their own. */
export class AnswerChannel {
  readonly address: string;
  readonly sender: RheaLink;
  readonly receiver: RheaLink;
  readonly #setup: ChannelSetup;
  readonly #session: RheaSession;
  readonly #ownAddress: string;
  readonly #waiters = new Map<string, Waiter>();
  readonly #opening = new Set<{
    opened(): void;
    lost(fault: AnyDeviceCloudError): void;
    stop(reason: unknown): void;
  }>();

  constructor(setup: ChannelSetup, address: string, links: RequestOptions['links']) {
    this.#setup = setup;
    this.address = address;
    this.#ownAddress = address === '$cbs' ? 'cbs' : `faultmap-${randomUUID()}`;
    const twin = TWIN.test(address) ? twinOptions() : {};
    noDelay(setup.connection);
    this.#session = setup.connection.create_session();
    hear(this.#session);
    this.#session.begin();
    const source = { address, ...given(links?.receiver, 'source') };
    this.receiver = this.#session.open_receiver({
      credit_window: 100,
      target: { address: this.#ownAddress },
      ...twin,
      ...links?.receiver,
      source: 'dynamic' in source && source.dynamic === true ? { ...source, address: undefined } : source,
    });
    hear(this.receiver);
    const target = { address, ...given(links?.sender, 'target') };
    this.sender = this.#session.open_sender({
      ...twin,
      ...(twin.properties ? { snd_settle_mode: 1 } : {}),
      ...links?.sender,
      target,
    });
    hear(this.sender);
  }

  /** Where the peer is to send the answers; twins know without. */
  get replyTo(): string | undefined {
    const source: unknown = this.receiver.remote.attach?.source;
    const dynamic = has(source) && source.dynamic === true ? source.address : undefined;
    if (typeof dynamic === 'string') return dynamic;
    return this.address.startsWith('$') || this.address.endsWith('/$management') ? this.#ownAddress : undefined;
  }

  get closed(): boolean {
    const { connection, links } = this.#setup;
    return connection.is_open() && [this.sender, this.receiver].some((link) => link.is_closed() && !links.isHeld(link));
  }

  /** The fault that ended it, if any. */
  fault(): AnyDeviceCloudError | undefined {
    const { faults } = this.#setup;
    return faults.of(this.receiver) ?? faults.of(this.sender) ?? faults.of(this.#session);
  }

  isOn(end: RheaLink | RheaSession): boolean {
    return end === this.receiver || end === this.sender || end === this.#session;
  }

  /** Wait until the answer link is open. @throws why it is not, in time; nothing was sent */
  ready(timeoutMs: number, operation: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.receiver.is_open()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (conclusion: () => void) => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
        this.#opening.delete(waiter);
        conclusion();
      };
      const onAbort = () => end(() => reject(signal?.reason));
      const waiter = {
        opened: () => end(resolve),
        stop: (reason: unknown) => end(() => reject(reason)),
        lost: (fault: AnyDeviceCloudError) => end(() => reject(this.#setup.links.refusal(fault, operation))),
      };
      const cancel = this.#setup.clock.after(timeoutMs, () => end(() => reject(this.#notOpen(timeoutMs, operation))));
      this.#opening.add(waiter);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Wait for the answer to a request; returns what stops the waiting.
   *
   * @throws TypeError when another one waits under the same id: the answers could not be told apart
   */
  wait(id: unknown, waiter: Waiter): () => void {
    const key = keyOf(id);
    if (this.#waiters.has(key))
      throw new TypeError(
        `request: another request to "${this.address}" waits for the answer to this message_id or correlation_id`,
      );
    this.#waiters.set(key, waiter);
    return () => this.#waiters.get(key) === waiter && this.#waiters.delete(key);
  }

  opened(): void {
    for (const waiter of [...this.#opening]) waiter.opened();
  }

  answered(message: Record<string, unknown>): void {
    this.#waiters.get(keyOf(message.correlation_id))?.resolve(message);
  }

  lost(fault: AnyDeviceCloudError): void {
    for (const waiter of [...this.#opening]) waiter.lost(fault);
    for (const waiter of [...this.#waiters.values()]) waiter.reject(fault);
  }

  stop(reason: unknown): void {
    for (const waiter of [...this.#opening, ...this.#waiters.values()]) waiter.stop(reason);
    this.#close();
  }

  /**
   * End the session, and with it both links. Not before the peer has begun it too: rhea opens an
   * end again that the peer opens after it was closed here, and the two go on so for ever.
   */
  #close(): void {
    const session = this.#session;
    if (session.state.was_open) session.remove();
    else if (session.state.remote_open) session.close();
    else if (session.state.local_open) onceOpen(session, () => session.close());
  }

  #notOpen(ms: number, operation: string): AnyDeviceCloudError {
    const { cause, because } = this.#setup.faults.behind(this.receiver);
    const seen = evidence({
      transport: 'amqp',
      scope: 'link',
      direction: 'receive',
      address: this.address,
      local: true,
      condition: 'client.sender:link-not-ready',
      text: `the answer link was not open within ${ms} ms${because}`,
      ...(cause && { cause }),
    });
    return conclude(this.#setup.faults.typed(seen, operation), { executed: 'no' });
  }
}

function twinOptions(): { properties?: object } {
  return {
    properties: {
      'com.microsoft:channel-correlation-id': `twin:${randomUUID()}`,
      'com.microsoft:api-version': TWIN_API_VERSION,
    },
  };
}

function hear(end: RheaLink | RheaSession): void {
  const emitter = end as unknown as { on(name: string, listener: () => void): void };
  for (const name of OWN_EVENTS) emitter.on(name, () => {});
}

/** As rhea does itself when a receiver is opened on a connection: an answer is waited for. */
function noDelay(connection: RheaConnection): void {
  if (connection.get_option('tcp_no_delay', true)) connection.socket?.setNoDelay?.(true);
}

function onceOpen(session: RheaSession, run: () => void): void {
  (session as unknown as { once(name: string, listener: () => void): void }).once('session_open', run);
}

function given(options: object | undefined, side: 'source' | 'target'): object {
  const terminus = (options as Record<string, unknown> | undefined)?.[side];
  return typeof terminus === 'string' ? { address: terminus } : has(terminus) ? terminus : {};
}

/** Ids come back as string, number or uuid bytes; a uuid is the same as its text. */
function keyOf(id: unknown): string {
  if (id instanceof Uint8Array) {
    const hex = Buffer.from(id).toString('hex');
    return id.length === 16 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : `bytes:${hex}`;
  }
  return typeof id === 'string' ? id.toLowerCase() : String(id);
}
