import { type Clock, MAX_TIMER_MS } from '../clock.ts';
import type { AnyDeviceCloudError } from '../errors.ts';
import { Circuit } from './circuit.ts';
import { LocalController } from './controller.ts';
import type { Parameters } from './parameters.ts';
import { Queue, type Waiter } from './queue.ts';
import { SlowStart } from './slow-start.ts';
import type { Entry, Failed, Gate, PacedOut, PaceOutcome, PacerState } from './types.ts';

export interface GateSetup {
  readonly clock: Clock;
  readonly random: () => number;
  readonly parameters: Parameters;
  readonly maxQueued: number;
  /** Concurrency to begin with; 0: no slow start. */
  readonly startConcurrency: number;
  /** Told when the mode changes. */
  readonly changed: () => void;
}

/** Where the operations of one key pass: rate, circuit and slow start over one queue and one timer. */
export class KeyGate implements Gate {
  free: boolean;
  inFlight = 0;
  readonly #setup: GateSetup;
  readonly #controller: LocalController;
  readonly #circuit: Circuit;
  readonly #queue = new Queue();
  readonly #madeAt: number;
  #slowStart: SlowStart | undefined;
  /** Slow start by the user's wish goes on without a queue. */
  #wished: boolean;
  #because: AnyDeviceCloudError | undefined;
  #timerAt = Infinity;
  #cancelTimer: () => void = () => {};

