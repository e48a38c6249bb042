import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { CloudFault } from './fault.ts';
import type { Feedback, FeedbackCode } from './feedback.ts';
import type { Identities } from './identities.ts';
import { keyOf } from './identity.ts';
import { Signal } from './signal.ts';

export type AckRequest = 'none' | 'positive' | 'negative' | 'full';

/** A cloud-to-device message as a service sends it. */
export interface C2dInput {
  readonly messageId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly userId?: string | undefined;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly ack?: AckRequest | undefined;
  /** When it expires, in ms since the epoch. */
  readonly expiresAt?: number | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly body: Buffer;
}

export interface C2dMessage extends C2dInput {
  readonly messageId: string;
  readonly to: string;
  readonly sequence: number;
  readonly enqueuedAt: number;
  readonly expiresAt: number;
  deliveryCount: number;
}

interface Queued {
  readonly message: C2dMessage;
  lockToken: string | undefined;
  lockedUntil: number;
  cancelTimer: () => void;
}

export interface QueueLimits {
  /** Messages a device's queue holds. */
  readonly maxDepth: number;
  /** How long a receiver may hold a message, in ms. */
  readonly lockMs: number;
  /** Deliveries before a message is dropped. */
  readonly maxDeliveries: number;
  /** Life of a message that names no expiry, in ms. */
  readonly timeToLiveMs: number;
  readonly maxBytes: number;
}

/** The documented limits of a hub (devguide-messages-c2d). */
export const QUEUE_LIMITS: QueueLimits = {
  maxDepth: 50,
  lockMs: 60_000,
  maxDeliveries: 10,
  timeToLiveMs: 3_600_000,
  maxBytes: 64 * 1024,
};

/** Cloud-to-device queues with locks, delivery counts and expiry. Locked messages count as queued. */
export class Queues {
  /** Something can be received by that device: sent, released, or its lock ran out. */
  readonly available = new Signal<string>();
  readonly #clock: Clock;
  readonly #identities: Identities;
  readonly #feedback: Feedback;
  readonly #limits: QueueLimits;
  readonly #queues = new Map<string, Queued[]>();
  #sequence = 0;

  constructor(setup: { clock: Clock; identities: Identities; feedback: Feedback; limits?: Partial<QueueLimits> }) {
    this.#clock = setup.clock;
    this.#identities = setup.identities;
    this.#feedback = setup.feedback;
    this.#limits = { ...QUEUE_LIMITS, ...setup.limits };
    setup.identities.ended.on(({ identity, why }) => {
      if (why === 'removed' && identity.moduleId === undefined) this.#drop(identity.deviceId);
    });
  }

