import { type Clock, systemClock } from '../clock.ts';
import { report } from '../events.ts';
import { type OptionRule, resolveOptions, rules } from '../options.ts';
import { KeyGate } from './gate.ts';
import { PARAMETERS, type Parameters } from './parameters.ts';
import type { Gate, Pacer, PacerListener, PacerOptions, PacerState } from './types.ts';

const RULES: Readonly<Record<keyof PacerOptions, OptionRule>> = {
  maxQueued: rules.count,
  slowStart: rules.either(rules.boolean, { expected: 'a whole number, 1 or more', ok: rules.count.ok }),
  clock: { expected: 'a clock with now() and after()', ok: (v) => rules.object.ok(v) && 'now' in Object(v) },
  random: rules.function,
};

/** Keys off and unused for this long are dropped. */
const FORGET_AFTER_MS = 60_000;

/**
 * A pacer of one's own, for instance to share one among some clients only, or for a bulk job that
 * begins slowly.
 *
 * @returns a pacer that is off, for the `pacer` of `retry` or of an adapter's `retry` options
 * @throws TypeError for options that are not what they should be
 *
 * @example
 * const pacer = createPacer({ slowStart: true });
 * await retry(() => registry.update(device), { pacer, pacerKey: 'registry', idempotent: true });
 */
export function createPacer(options: PacerOptions = {}): Pacer {
  return makePacer(options, PARAMETERS);
}

/** With other numbers: for the simulation that finds them. */
export function makePacer(options: PacerOptions, parameters: Parameters): Pacer {
  const defaults: PacerOptions = { maxQueued: 100_000, slowStart: false };
  return new ProcessPacer(resolveOptions<PacerOptions>('createPacer', options as object, defaults, RULES), parameters);
}

/** A class and no plain object: axios clones plain objects that it finds in a request's config. */
class ProcessPacer implements Pacer {
  readonly #gates = new Map<string, KeyGate>();
  readonly #listeners = new Set<PacerListener>();
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #parameters: Parameters;
  readonly #maxQueued: number;
  readonly #startConcurrency: number;
  #sweptAt: number;

  constructor({ clock, random, maxQueued, slowStart }: PacerOptions, parameters: Parameters) {
    this.#clock = clock ?? systemClock;
    this.#random = random ?? Math.random;
    this.#parameters = parameters;
    this.#maxQueued = maxQueued ?? Infinity;
    this.#startConcurrency = slowStart === true ? parameters.startConcurrency : Number(slowStart ?? 0);
    this.#sweptAt = this.#clock.now();
  }

  state(key: string): PacerState {
    return this.#gates.get(key)?.state ?? { mode: 'off' };
  }

  keys(): string[] {
    this.#sweep();
    return [...this.#gates.keys()];
  }

  on(_name: 'change', listener: PacerListener): void {
    this.#listeners.add(listener);
  }

  off(_name: 'change', listener: PacerListener): void {
    this.#listeners.delete(listener);
  }

  gate(key: string): Gate {
    const there = this.#gates.get(key);
    if (there) return there;
    this.#sweep();
    const made: KeyGate = new KeyGate({
      clock: this.#clock,
      random: this.#random,
      parameters: this.#parameters,
      maxQueued: this.#maxQueued,
      startConcurrency: this.#startConcurrency,
      changed: () => this.#tell(key, made),
    });
    this.#gates.set(key, made);
    return made;
  }

  #tell(key: string, gate: KeyGate): void {
    if (this.#listeners.size === 0) return;
    const { state } = gate;
    for (const listener of this.#listeners) {
      try {
        listener({ key, state });
      } catch (thrown) {
        report(thrown);
      }
    }
  }

  /** No timer: looked at when a new key comes, at most once in the time after which keys are dropped. */
  #sweep(): void {
    const now = this.#clock.now();
    if (now - this.#sweptAt < FORGET_AFTER_MS) return;
    this.#sweptAt = now;
    for (const [key, gate] of this.#gates) {
      if (gate.unusedSince(now - FORGET_AFTER_MS)) this.#gates.delete(key);
    }
  }
}