  constructor(setup: GateSetup) {
    this.#setup = setup;
    this.#controller = new LocalController(setup.parameters, setup.random);
    this.#circuit = new Circuit(setup.parameters, setup.random);
    this.#madeAt = setup.clock.now();
    this.#wished = setup.startConcurrency > 0;
    if (this.#wished) this.#slowStart = new SlowStart(setup.parameters, setup.startConcurrency);
    this.free = !this.#wished;
  }

  /** Nobody is throttled, waits, or has succeeded since. */
  unusedSince(at: number): boolean {
    const used = Math.max(this.#madeAt, this.#controller.usedAt + this.#setup.parameters.spanMs);
    return used < at && this.#queue.length === 0 && this.state.mode === 'off';
  }

  get state(): PacerState {
    this.#settle(this.#setup.clock.now());
    const backlog = this.#queue.length;
    if (this.#circuit.open) return { mode: 'open', backlog, nextProbeAt: new Date(this.#circuit.nextProbeAt) };
    return this.#controller.off ? { mode: 'off' } : { mode: 'pacing', perSecond: this.#controller.rate, backlog };
  }

  projectedMs(repeat: boolean): number {
    const now = this.#setup.clock.now();
    if (this.#circuit.open) return this.#circuit.wait(now);
    return this.#controller.off ? 0 : (1_000 * (this.#queue.ahead(repeat) + 1)) / this.#controller.rate;
  }

  enter(entry: Entry): Promise<number | PacedOut> {
    const { clock, maxQueued } = this.#setup;
    if (entry.signal?.aborted) return Promise.reject(entry.signal.reason);
    const now = clock.now();
    if (entry.deadlineAt <= now) return Promise.resolve({ stopped: 'deadline', because: this.#because });
    if (this.#queue.length >= maxQueued) return Promise.resolve({ stopped: 'paced-out', because: this.#because });
    return new Promise((resolve, reject) => {
      this.#queue.push(this.#waiter(entry, now, resolve, reject));
      this.#pump(now);
    });
  }

  report(sentAt: number, outcome: PaceOutcome, failed?: Failed): void {
    const { inFlight } = this;
    // Not below 0: an attempt that was made outside may not have been counted.
    if (inFlight > 0) this.inFlight--;
    if (this.free && outcome === 'success') {
      this.#circuit.calm();
      this.#controller.succeeded(sentAt, sentAt, 0);
      return;
    }
    const now = this.#setup.clock.now();
    const backlog = this.#queue.length;
    this.#slowStart?.ended(sentAt, outcome === 'success');
    if (failed && (outcome === 'throttled' || outcome === 'outage')) this.#because = failed.error;
    if (outcome === 'success') this.#controller.succeeded(sentAt, now, backlog);
    const wasOff = this.#controller.off;
    if (outcome === 'throttled')
      this.#controller.throttled(sentAt, now, { backlog, inFlight, backoffMs: failed?.backoffMs ?? 2_000 });
    const turned = this.#circuit.note(outcome, sentAt, now, failed?.who);
    if (turned && !this.#circuit.open) this.#reopen();
    if (wasOff !== this.#controller.off) this.#stopSlowStart();
    this.#refresh();
    if (turned || wasOff !== this.#controller.off) this.#setup.changed();
    this.#pump(now);
  }

  /** The target is back: not with everybody who waited. */
  #reopen(): void {
    this.#slowStart = new SlowStart(this.#setup.parameters, this.#setup.parameters.startConcurrency);
  }

  #stopSlowStart(): void {
    this.#slowStart = undefined;
    this.#wished = false;
  }

  #refresh(): void {
    if (this.#slowStart && (this.#slowStart.over || (!this.#wished && this.#queue.length === 0))) this.#stopSlowStart();
    this.free = this.#controller.off && !this.#circuit.open && !this.#slowStart && this.#queue.length === 0;
  }

  #settle(now: number): void {
    if (!this.#controller.settle(now, this.#queue.length)) return;
    this.#refresh();
    this.#setup.changed();
  }

  #waiter(
    entry: Entry,
    now: number,
    resolve: (turn: number | PacedOut) => void,
    reject: (reason: unknown) => void,
  ): Waiter {
    const { signal, deadlineAt } = entry;
    let cancel: (() => void) | undefined;
    const leave = () => {
      cancel?.();
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      waiter.list?.remove(waiter);
      leave();
      reject(signal?.reason);
    };
    const waiter: Waiter = {
      entry,
      before: undefined,
      after: undefined,
      list: undefined,
      settle: (turn) => {
        leave();
        resolve(turn);
      },
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const leftMs = deadlineAt - now;
    if (leftMs < MAX_TIMER_MS)
      cancel = this.#setup.clock.after(leftMs, () => {
        waiter.list?.remove(waiter);
        waiter.settle({ stopped: 'deadline', because: this.#because });
      });
    return waiter;
  }

  /** Let through whoever may go now, and come back when the next may. */
  #pump(now: number): void {
    this.#settle(now);
    while (this.#queue.length > 0) {
      const wait = this.#wait(now);
      if (wait > 0) {
        this.#wake(now, wait);
        return;
      }
      this.#pass(now);
    }
    this.#refresh();
    if (this.#timerAt < Infinity) this.#sleep();
  }

  #pass(now: number): void {
    this.inFlight++;
    if (this.#circuit.open) {
      this.#circuit.probing(now);
      this.#queue.nextProbe()?.settle(now);
      return;
    }
    this.#slowStart?.sent(now);
    this.#queue.next()?.settle(now);
  }

  #wait(now: number): number {
    if (this.#circuit.open) return this.#circuit.wait(now);
    const slot = this.#slowStart?.wait(now) ?? 0;
    if (slot > 0) return slot;
    return this.#controller.off ? 0 : this.#controller.take(now, this.#queue.length);
  }

  /** One timer for all who wait. */
  #wake(now: number, wait: number): void {
    const at = now + Math.min(wait, MAX_TIMER_MS);
    // One that is set too early costs one look more, and saves setting it anew at every answer.
    if (at >= this.#timerAt) return;
    this.#sleep();
    this.#timerAt = at;
    this.#cancelTimer = this.#setup.clock.after(at - now, () => {
      this.#timerAt = Infinity;
      this.#pump(this.#setup.clock.now());
    });
  }

  #sleep(): void {
    this.#cancelTimer();
    this.#timerAt = Infinity;
  }
}
