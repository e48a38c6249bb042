import type { AxiosInstance } from 'axios';
import type { MarkedConfig } from './adapter.ts';

/*
 * axios goes round its interceptors at each request: twice round a list that nearly always holds
 * ours alone. That is half of what a success costs, so these rounds are shortened where nobody can
 * tell the difference:
 *
 * - ours is the only interceptor of the request: it is looked at without the round
 * - ours is the first of the answer: it is left out, and its work is done a step before, at the end
 *   of what axios does with the adapter's promise
 */

/** An interceptor as axios keeps it. */
interface Handler {
  readonly rejected: unknown;
}

/** What axios goes round by. `handlers` is in its types, but may be missing in another copy. */
interface Manager {
  readonly handlers?: readonly (Handler | null)[];
  forEach(visit: (handler: Handler) => void): void;
}

export interface Interceptors {
  /**
   * Asked in the round of the request: will that of the answer leave ours out? Not where something
   * may fail before the adapter: another interceptor, or the transform of a body.
   */
  leftOut(config: MarkedConfig): boolean;
  detach(): void;
}

/**
 * Register both of ours.
 *
 * @param look - sees each config; never run as an interceptor
 * @param rejected - makes the typed error
 */
export function intercept(
  { interceptors }: AxiosInstance,
  look: (config: MarkedConfig) => void,
  rejected: (raw: unknown) => Promise<never>,
): Interceptors {
  // Not run: `runWhen` alone costs a tenth of an interceptor.
  const runWhen = (config: MarkedConfig) => {
    look(config);
    return false;
  };
  const marker = interceptors.request.use(null, null, { synchronous: true, runWhen });
  const mapper = interceptors.response.use(null, rejected);
  const requests = interceptors.request as unknown as Manager;
  const responses = interceptors.response as unknown as Manager;
  const ownMarker = requests.handlers?.at(-1);
  const ownMapper = responses.handlers?.at(-1);
  let alone = false;
  let leaveOut = false;

  const restoreRequests = shorten(requests, (visit) => {
    alone = ownMarker != null && requests.handlers?.length === 1 && requests.handlers[0] === ownMarker;
    if (alone) visit(ownMarker as Handler);
    return alone;
  });
  const restoreResponses = shorten(responses, (visit, forEach) => {
    if (!leaveOut) return false;
    leaveOut = false;
    if (responses.handlers?.length !== 1)
      forEach((handler) => {
        if (handler !== ownMapper) visit(handler);
      });
    return true;
  });

  return {
    leftOut(config) {
      leaveOut =
        alone && ownMapper?.rejected === rejected && responses.handlers?.[0] === ownMapper && config.data === undefined;
      return leaveOut;
    },
    detach() {
      interceptors.request.eject(marker);
      interceptors.response.eject(mapper);
      restoreRequests();
      restoreResponses();
    },
  };
}

type Visit = Parameters<Manager['forEach']>[0];

/**
 * @param shortcut - true: it went its own round
 * @returns what takes it off again
 */
function shorten(manager: Manager, shortcut: (visit: Visit, forEach: Manager['forEach']) => boolean): () => void {
  const round = manager.forEach.bind(manager);
  const short: Manager['forEach'] = (visit) => {
    if (!shortcut(visit, round)) round(visit);
  };
  const own = Object.hasOwn(manager, 'forEach');
  const { forEach } = manager;
  manager.forEach = short;
  return () => {
    // Somebody wrapped ours in the meantime: it stays, and lets pass.
    if (manager.forEach !== short) return;
    if (own) manager.forEach = forEach;
    else Reflect.deleteProperty(manager, 'forEach');
  };
}
