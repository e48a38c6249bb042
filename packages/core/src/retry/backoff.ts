/** Uniform in [0, 1). */
export type Random = () => number;

/** Full jitter: uniform(0, min(max, base · 2ⁿ)), n from 0. Large n does not overflow. */
export function fullJitter(baseMs: number, maxMs: number, n: number, random: Random): number {
  return random() * Math.min(maxMs, baseMs * 2 ** Math.min(n, 1_000));
}

/** Most of what is laid on top of a wait that the cloud asked for. */
const MAX_HINT_JITTER_MS = 5_000;

/**
 * A wait the cloud asked for, never earlier, with jitter on top: a hint that is the same for
 * everybody would otherwise bring everybody back at once.
 *
 * @param roomMs - what is left until the deadline; more than `hintMs`
 */
export function afterHint(hintMs: number, roomMs: number, random: Random): number {
  const spread = Math.min(hintMs / 2, MAX_HINT_JITTER_MS, (roomMs - hintMs) / 2);
  return hintMs + random() * spread;
}
