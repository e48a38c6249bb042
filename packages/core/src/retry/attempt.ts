import type { Clock } from '../clock.ts';
import { MAX_TIMER_MS } from '../clock.ts';
import { mark } from './nested.ts';
import type { Attempt, Operation } from './options.ts';

/** One attempt, and what it says about itself. */
export class Try implements Attempt {
  readonly number: number;
  readonly signal: AbortSignal | undefined;
  /** Where inner layers stood when it began. */
  readonly began: number;
  wasSent = true;

  constructor(number: number, signal: AbortSignal | undefined) {
    this.number = number;
    this.signal = signal;
    this.began = mark();
  }

  unsent(): void {
    this.wasSent = false;
  }

  sent(): void {
    this.wasSent = true;
  }
}

/** Call it; what it throws at once is a rejection like any other. */
export function invoke<T>(operation: Operation<T>, attempt: Attempt): Promise<T> {
  try {
    const given = operation(attempt);
    return given instanceof Promise ? given : Promise.resolve(given);
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

export interface Cut {
  readonly clock: Clock;
  /** When it is cut; Infinity: never. */
  readonly at: number;
  readonly signal: AbortSignal | undefined;
  /** Makes what it is cut with. */
  readonly expired: (attempt: Try) => unknown;
}

/** Run one attempt that is cut at a deadline: rejected at once, and its signal aborted. */
export function runUntil<T>(operation: Operation<T>, number: number, cut: Cut): { attempt: Try; outcome: Promise<T> } {
  const leftMs = cut.at - cut.clock.now();
  if (leftMs > MAX_TIMER_MS) {
    const attempt = new Try(number, cut.signal);
    return { attempt, outcome: invoke(operation, attempt) };
  }
  const controller = new AbortController();
  const attempt = new Try(number, controller.signal);
  const outcome = new Promise<T>((resolve, reject) => {
    const onAbort = () => controller.abort(cut.signal?.reason);
    const cancel = cut.clock.after(Math.max(0, leftMs), () => {
      cut.signal?.removeEventListener('abort', onAbort);
      const reason = cut.expired(attempt);
      // First the word about the deadline, then whatever the operation makes of the abort.
      reject(reason);
      controller.abort(reason);
    });
    const end = () => {
      cancel();
      cut.signal?.removeEventListener('abort', onAbort);
    };
    if (cut.signal?.aborted) onAbort();
    else cut.signal?.addEventListener('abort', onAbort, { once: true });
    invoke(operation, attempt).finally(end).then(resolve, reject);
  });
  return { attempt, outcome };
}