  /** @throws CloudFault device-not-found, queue-full, message-too-large */
  send(deviceId: string, input: C2dInput): C2dMessage {
    this.#identities.get({ deviceId });
    if (input.body.length > this.#limits.maxBytes) throw new CloudFault('message-too-large', { target: deviceId });
    const queue = this.#live(deviceId);
    if (queue.length >= this.#limits.maxDepth) throw new CloudFault('queue-full', { target: deviceId });
    const now = this.#clock.now();
    this.#sequence += 1;
    const message: C2dMessage = {
      ...input,
      messageId: input.messageId ?? randomUUID(),
      to: `/devices/${encodeURIComponent(deviceId)}/messages/devicebound`,
      sequence: this.#sequence,
      enqueuedAt: now,
      expiresAt: input.expiresAt ?? now + this.#limits.timeToLiveMs,
      deliveryCount: 0,
    };
    queue.push({ message, lockToken: undefined, lockedUntil: 0, cancelTimer: () => {} });
    this.#queues.set(deviceId, queue);
    this.available.emit(deviceId);
    return message;
  }

  /** Lock the oldest message that is free; nothing when there is none. */
  receive(deviceId: string): { lockToken: string; message: C2dMessage } | undefined {
    const entry = this.#live(deviceId).find((one) => one.lockToken === undefined);
    if (!entry) return undefined;
    entry.lockToken = randomUUID();
    entry.lockedUntil = this.#clock.now() + this.#limits.lockMs;
    entry.message.deliveryCount += 1;
    entry.cancelTimer = this.#clock.after(this.#limits.lockMs, () => this.#unlock(deviceId, entry));
    return { lockToken: entry.lockToken, message: entry.message };
  }

  /** @throws CloudFault lock-lost */
  complete(deviceId: string, lockToken: string): C2dMessage {
    return this.#settle(deviceId, lockToken, 'Success');
  }

  /** @throws CloudFault lock-lost */
  reject(deviceId: string, lockToken: string): C2dMessage {
    return this.#settle(deviceId, lockToken, 'Rejected');
  }

  /** Give back, for redelivery. @throws CloudFault lock-lost */
  abandon(deviceId: string, lockToken: string): C2dMessage {
    const entry = this.#locked(deviceId, lockToken);
    this.#unlock(deviceId, entry);
    return entry.message;
  }

  /** As abandon, of a receiver that went away: says nothing when the lock is gone already. */
  release(deviceId: string, lockToken: string): void {
    const entry = this.#queues.get(deviceId)?.find((one) => one.lockToken === lockToken);
    if (entry) this.#unlock(deviceId, entry);
  }

  /** Drop what waits; returns how many. */
  purge(deviceId: string): number {
    this.#identities.get({ deviceId });
    const queue = this.#live(deviceId);
    for (const entry of queue) this.#tell(deviceId, entry.message, 'Purged');
    this.#drop(deviceId);
    return queue.length;
  }

  /** Messages queued or locked. */
  depth(deviceId: string): number {
    return this.#queues.has(deviceId) ? this.#live(deviceId).length : 0;
  }

  #settle(deviceId: string, lockToken: string, code: FeedbackCode): C2dMessage {
    const entry = this.#locked(deviceId, lockToken);
    entry.cancelTimer();
    this.#queues.set(
      deviceId,
      this.#live(deviceId).filter((one) => one !== entry),
    );
    this.#tell(deviceId, entry.message, code);
    return entry.message;
  }

  #locked(deviceId: string, lockToken: string): Queued {
    const entry = this.#live(deviceId).find((one) => one.lockToken === lockToken);
    if (!entry) throw new CloudFault('lock-lost', { target: deviceId });
    return entry;
  }

  #unlock(deviceId: string, entry: Queued): void {
    entry.cancelTimer();
    entry.lockToken = undefined;
    if (this.#queues.get(deviceId)?.includes(entry)) this.available.emit(deviceId);
  }

  /** The queue without what has expired, was delivered too often, or whose lock ran out unseen. */
  #live(deviceId: string): Queued[] {
    const queue = this.#queues.get(deviceId) ?? [];
    const now = this.#clock.now();
    const live = queue.filter((entry) => {
      if (entry.lockToken !== undefined && entry.lockedUntil <= now) {
        entry.cancelTimer();
        entry.lockToken = undefined;
      }
      if (entry.lockToken !== undefined) return true;
      const over = entry.message.expiresAt <= now ? 'Expired' : undefined;
      const gone =
        over ?? (entry.message.deliveryCount >= this.#limits.maxDeliveries ? 'DeliveryCountExceeded' : undefined);
      if (gone) this.#tell(deviceId, entry.message, gone);
      return !gone;
    });
    if (live.length === 0) this.#queues.delete(deviceId);
    else this.#queues.set(deviceId, live);
    return live;
  }

  #tell(deviceId: string, message: C2dMessage, code: FeedbackCode): void {
    const wanted = message.ack ?? 'none';
    if (wanted === 'none' || (wanted === 'positive' && code !== 'Success')) return;
    if (wanted === 'negative' && code === 'Success') return;
    const generationId = this.#identities.find({ deviceId })?.generationId ?? '';
    this.#feedback.add({ messageId: message.messageId, deviceId: keyOf({ deviceId }), generationId, code });
  }

  #drop(deviceId: string): void {
    for (const entry of this.#queues.get(deviceId) ?? []) entry.cancelTimer();
    this.#queues.delete(deviceId);
  }
}
