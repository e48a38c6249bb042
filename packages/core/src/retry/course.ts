import { type Clock, sleep, systemClock } from '../clock.ts';
import { conclude, type Stopped } from '../error.ts';
import type { AnyDeviceCloudError } from '../errors.ts';
import { causeWasTold, type FaultEvent, type FaultEventName, type FaultEvents, processWide } from '../events.ts';
import { outcomeOf } from '../pacer/outcome.ts';
import type { Gate, PacedOut } from '../pacer/types.ts';
import { isHopeless } from './at-once.ts';
import { invoke, runUntil, Try } from './attempt.ts';
import { type Decision, delay, limit, objection, type Situation } from './decide.ts';
import { GUARDED_BASE_DELAY_MS, RETRY_DEFAULTS } from './defaults.ts';
import { abortable, deadlineExceeded, notLetThrough } from './endings.ts';
import { Ledger } from './ledger.ts';
import { type Failure, failure, repeatAfter } from './loop.ts';
import { gaveUpInside, giveUp } from './nested.ts';
import type { Operation, OperationOptions, RetryOptions } from './options.ts';
import { classifyAny } from './passes.ts';
import { isPromise, promised } from './promised.ts';
import { sayUnrenewed } from './unrenewed.ts';

type Fault = Failure<AnyDeviceCloudError>;
type Options = RetryOptions & OperationOptions;

/** The course of one operation from its first failure, or its first wait, on. */
export class Course<T> {
  readonly #operation: Operation<T>;
  readonly #options: Options;
  readonly #gate: Gate | undefined;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #events: FaultEvents;
  readonly #startedAt: number;
  readonly #deadlineAt: number;
  readonly #ledger = new Ledger();
  #sentAt: number;
  #settledInside = false;
  #renewed = false;
  #cut: unknown;
  #stopped: Stopped | undefined;

  constructor(operation: Operation<T>, options: Options, startedAt: number, gate: Gate | undefined) {
    this.#operation = operation;
    this.#options = options;
    this.#gate = gate;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#events = options.events ?? processWide;
    this.#startedAt = startedAt;
    this.#sentAt = startedAt;
    this.#deadlineAt = startedAt + (options.deadlineMs ?? RETRY_DEFAULTS.deadlineMs);
  }

