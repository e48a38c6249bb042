import { isDeepStrictEqual } from 'node:util';
import { optionError } from '@faultmap/core/adapter';
import { has, type RheaDelivery } from './rhea.ts';

/** How a received message is settled. */
export type SettleOutcome =
  | 'accepted'
  | 'released'
  | 'rejected'
  | 'modified'
  | { readonly rejected: { readonly condition?: string; readonly description?: string; readonly info?: object } }
  | {
      readonly modified: {
        readonly delivery_failed?: boolean;
        readonly undeliverable_here?: boolean;
        readonly message_annotations?: object;
      };
    };

const EXPECTED = "'accepted', 'released', 'rejected', 'modified', { rejected } or { modified }";

/** Settle with an outcome, by rhea's own methods. @throws TypeError for what is no outcome */
export function apply(delivery: RheaDelivery, outcome: SettleOutcome): void {
  if (outcome === 'accepted') delivery.accept?.();
  else if (outcome === 'released') delivery.release?.();
  else if (outcome === 'rejected') delivery.reject?.();
  else if (outcome === 'modified') delivery.modified?.({});
  else if (has(outcome) && 'rejected' in outcome) delivery.reject?.(outcome.rejected as object);
  else if (has(outcome) && 'modified' in outcome) delivery.modified?.(outcome.modified as object);
  else throw optionError('settle', 'outcome', EXPECTED, outcome);
}

/** The state that an outcome is on the wire, as rhea would write it. @throws TypeError for what is no outcome */
export function stateFor(delivery: RheaDelivery, outcome: SettleOutcome): unknown {
  let state: unknown;
  // rhea's methods make the state and hand it to `update`: here, to ours.
  const probe = Object.create(delivery, { update: { value: (_settled: unknown, made: unknown) => (state = made) } });
  apply(probe, outcome);
  return state;
}

/** The same outcome with the same content? */
export function isSame(state: unknown, other: unknown): boolean {
  return isDeepStrictEqual(state, other);
}

/** By code, and by the name some peers use. */
const KINDS: Readonly<Record<string, string>> = {
  '36': 'accepted',
  '37': 'rejected',
  '38': 'released',
  '39': 'modified',
  'amqp:accepted:list': 'accepted',
  'amqp:rejected:list': 'rejected',
  'amqp:released:list': 'released',
  'amqp:modified:list': 'modified',
};

/**
 * `accepted`, `rejected`, `released` or `modified`; anything else is no outcome. rhea leaves the
 * states of dispositions as described values: a descriptor, and a list.
 */
export function kindOf(state: unknown): string | undefined {
  const descriptor = has(state) ? state.descriptor : undefined;
  const value = has(descriptor) ? descriptor.value : undefined;
  return KINDS[String(value)];
}

/** The error record in a `rejected`. */
export function recordIn(state: unknown): { condition: string; description: unknown; info: unknown } | undefined {
  if (kindOf(state) !== 'rejected') return undefined;
  const error = fieldOf(state, 0);
  const condition = plain(fieldOf(error, 0));
  if (typeof condition !== 'string') return undefined;
  return { condition, description: plain(fieldOf(error, 1)), info: plain(fieldOf(error, 2)) };
}

/** For messages: `accepted`, `rejected (app:bad)`. */
export function described(state: unknown): string {
  const kind = kindOf(state) ?? 'without an outcome';
  const condition = recordIn(state)?.condition;
  return condition === undefined ? kind : `${kind} (${condition})`;
}

function fieldOf(value: unknown, index: number): unknown {
  const list = has(value) ? value.value : undefined;
  return Array.isArray(list) ? list[index] : undefined;
}

function plain(value: unknown): unknown {
  return has(value) && 'value' in value ? value.value : value;
}
