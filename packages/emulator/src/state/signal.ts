/** Listeners of one event. A listener that throws reaches nobody else and stops nothing. */
export class Signal<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** Listen; the result takes the listener off again. */
  on(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (thrown) {
        process.emitWarning(`A listener of the emulator threw: ${String(thrown)}`, 'FaultmapEmulatorWarning');
      }
    }
  }

  get size(): number {
    return this.#listeners.size;
  }
}
