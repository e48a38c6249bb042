import { type AnyDeviceCloudError, classify, type Executed } from '@faultmap/core';
import { conclude, type Evidence, evidence, type FaultEvents, isEvidence } from '@faultmap/core/adapter';
import { type AmqpSighting, readAmqp } from './evidence.ts';
import type { RheaLink } from './rhea.ts';

const READERS = { readers: [readAmqp] } as const;

/** What an operation adds to a fault that ended it. */
export interface Followed {
  readonly operation: string;
  /** Whether the operation may have taken effect; the fault itself may say something else of its own. */
  readonly executed: Executed;
}

/** The faults of one connection: each told once, and passed on to the operations it ended. */
export class Faults {
  readonly #events: FaultEvents;
  readonly #seen = new WeakMap<AnyDeviceCloudError, Evidence>();
  /** The last fault of a connection, session, link or delivery. */
  readonly #of = new WeakMap<object, AnyDeviceCloudError>();

  constructor(events: FaultEvents) {
    this.#events = events;
  }

  /** Make the typed error of what was seen, without telling it. */
  typed(seen: AmqpSighting | Evidence, operation?: string): AnyDeviceCloudError {
    const found = isEvidence(seen) ? seen : (readAmqp(seen) ?? seen);
    const error = classify(found, { ...READERS, operation });
    this.#seen.set(error, found as Evidence);
    return error;
  }

  /** Tell the fault of an end of the connection, once: what follows from it is the same fault. */
  tell(end: object, seen: AmqpSighting | Evidence): AnyDeviceCloudError {
    const error = this.typed(seen);
    this.#of.set(end, error);
    this.#events.emit('fault', { error });
    return error;
  }

  /** The last fault of this end; `undefined` when it is well. */
  of(end: object): AnyDeviceCloudError | undefined {
    return this.#of.get(end);
  }

  /** The application itself closed it: no fault, but the end of what waits. */
  endedHere(scope: 'connection' | 'session' | 'link'): AnyDeviceCloudError {
    const text = `the ${scope} was closed on this side`;
    return this.typed(evidence({ transport: 'amqp', scope, local: true, condition: 'amqp:illegal-state', text }));
  }

  /** The fault that keeps a link from being open, as the cause of an error and for its text. */
  behind(link: RheaLink): { readonly cause?: AnyDeviceCloudError; readonly because: string } {
    const cause = this.of(link) ?? this.of(link.session) ?? this.of(link.connection);
    return cause ? { cause, because: `: ${cause.message}` } : { because: '' };
  }

  /** Remember, as the fault of this end, one that is told already (or will be by its operation). */
  set(end: object, error: AnyDeviceCloudError): void {
    this.#of.set(end, error);
  }

  /** It is well again. */
  forget(end: object): void {
    this.#of.delete(end);
  }

  /** The error of an operation that a told fault ended: of the same kind, with the fault as its cause. */
  follow(fault: AnyDeviceCloudError, { operation, executed }: Followed): AnyDeviceCloudError {
    const seen = this.#seen.get(fault);
    if (!seen) return fault;
    const error = classify({ ...seen, cause: fault }, { operation });
    return conclude(error, { executed });
  }
}
