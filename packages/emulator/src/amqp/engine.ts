import rhea, { type Connection, type Container, type Delivery, type Receiver, type Sender, type Session } from 'rhea';

/**
 * What we use of rhea beyond its typings: it is made for clients first, and a server that must
 * misbehave on purpose reaches a little deeper. Kept in one place.
 */
export interface Frame {
  readonly channel: number;
  readonly performative: {
    readonly handle?: number;
    readonly name?: string;
    readonly role?: boolean;
    readonly first?: number;
    readonly last?: number;
    readonly more?: boolean;
    /** What the client made of it: rhea checks no types. */
    readonly delivery_id?: unknown;
  };
  readonly payload?: Buffer;
}

interface Removable {
  readonly remote: { readonly handle?: number };
  readonly local: { readonly handle: number };
}

interface EngineSession {
  readonly remote: { readonly handles: Record<number, EngineReceiver> };
  readonly local: { readonly handles: Record<number, unknown> };
  readonly links: Record<string, Sender | Receiver>;
  remove_link: (link: Removable) => void;
}

/** A sending link, with what it still may send. */
export interface EngineSender {
  readonly credit: number;
  readonly state: { readonly open_requests: number };
  readonly session: { readonly outgoing: { readonly next_pending_delivery: number } };
}

/** A link with its own attach, to be filled in before it is written, and the client's. */
export interface EngineLink {
  is_sender(): boolean;
  is_receiver(): boolean;
  readonly source?: { readonly address?: string } | null;
  readonly target?: { readonly address?: string } | null;
  set_source(fields: object): void;
  set_target(fields: object): void;
  readonly local: { readonly attach: { snd_settle_mode?: number; rcv_settle_mode?: number } };
  readonly remote: { readonly attach: { readonly snd_settle_mode?: number; readonly rcv_settle_mode?: number } };
}

interface EngineReceiver extends Receiver {
  readonly credit: number;
  readonly _incomplete?: { readonly frames: readonly Buffer[] };
}

export interface EngineConnection extends Connection {
  accept(socket: unknown): Connection;
  readonly remote_channel_map: Readonly<Record<number, EngineSession | undefined>>;
  readonly local_channel_map: Readonly<Record<number, EngineSession | undefined>>;
  /** Writes what is due; called by rhea in the next tick after something became due. */
  _process: () => void;
  readonly sasl_transport?: { readonly selected?: { readonly username?: string } };
}

/** An AMQP error record as rhea sends it. */
export interface ErrorRecord {
  readonly condition: string;
  readonly description: string;
  readonly info?: Readonly<Record<string, unknown>>;
}

// Outcomes as rhea's `delivery.update` wants them; its typings leave them out.
const { message } = rhea as unknown as { message: Record<OutcomeType, (fields?: object) => unknown> };
type OutcomeType = 'accepted' | 'rejected' | 'released' | 'modified';

export const outcomes = {
  accepted: () => described(message.accepted()),
  released: () => described(message.released()),
  modified: (fields: { delivery_failed?: boolean; undeliverable_here?: boolean }) =>
    described(message.modified(fields)),
  rejected: (error?: ErrorRecord) => described(message.rejected(error ? { error } : {})),
};

function described(outcome: unknown): unknown {
  return (outcome as { described(): unknown }).described();
}

/** A container of our own: nothing is shared with the application's. */
export function createEngine(id: string): Container {
  return rhea.create_container({
    id,
    // Credit and settlement are the cloud's decisions, not the library's.
    receiver_options: { autoaccept: false, credit_window: 0 },
    sender_options: { autosettle: true, treat_modified_as_released: false },
    reconnect: false,
  } as never);
}

/** SASL EXTERNAL, which rhea offers only behind a certificate that a known authority signed. */
export function enableExternal(engine: Container): void {
  const mechanisms = engine.sasl_server_mechanisms as unknown as Record<string, () => object>;
  mechanisms.EXTERNAL = () => ({
    outcome: undefined,
    start(this: { outcome?: boolean }) {
      this.outcome = true;
    },
  });
}

/** The bytes of a body, whichever section it came in. */
export function sectionBytes(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  const content = (body as { content?: unknown } | undefined)?.content;
  if (Array.isArray(content)) return Buffer.concat(content.filter((part) => Buffer.isBuffer(part)));
  if (Buffer.isBuffer(content)) return content;
  if (body === undefined || body === null) return Buffer.alloc(0);
  return Buffer.from(JSON.stringify(content ?? body), 'utf8');
}

export function dataSection(bytes: Buffer | string): unknown {
  return rhea.message.data_section(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
}

export type { Connection, Container, Delivery, Receiver, Sender, Session };