  /** From before the first attempt: it has to wait, or may be cut. */
  async begin(): Promise<T> {
    if (this.#options.firstFailure) return this.failedFirst(this.#options.firstFailure.raw, undefined);
    const refused = await this.#enter(false);
    if (refused) throw this.#refuse(refused);
    const { attempt, outcome } = this.#run(1, this.#options.hardDeadline === true);
    let value: T;
    try {
      value = await outcome;
    } catch (raw) {
      return this.failedFirst(raw, attempt);
    }
    this.#gate?.report(this.#sentAt, 'success');
    return value;
  }

  /** From a first attempt that failed. */
  async failedFirst(raw: unknown, attempt: Try | undefined): Promise<T> {
    const first = this.#note(raw, attempt);
    try {
      if (first.error === undefined || isHopeless(first.error, this.#options)) throw first;
      const value = await repeatAfter<T, AnyDeviceCloudError>(
        first,
        (number) => this.#repeat(number),
        (fault) => this.#mayRepeat(fault),
        this.#maxAttempts,
      );
      this.#tell('recovered', this.#ledger.last as AnyDeviceCloudError, this.#ledger.attempts + 1);
      return value;
    } catch (ended) {
      if (ended === this.#fault && this.#fault?.error !== undefined) throw this.#finish(this.#fault);
      // Ended by the caller: aborted in a wait, or by a mistake of its own. The fault before counts.
      const { last, attempts } = this.#ledger;
      if (last && !this.#settledInside) this.#tell('give-up', last, attempts);
      throw ended === this.#fault ? (ended as Fault).raw : ended;
    }
  }

  /** The failure that came last; only this one is ours to finish, anything else passes through. */
  #fault: Fault | undefined;

  get #maxAttempts(): number {
    return this.#options.maxAttempts ?? RETRY_DEFAULTS.maxAttempts;
  }

  async #repeat(number: number): Promise<T> {
    const { attempt, outcome } = this.#run(number, true);
    let value: T;
    try {
      value = await outcome;
    } catch (raw) {
      throw this.#note(raw, attempt);
    }
    this.#gate?.report(this.#sentAt, 'success');
    return value;
  }

  #run(number: number, mayBeCut: boolean): { attempt: Try; outcome: Promise<T> } {
    const { signal, operation } = this.#options;
    if (mayBeCut && this.#deadlineAt < Infinity)
      return runUntil(this.#operation, number, {
        clock: this.#clock,
        at: this.#deadlineAt,
        signal,
        expired: ({ wasSent }) => {
          this.#cut = deadlineExceeded(operation, wasSent, this.#ledger.last);
          return this.#cut;
        },
      });
    const attempt = new Try(number, signal);
    return { attempt, outcome: invoke(this.#operation, attempt) };
  }

  /** What a failed attempt means: typed, counted, told. */
  #note(raw: unknown, attempt: Try | undefined): Fault {
    const wasCut = this.#cut !== undefined && raw === this.#cut;
    const { signal } = this.#options;
    // The caller's own reason comes back as it is, also that of `AbortSignal.timeout`.
    const byCaller = signal?.aborted === true && raw === signal.reason;
    const read = byCaller ? () => undefined : (this.#options.classify ?? classifyAny);
    const error = wasCut ? (raw as AnyDeviceCloudError) : read(raw);
    this.#fault = failure(raw, error);
    if (error === undefined) {
      this.#gate?.report(this.#sentAt, 'void');
      return this.#fault;
    }
    const inside = attempt !== undefined && gaveUpInside(error, attempt.began);
    const requests = inside ? (error.attempts ?? 1) : attempt?.wasSent === false ? 0 : 1;
    this.#ledger.note(error, requests, this.#options.deletes === true);
    this.#settledInside = inside && !this.#undecidedInside(error);
    this.#gate?.report(this.#sentAt, wasCut ? 'void' : outcomeOf(error), {
      error,
      who: this,
      backoffMs: this.#backoffMs,
    });
    if (!inside && !causeWasTold(error)) this.#tell('fault', error, this.#ledger.attempts);
    return this.#fault;
  }

  /** The layer inside stopped for want of something that is given here. */
  #undecidedInside(error: AnyDeviceCloudError): boolean {
    return error.stopped === 'disabled' || (error.stopped === 'not-idempotent' && this.#options.idempotent === true);
  }

  get #backoffMs(): number {
    return this.#options.throttledBaseDelayMs ?? RETRY_DEFAULTS.throttledBaseDelayMs;
  }

  /** Decision and wait; p-retry asks only when an attempt is left. */
  async #mayRepeat({ error }: Fault): Promise<boolean> {
    if (error === undefined) return false;
    const renewed = await this.#renew(error);
    const decision = this.#decide(error, renewed);
    if (decision.stop !== undefined) {
      this.#stopped = decision.stop;
      return false;
    }
    const since = this.#clock.now();
    const paced = this.#gate && !this.#gate.free ? this.#gate.projectedMs(true) : 0;
    this.#tell('retry', error, this.#ledger.attempts, { delayMs: Math.round(decision.waitMs + paced) });
    await sleep(this.#clock, decision.waitMs, this.#options.signal);
    const refused = await this.#enter(true);
    if (refused) {
      this.#stopped = refused.stopped;
      return false;
    }
    await this.#options.beforeRepeat?.(error, this.#ledger.failures + 1);
    this.#ledger.waitsMs.push(Math.round(this.#clock.now() - since));
    return true;
  }

  /** Fresh credentials, once for an operation, and only where a repeat could follow. */
  async #renew(error: AnyDeviceCloudError): Promise<boolean> {
    const { renew, signal } = this.#options;
    if (!renew || this.#renewed || error.advice !== 'renew-credentials') return false;
    const now = this.#situation(true);
    if (objection(error, now) || limit(error, now)) return false;
    this.#renewed = true;
    try {
      return await abortable(renew({ error, attempt: this.#ledger.failures, signal }), signal);
    } catch (thrown) {
      if (signal?.aborted) throw signal.reason;
      const why = (this.#options.classify ?? classifyAny)(thrown) ?? classifyAny(thrown);
      // What came was no credentials: a mistake of the program, not a fault.
      if (why === undefined) throw thrown;
      if (!causeWasTold(why)) this.#tell('fault', why, this.#ledger.attempts);
      sayUnrenewed(error, why);
      return false;
    }
  }

  #decide(error: AnyDeviceCloudError, renewed: boolean): Decision {
    if (error === this.#cut) return { stop: 'deadline' };
    const now = this.#situation(renewed);
    const no = this.#ledger.ownTrace ? 'not-transient' : objection(error, now);
    const full = limit(error, now);
    const wouldRetry = no === undefined && full === undefined;
    const wish = this.#ledger.ownTrace
      ? undefined
      : this.#options.shouldRetry?.(error, {
          attempt: this.#ledger.failures,
          wouldRetry,
          elapsedMs: this.#clock.now() - this.#startedAt,
        });
    if (isPromise(wish)) throw promised(wish);
    if (wish === false && wouldRetry) return { stop: 'should-retry' };
    if (no !== undefined && (wish !== true || no === 'disabled')) return { stop: no };
    if (full !== undefined) return { stop: full };
    return delay(error, now, this.#random);
  }

  #situation(renewed: boolean): Situation {
    const given = this.#options;
    const guarded = this.#gate !== undefined;
    return {
      failures: this.#ledger.failures,
      sent: this.#ledger.sent,
      maxAttempts: this.#maxAttempts,
      idempotent: given.idempotent ?? RETRY_DEFAULTS.idempotent,
      replayable: given.replayable ?? true,
      disabled: given.disabled ?? false,
      settledInside: this.#settledInside,
      renewed,
      roomMs: this.#deadlineAt - this.#clock.now(),
      maxRetryAfterMs: given.maxRetryAfterMs ?? RETRY_DEFAULTS.maxRetryAfterMs,
      baseDelayMs: given.baseDelayMs ?? (guarded ? GUARDED_BASE_DELAY_MS : RETRY_DEFAULTS.baseDelayMs),
      maxDelayMs: given.maxDelayMs ?? RETRY_DEFAULTS.maxDelayMs,
      throttledBaseDelayMs: this.#backoffMs,
      throttledMaxDelayMs: given.throttledMaxDelayMs ?? RETRY_DEFAULTS.throttledMaxDelayMs,
      paced: guarded && !this.#gate?.free && this.#ledger.throttles <= 1,
    };
  }

  /** Wait for one's turn. `undefined`: go. */
  async #enter(repeat: boolean): Promise<PacedOut | undefined> {
    this.#sentAt = this.#clock.now();
    if (!this.#gate) return undefined;
    if (this.#gate.free) {
      this.#gate.inFlight++;
      return undefined;
    }
    const passed = await this.#gate.enter({
      repeat,
      signal: this.#options.signal,
      deadlineAt: this.#deadlineAt,
    });
    if (typeof passed !== 'number') return passed;
    this.#sentAt = passed;
    return undefined;
  }

  /** Never sent: the pacer had no place, or no turn in time. */
  #refuse(refused: PacedOut): AnyDeviceCloudError {
    const error = notLetThrough(refused, this.#options.operation);
    return this.#giveUp(error, refused.stopped);
  }

  /** What the caller gets. */
  #finish({ raw, error }: Fault): unknown {
    if (error === undefined) return raw;
    if (this.#settledInside && this.#ledger.failures === 1) return error;
    return this.#giveUp(error, this.#stopped ?? this.#reason(error));
  }

  /** p-retry did not ask: no attempt was left. */
  #reason(error: AnyDeviceCloudError): Stopped {
    if (error === this.#cut) return 'deadline';
    const now = this.#situation(false);
    return objection(error, now) ?? limit(error, now) ?? 'attempts';
  }

  #giveUp(error: AnyDeviceCloudError, stopped: Stopped): AnyDeviceCloudError {
    const { operation } = this.#options;
    conclude(error, {
      ...this.#ledger.ending(stopped),
      ...(error.operation === undefined && operation !== undefined && { operation }),
    });
    giveUp(error);
    // The layer inside has told it.
    if (!this.#settledInside) this.#tell('give-up', error, this.#ledger.attempts, { stopped });
    return error;
  }

  #tell(name: FaultEventName, error: AnyDeviceCloudError, attempt: number, more?: Partial<FaultEvent>): void {
    this.#events.emit(name, { error, operation: this.#options.operation, attempt, ...more });
  }
}
