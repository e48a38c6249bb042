import type { Identity } from './identity.ts';
import { Signal } from './signal.ts';

/** A device-to-cloud message as a device sends it. */
export interface D2cInput {
  readonly body: Buffer;
  readonly messageId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly userId?: string | undefined;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly output?: string | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
}

/** The same as it is stored. */
export interface D2cEvent extends D2cInput {
  readonly identity: Identity;
  readonly transport: 'http' | 'mqtt' | 'amqp';
  /** Counts all events of the hub from 0. */
  readonly sequence: number;
  readonly enqueuedAt: number;
}

/** At most this many events are kept; older ones fall out. */
const LIMIT = 10_000;

/** The device-to-cloud log: what the built-in endpoint reads. */
export class DeviceEvents {
  readonly added = new Signal<D2cEvent>();
  #events: D2cEvent[] = [];
  #next = 0;

  append(input: D2cInput, from: { identity: Identity; transport: D2cEvent['transport']; now: number }): D2cEvent {
    // Field by field: once per message, where spreads would be the costliest step.
    const stored: D2cEvent = {
      sequence: this.#next,
      identity: from.identity,
      transport: from.transport,
      enqueuedAt: from.now,
      body: input.body,
      messageId: input.messageId,
      correlationId: input.correlationId,
      userId: input.userId,
      contentType: input.contentType,
      contentEncoding: input.contentEncoding,
      output: input.output,
      properties: input.properties,
    };
    this.#next += 1;
    this.#events.push(stored);
    // Cut in halves: shifting one by one would move the whole array each time.
    if (this.#events.length > 2 * LIMIT) this.#events = this.#events.slice(-LIMIT);
    this.added.emit(stored);
    return stored;
  }

  /** Events from a sequence number on, oldest first. */
  from(sequence: number): readonly D2cEvent[] {
    const first = this.#events[0]?.sequence ?? 0;
    return this.#events.slice(Math.max(0, sequence - first));
  }

  /** Sequence number of the oldest that is still kept. */
  get first(): number {
    return this.#events[0]?.sequence ?? this.#next;
  }

  /** How many were ever appended. */
  get count(): number {
    return this.#next;
  }
}
