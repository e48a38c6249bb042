import type { Disposition, Ring } from './rhea.ts';

/**
 * The part of a disposition that is about deliveries of the ring; `undefined`: there is none. rhea looks up
 * every id of the range that the peer names, ten seconds long for all there can be, and finds deliveries by
 * their distance from the oldest, so that an id from before it may be the place of a new one.
 */
export function within(fields: Disposition, ring: Ring | undefined): Disposition | undefined {
  if (typeof ring?.get_head !== 'function' || typeof ring.get_tail !== 'function') return fields;
  const { settled, state } = fields;
  const first = Math.max(fields.first, ring.get_head()?.id ?? Infinity);
  const last = Math.min(fields.last || fields.first, ring.get_tail()?.id ?? -Infinity);
  return first <= last ? { first, last, settled, state } : undefined;
}
