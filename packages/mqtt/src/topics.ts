/** Of what a program gives to `subscribe`: a topic, several, or a map of them. */
export function topicsOf(given: unknown): string[] {
  if (typeof given === 'string') return [given];
  if (Array.isArray(given)) return given.filter((topic) => typeof topic === 'string');
  return typeof given === 'object' && given !== null ? Object.keys(given).filter((one) => one !== RESUBSCRIBE) : [];
}

/** mqtt.js' mark in such a map: subscribe also to what it is subscribed to already. */
const RESUBSCRIBE = 'resubscribe';

/** Can a message be published to it? */
export function isTopic(given: unknown): given is string {
  return typeof given === 'string' && given !== '' && !/[+#]/.test(given);
}

/** The same without some of it; `undefined`: nothing is left. */
export function without(given: unknown, isOut: (topic: string) => boolean): unknown {
  const left = topicsOf(given).filter((topic) => !isOut(topic));
  if (left.length === 0) return undefined;
  if (typeof given !== 'object' || given === null) return given;
  if (Array.isArray(given)) return left;
  const kept = RESUBSCRIBE in given ? [...left, RESUBSCRIBE] : left;
  return Object.fromEntries(kept.map((topic) => [topic, (given as Record<string, unknown>)[topic]]));
}

/** mqtt.js subscribes again to what it remembers, after a reconnect: nobody waits for that. */
export function isSubscribingAgain(args: readonly unknown[]): args is [object, ...unknown[]] {
  const [given] = args;
  if (typeof given !== 'object' || given === null || !(RESUBSCRIBE in given)) return false;
  return given.resubscribe === true && !args.some((arg) => typeof arg === 'function');
}
