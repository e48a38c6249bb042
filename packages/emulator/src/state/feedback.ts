import type { Clock } from './clock.ts';
import { Signal } from './signal.ts';

/** Why a cloud-to-device message left its queue. */
export type FeedbackCode = 'Success' | 'Expired' | 'DeliveryCountExceeded' | 'Rejected' | 'Purged';

/** One record as a service reads it (devguide-messages-c2d). */
export interface FeedbackRecord {
  readonly originalMessageId: string;
  readonly description: string;
  readonly statusCode: FeedbackCode;
  readonly deviceId: string;
  readonly deviceGenerationId: string;
  readonly enqueuedTimeUtc: string;
}

/** At most this many unread records are kept. */
const LIMIT = 10_000;

/** Delivery feedback, until a service reads it. */
export class Feedback {
  readonly available = new Signal<void>();
  readonly #clock: Clock;
  #records: FeedbackRecord[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(seen: { messageId: string; deviceId: string; generationId: string; code: FeedbackCode }): void {
    if (this.#records.length >= LIMIT) this.#records.shift();
    this.#records.push({
      originalMessageId: seen.messageId,
      description: seen.code,
      statusCode: seen.code,
      deviceId: seen.deviceId,
      deviceGenerationId: seen.generationId,
      enqueuedTimeUtc: new Date(this.#clock.now()).toISOString(),
    });
    this.available.emit();
  }

  /** Take what is there, oldest first. */
  take(limit = 64): FeedbackRecord[] {
    return this.#records.splice(0, limit);
  }

  /** Put back what a reader did not settle. */
  putBack(records: readonly FeedbackRecord[]): void {
    this.#records = [...records, ...this.#records].slice(0, LIMIT);
    this.available.emit();
  }
}
