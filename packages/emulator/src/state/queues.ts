import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { CloudFault } from './fault.ts';
import type { Feedback, FeedbackCode } from './feedback.ts';
import type { Identities } from './identities.ts';
import { type Identity, identityOf, keyOf } from './identity.ts';
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
  /** Input of the module it is for. */
  readonly input?: string | undefined;
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
  /** Of the watch for its end, where somebody is to be told. */
  cancelExpiry: () => void;
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

/** What a module's inputs hold: nothing limits their number, and none is given up (iot-edge, `timeToLiveSecs` 7200). */
export const INPUT_LIMITS: QueueLimits = {
  maxDepth: 10_000,
  lockMs: 60_000,
  maxDeliveries: Number.POSITIVE_INFINITY,
  timeToLiveMs: 7_200_000,
  maxBytes: 256 * 1024,
};

/**
 * Queues of devices, or of modules, with locks, delivery counts and expiry. Locked messages count
 * as queued. A queue's key is that of its identity: `device` or `device/module`.
 */
export class Queues {
  /** Something can be received by that device or module: sent, released, or its lock ran out. */
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
      if (why === 'removed') this.#drop(keyOf(identity));
    });
  }

  /** @throws CloudFault device-not-found, queue-full, message-too-large */
  send(key: string, input: C2dInput): C2dMessage {
    const identity = identityOf(key);
    this.#identities.get(identity);
    if (input.body.length > this.#limits.maxBytes) throw new CloudFault('message-too-large', { target: key });
    const queue = this.#live(key);
    if (queue.length >= this.#limits.maxDepth) throw new CloudFault('queue-full', { target: key });
    const now = this.#clock.now();
    this.#sequence += 1;
    const message: C2dMessage = {
      ...input,
      messageId: input.messageId ?? randomUUID(),
      to: addressOf(identity, input.input),
      sequence: this.#sequence,
      enqueuedAt: now,
      expiresAt: input.expiresAt ?? now + this.#limits.timeToLiveMs,
      deliveryCount: 0,
    };
    const entry: Queued = {
      message,
      lockToken: undefined,
      lockedUntil: 0,
      cancelTimer: () => {},
      cancelExpiry: () => {},
    };
    queue.push(entry);
    this.#queues.set(key, queue);
    if (message.ack === 'negative' || message.ack === 'full') this.#watchExpiry(key, entry);
    this.available.emit(key);
    return message;
  }

  /** Lock the oldest message that is free; nothing when there is none. */
  receive(key: string): { lockToken: string; message: C2dMessage } | undefined {
    const entry = this.#live(key).find((one) => one.lockToken === undefined);
    if (!entry) return undefined;
    entry.lockToken = randomUUID();
    entry.lockedUntil = this.#clock.now() + this.#limits.lockMs;
    entry.message.deliveryCount += 1;
    entry.cancelTimer = this.#clock.after(this.#limits.lockMs, () => this.#unlock(key, entry));
    return { lockToken: entry.lockToken, message: entry.message };
  }

  /** @throws CloudFault lock-lost */
  complete(key: string, lockToken: string): C2dMessage {
    return this.#settle(key, lockToken, 'Success');
  }

  /** @throws CloudFault lock-lost */
  reject(key: string, lockToken: string): C2dMessage {
    return this.#settle(key, lockToken, 'Rejected');
  }

  /** Give back, for redelivery. @throws CloudFault lock-lost */
  abandon(key: string, lockToken: string): C2dMessage {
    const entry = this.#locked(key, lockToken);
    this.#unlock(key, entry);
    return entry.message;
  }

  /** As abandon, of a receiver that went away: says nothing when the lock is gone already. */
  release(key: string, lockToken: string): void {
    const entry = this.#queues.get(key)?.find((one) => one.lockToken === lockToken);
    if (entry) this.#unlock(key, entry);
  }

  /** Is the lock that a token stands for still held? */
  isLocked(key: string, lockToken: string): boolean {
    return this.#live(key).some((one) => one.lockToken === lockToken);
  }

  /** Drop what waits; returns how many. */
  purge(key: string): number {
    this.#identities.get(identityOf(key));
    const queue = this.#live(key);
    for (const entry of queue) this.#tell(key, entry.message, 'Purged');
    this.#drop(key);
    return queue.length;
  }

  /** Messages queued or locked. */
  depth(key: string): number {
    return this.#queues.has(key) ? this.#live(key).length : 0;
  }

  #settle(key: string, lockToken: string, code: FeedbackCode): C2dMessage {
    const entry = this.#locked(key, lockToken);
    entry.cancelTimer();
    entry.cancelExpiry();
    this.#queues.set(
      key,
      this.#live(key).filter((one) => one !== entry),
    );
    this.#tell(key, entry.message, code);
    return entry.message;
  }

  #locked(key: string, lockToken: string): Queued {
    const entry = this.#live(key).find((one) => one.lockToken === lockToken);
    if (!entry) throw new CloudFault('lock-lost', { target: key });
    return entry;
  }

  #unlock(key: string, entry: Queued): void {
    entry.cancelTimer();
    entry.lockToken = undefined;
    if (this.#live(key).includes(entry)) this.available.emit(key);
  }

  /** A sender waits to hear that it expired, even when nobody looks at the queue any more. */
  #watchExpiry(key: string, entry: Queued): void {
    const leftMs = entry.message.expiresAt - this.#clock.now();
    entry.cancelExpiry = this.#clock.after(Math.max(0, leftMs), () => void this.#live(key));
  }

  /** The queue without what has expired, was delivered too often, or whose lock ran out unseen. */
  #live(key: string): Queued[] {
    const queue = this.#queues.get(key) ?? [];
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
      if (gone) {
        entry.cancelExpiry();
        this.#tell(key, entry.message, gone);
      }
      return !gone;
    });
    if (live.length === 0) this.#queues.delete(key);
    else this.#queues.set(key, live);
    return live;
  }

  #tell(key: string, message: C2dMessage, code: FeedbackCode): void {
    const wanted = message.ack ?? 'none';
    if (wanted === 'none' || (wanted === 'positive' && code !== 'Success')) return;
    if (wanted === 'negative' && code === 'Success') return;
    const generationId = this.#identities.find(identityOf(key))?.generationId ?? '';
    this.#feedback.add({ messageId: message.messageId, deviceId: key, generationId, code });
  }

  #drop(key: string): void {
    for (const entry of this.#queues.get(key) ?? []) {
      entry.cancelTimer();
      entry.cancelExpiry();
    }
    this.#queues.delete(key);
  }
}

function addressOf({ deviceId, moduleId }: Identity, input: string | undefined): string {
  const device = `/devices/${encodeURIComponent(deviceId)}`;
  if (moduleId === undefined) return `${device}/messages/devicebound`;
  return `${device}/modules/${encodeURIComponent(moduleId)}/inputs/${input ?? ''}`;
}
