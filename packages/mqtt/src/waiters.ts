import type { Clock } from '@faultmap/core';
import type { IPublishPacket } from 'mqtt';
import type { RawAnswer } from './answer.ts';
import { type Exchange, matches, queryOf } from './exchange.ts';

/** One request on its way. */
interface Waiter {
  readonly exchange: Exchange;
  readonly operation: string;
  readonly settle: (outcome: { readonly answer: RawAnswer } | { readonly error: unknown }) => void;
}

export interface WaitOptions {
  /** For messages. */
  readonly operation: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Writes it, under the request id; returns what takes it back. */
  readonly send: (rid: string, failed: (error: unknown) => void) => () => void;
  /** What it is rejected with when no answer came in time. */
  readonly unanswered: () => unknown;
}

/** Those who wait for an answer, by request id. */
export class Waiters {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiter>();
  /** Tells our requests from those of an earlier session, whose answers may still come. */
  readonly #prefix = Math.random().toString(36).slice(2, 8);
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  wait(exchange: Exchange, { operation, timeoutMs, signal, send, unanswered }: WaitOptions): Promise<RawAnswer> {
    const rid = `${this.#prefix}-${(this.#count++).toString(36)}`;
    return new Promise((resolve, reject) => {
      let takeBack = () => {};
      const settle: Waiter['settle'] = (outcome) => {
        if (!this.#waiting.delete(rid)) return; // late, or a second one
        cancel();
        signal?.removeEventListener('abort', onAbort);
        if ('answer' in outcome) {
          resolve(outcome.answer);
        } else {
          takeBack();
          reject(outcome.error);
        }
      };
      const onAbort = () => settle({ error: signal?.reason });
      const cancel = this.#clock.after(timeoutMs, () => settle({ error: unanswered() }));
      this.#waiting.set(rid, { exchange, operation, settle });
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) {
        onAbort();
        return;
      }
      try {
        takeBack = send(rid, (error) => settle({ error }));
      } catch (error) {
        settle({ error });
      }
    });
  }

  /** @returns `foreign`: an answer, but to nobody here; `late`: to one of ours that waits no more */
  message(topic: string, payload: Buffer, packet: IPublishPacket): 'answer' | 'late' | 'foreign' {
    const correlation = packet.properties?.correlationData;
    const rid = correlation ? Buffer.from(correlation).toString('latin1') : queryOf(topic).$rid;
    const waiter = rid === undefined ? undefined : this.#waiting.get(rid);
    if (!waiter || !matches(waiter.exchange.filter, topic)) return rid?.startsWith(this.#prefix) ? 'late' : 'foreign';
    waiter.settle({ answer: { topic, payload, properties: packet.properties } });
    return 'answer';
  }

  failAll(error: (operation: string) => unknown): void {
    for (const waiter of [...this.#waiting.values()]) waiter.settle({ error: error(waiter.operation) });
  }
}
