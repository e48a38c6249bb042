import type { Stopped } from './error.ts';
import type { AnyDeviceCloudError } from './errors.ts';
import { optionError } from './options.ts';
import { redact } from './redact.ts';

/** What listeners of an attachment and the diagnostics channels get. */
export interface FaultEvent {
  /** The fault; of `give-up` the final error, of `recovered` the last fault before the success. */
  readonly error: AnyDeviceCloudError;
  /** What the program was doing, where it is known. */
  readonly operation?: string | undefined;
  /**
   * Which attempt failed, from 1; 0 when nothing was sent yet, since only what was sent counts. For a
   * reconnect: how many in a row.
   */
  readonly attempt?: number | undefined;
  /** `retry` only: how long until the next attempt, in ms. */
  readonly delayMs?: number | undefined;
  /** `give-up` only. */
  readonly stopped?: Stopped | undefined;
  /** `give-up` of a reconnect that goes on probing slowly: when it asks next. */
  readonly nextProbeAt?: Date | undefined;
}

/**
 * - `fault`: once per native failure seen, those that are repeated too
 * - `retry`: before each wait
 * - `give-up`: once per operation or reconnect that ends after a fault
 * - `recovered`: once per operation or connection that succeeds after one
 */
export type FaultEventName = 'fault' | 'retry' | 'give-up' | 'recovered';

const NAMES: readonly FaultEventName[] = ['fault', 'retry', 'give-up', 'recovered'];

/** Called at once, in the order of `on`; an exception of it becomes a process warning and reaches nobody else. */
export type FaultListener = (event: FaultEvent) => void;

/**
 * Who listens to an attachment, and the process-wide `node:diagnostics_channel`s `faultmap:fault`,
 * `faultmap:retry`, `faultmap:give-up` and `faultmap:recovered`. An adapter has one per attachment, and
 * gives `on` and `off` to the user.
 */
export class FaultEvents {
  readonly #listeners = new Map<FaultEventName, Set<FaultListener>>();

  /**
   * Listen; the same listener twice is told once.
   *
   * @throws TypeError for an event that does not exist, or a listener that is no function
   */
  on(name: FaultEventName, listener: FaultListener): void {
    if (!NAMES.includes(name))
      throw new TypeError(`on: unknown event ${JSON.stringify(name)}: expected one of ${NAMES.join(', ')}`);
    if (typeof listener !== 'function') throw optionError('on', 'listener', 'a function', listener);
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
  }

  /** Stop listening; one that does not listen is no mistake. */
  off(name: FaultEventName, listener: FaultListener): void {
    this.#listeners.get(name)?.delete(listener);
  }

  /**
   * Tell everybody, with secrets in `operation` masked as in the error. A listener that throws never
   * reaches the host's own flow. A `fault` is remembered: errors that have it as their cause are not
   * told as a second one.
   */
  emit(name: FaultEventName, event: FaultEvent): void {
    if (name === 'fault') told.add(event.error);
    const listeners = this.#listeners.get(name);
    const channel = channels?.[name];
    const subscribed = channel?.hasSubscribers === true;
    if (!listeners?.size && !subscribed) return;
    const shown = withoutSecrets(event);
    for (const listener of listeners ?? []) {
      try {
        listener(shown);
      } catch (thrown) {
        report(thrown);
      }
    }
    if (subscribed) channel.publish(shown);
  }
}

function withoutSecrets(event: FaultEvent): FaultEvent {
  const { operation, error } = event;
  if (operation === undefined || operation === error.operation) return event;
  return { ...event, operation: redact(operation) };
}

/** Faults that were told already. */
const told = new WeakSet<object>();

/** How far a chain of causes is followed; it may be a loop. */
const MAX_CAUSES = 8;

/**
 * Was a fault told that is the cause of this error? An operation that is rejected because its
 * connection broke is no second fault.
 */
export function causeWasTold(error: AnyDeviceCloudError): boolean {
  let cause: unknown = error.cause;
  for (let i = 0; i < MAX_CAUSES && typeof cause === 'object' && cause !== null; i++) {
    if (told.has(cause)) return true;
    cause = (cause as { cause?: unknown }).cause;
  }
  return false;
}

/** For operations without an attachment: the diagnostics channels only. */
export const processWide: FaultEvents = new FaultEvents();

/** An exception in a listener is the application's own: said as a warning, never swallowed. */
export function report(thrown: unknown): void {
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  globalThis.process?.emitWarning?.(`A listener threw: ${text}`, {
    type: 'FaultmapWarning',
    code: 'FAULTMAP_LISTENER',
  });
}

// Not a static import: the same file loads in a browser bundle, where there are no channels.
const diagnostics = globalThis.process?.getBuiltinModule?.('node:diagnostics_channel');

/** Found once: looking for one by name takes as long as an event without listeners. */
const channels = diagnostics && {
  fault: diagnostics.channel('faultmap:fault'),
  retry: diagnostics.channel('faultmap:retry'),
  'give-up': diagnostics.channel('faultmap:give-up'),
  recovered: diagnostics.channel('faultmap:recovered'),
};
