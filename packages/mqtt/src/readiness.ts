/** Wait for a connection, for as long as one is to be expected. */
export class Readiness {
  readonly #waiting = new Set<(error?: (operation: string) => unknown) => void>();
  readonly #isUp: () => boolean;
  #hopeless: ((operation: string) => unknown) | undefined;

  constructor(isUp: () => boolean) {
    this.#isUp = isUp;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @param operation - who waits, for messages */
  wait(signal: AbortSignal | undefined, operation: string): Promise<void> {
    if (this.#hopeless) return Promise.reject(this.#hopeless(operation));
    if (this.#isUp()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wake = (error?: (operation: string) => unknown) => {
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', onAbort);
        if (error) reject(error(operation));
        else resolve();
      };
      const onAbort = () => {
        wake();
        reject(signal?.reason);
      };
      this.#waiting.add(wake);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
    });
  }

  up(): void {
    this.hope();
    for (const wake of [...this.#waiting]) wake();
  }

  /** None will come soon: nobody waits any more, from now on neither. */
  giveUp(error: (operation: string) => unknown): void {
    this.#hopeless = error;
    for (const wake of [...this.#waiting]) wake(error);
  }

  hope(): void {
    this.#hopeless = undefined;
  }
}

/** Wait for something that knows no signal; an abort ends the wait with its reason. */
export function abortable<T>(pending: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return pending;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    pending.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
