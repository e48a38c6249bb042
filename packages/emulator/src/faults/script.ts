import type { FaultForm, FaultMatch, FaultRequest, FaultSpec, InjectedFault, ScriptedFault } from './types.ts';
import { validateSpec } from './validate.ts';

interface Entry {
  readonly id: number;
  readonly spec: FaultSpec;
  readonly form: FaultForm | undefined;
  toSkip: number;
  left: number;
  hits: number;
}

/** The scripted faults, in the order they were injected: the first that fits strikes. */
export class FaultScript {
  readonly #entries = new Map<number, Entry>();
  #count = 0;

  /** @throws TypeError that names the field, what was expected and what was given */
  inject(spec: FaultSpec): InjectedFault {
    validateSpec(spec);
    this.#count += 1;
    const entry: Entry = {
      id: this.#count,
      spec,
      form: formOf(spec.fault),
      toSkip: spec.after ?? 0,
      left: spec.times ?? 1,
      hits: 0,
    };
    this.#entries.set(entry.id, entry);
    return {
      id: entry.id,
      get hits() {
        return entry.hits;
      },
      get remaining() {
        return entry.left;
      },
      remove: () => {
        entry.left = 0;
        this.#entries.delete(entry.id);
      },
    };
  }

  /** Nothing is scripted: asking can be left out. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** The fault that hits this request, if any. Asking counts: ask once per request. */
  next(request: FaultRequest): ScriptedFault | undefined {
    for (const entry of this.#entries.values()) {
      if (!fits(entry.spec, request)) continue;
      if (entry.toSkip > 0) {
        entry.toSkip -= 1;
        continue;
      }
      entry.left -= 1;
      entry.hits += 1;
      if (entry.left <= 0) this.#entries.delete(entry.id);
      return {
        id: entry.id,
        form: entry.form,
        delayMs: entry.spec.delayMs ?? 0,
        retryAfterS: entry.spec.retryAfterS,
        executes: entry.spec.executes ?? false,
      };
    }
    return undefined;
  }

  /** Take one back; false when there is none of that id. */
  remove(id: number): boolean {
    return this.#entries.delete(id);
  }

  /** Take all back. */
  clear(): void {
    this.#entries.clear();
  }

  /** What is still to come. */
  pending(): { id: number; spec: FaultSpec; hits: number; remaining: number }[] {
    return [...this.#entries.values()].map(({ id, spec, hits, left }) => ({ id, spec, hits, remaining: left }));
  }
}

function formOf(fault: FaultSpec['fault']): FaultForm | undefined {
  if (typeof fault === 'number') return { code: fault };
  if (typeof fault === 'string') return { unclean: fault };
  return fault;
}

function fits(spec: FaultSpec, request: FaultRequest): boolean {
  if (spec.transport !== undefined && spec.transport !== request.transport) return false;
  return spec.match === undefined || matches(spec.match, request);
}

function matches(match: FaultMatch, request: FaultRequest): boolean {
  if (typeof match === 'function') return asks(match, request);
  return (
    fitsText(match.operation, request.operation) &&
    fitsText(match.path, request.path) &&
    fitsText(match.deviceId, request.deviceId) &&
    fitsText(match.moduleId, request.moduleId) &&
    fitsText(match.messageId, request.messageId) &&
    (match.method === undefined || match.method.toUpperCase() === request.method?.toUpperCase())
  );
}

/** A test's own function: one that throws matches nothing, and is told about. */
function asks(match: (request: FaultRequest) => boolean, request: FaultRequest): boolean {
  try {
    return match(request) === true;
  } catch (thrown) {
    process.emitWarning(`The match of a fault threw: ${String(thrown)}`, 'FaultmapEmulatorWarning');
    return false;
  }
}

function fitsText(wanted: string | RegExp | readonly string[] | undefined, given: string | undefined): boolean {
  if (wanted === undefined) return true;
  if (given === undefined) return false;
  if (wanted instanceof RegExp) {
    wanted.lastIndex = 0; // a /g one remembers where it was
    return wanted.test(given);
  }
  return typeof wanted === 'string' ? wanted === given : wanted.includes(given);
}
