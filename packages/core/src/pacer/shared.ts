import { type Clock, systemClock } from '../clock.ts';
import { createPacer } from './create-pacer.ts';
import type { Pacer } from './types.ts';

/** By clock, so that time of a test never mixes with real time. */
const shared = new WeakMap<Clock, Pacer>();

/** The pacer of everything in this process that lives on that clock: what `pacerKey` alone means. */
export function pacerFor(clock: Clock = systemClock): Pacer {
  const there = shared.get(clock);
  if (there) return there;
  const made = createPacer({ clock });
  shared.set(clock, made);
  return made;
}

const byTarget = new Map<string, Pacer>();

/**
 * The pacer that everything in this process shares: for one target, or for all that name none.
 *
 * @param target - for instance the host; keys of different targets never meet
 */
export function defaultPacer(target?: string): Pacer {
  if (target === undefined) return pacerFor();
  const there = byTarget.get(target);
  if (there) return there;
  const made = createPacer();
  byTarget.set(target, made);
  return made;
}
