import type { AxiosInstance } from 'axios';
import type { MarkedConfig } from './adapter.ts';
import { makesBodyItself } from './transforms.ts';

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
type Handler = object;

/** What axios goes round by. `handlers` is in its types, but may be missing in another copy. */
interface Manager {
  readonly handlers?: readonly (Handler | null)[];
  forEach(visit: (handler: Handler) => void): void;
}

/** How a request goes: past interceptors of others, past ours alone, or so that the answer may pass ours by. */
export type Way = 'among others' | 'alone' | 'short';

/**
 * Register both of ours.
 *
 * @param look - sees each config; says whether ours is left out of the round of the answer
 * @param rejected - makes the typed error
 * @returns what takes them off again
 */
export function intercept(
  { interceptors }: AxiosInstance,
  look: (config: MarkedConfig, way: Way) => boolean,
  rejected: (raw: unknown) => Promise<never>,
): () => void {
  const requests = interceptors.request as unknown as Manager;
  const responses = interceptors.response as unknown as Manager;
  let alone = false;
  let leaveOut = false;

  const marker = interceptors.request.use(null, null, {
    synchronous: true,
    // Not run: this alone costs a tenth of an interceptor.
    runWhen(config: MarkedConfig) {
      leaveOut = look(config, alone ? (mayBeShort(config) ? 'short' : 'alone') : 'among others');
      return false;
    },
  });
  const mapper = interceptors.response.use(null, rejected);
  const ownMarker = requests.handlers?.at(-1);
  const ownMapper = responses.handlers?.at(-1);

  // Not where something may fail before the adapter: the transform of a body, or one of the application.
  function mayBeShort(config: MarkedConfig): boolean {
    return (
      ownMapper != null &&
      responses.handlers?.[0] === ownMapper &&
      config.data === undefined &&
      makesBodyItself(config.transformRequest)
    );
  }

  const restoreRequests = shorten(requests, (round) => (visit) => {
    alone = requests.handlers?.length === 1 && requests.handlers[0] === ownMarker;
    if (alone) visit(ownMarker as Handler);
    else round(visit);
    // Handlers are copied to other instances at times, which go rounds of their own.
    alone = false;
  });
  const restoreResponses = shorten(responses, (round) => (visit) => {
    if (!leaveOut) return round(visit);
    leaveOut = false;
    if (responses.handlers?.length !== 1)
      round((handler) => {
        if (handler !== ownMapper) visit(handler);
      });
  });

  return () => {
    // Once all were cleared, our id may be that of another one: older axios counts anew.
    if (requests.handlers?.includes(ownMarker as Handler)) interceptors.request.eject(marker);
    if (responses.handlers?.includes(ownMapper as Handler)) interceptors.response.eject(mapper);
    restoreRequests();
    restoreResponses();
  };
}

/** @returns what takes it off again */
function shorten(manager: Manager, shortOf: (round: Manager['forEach']) => Manager['forEach']): () => void {
  const { forEach } = manager;
  const own = Object.hasOwn(manager, 'forEach');
  const short = shortOf(forEach.bind(manager));
  // Not seen by who prints or compares an instance.
  Object.defineProperty(manager, 'forEach', { value: short, writable: true, configurable: true });
  return () => {
    // Somebody wrapped ours in the meantime: it stays, and lets pass.
    if (manager.forEach !== short) return;
    if (own) manager.forEach = forEach;
    else Reflect.deleteProperty(manager, 'forEach');
  };
}
