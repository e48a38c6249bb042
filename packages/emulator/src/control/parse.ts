import type { FaultMatch, FaultSpec } from '../faults/types.ts';
import { isJsonObject, type Json } from '../state/json.ts';

/**
 * A fault as JSON can say it: `times: "always"` for Infinity, and `{ "regex": "…", "flags": "i" }`
 * where a text is matched. Everything else is as in `inject`.
 *
 * @throws TypeError for what is not such a fault
 */
export function parseFaultSpec(value: unknown): FaultSpec {
  if (!isJsonObject(value)) throw new TypeError('inject: expected an object');
  const { match, times, ...rest } = value;
  const spec: Record<string, unknown> = { ...rest };
  if (times !== undefined) spec.times = times === 'always' ? Number.POSITIVE_INFINITY : times;
  if (match !== undefined) spec.match = parseMatch(match);
  // `inject` checks every field itself, those that JSON got wrong too.
  return spec as FaultSpec;
}

function parseMatch(match: Json): FaultMatch {
  if (!isJsonObject(match)) throw new TypeError('inject: match: expected an object');
  const parsed = Object.entries(match).map(([name, value]) => {
    if (!isJsonObject(value)) return [name, value];
    if (typeof value.regex !== 'string') throw new TypeError(`inject: match.${name}: expected a text or { regex }`);
    return [name, new RegExp(value.regex, typeof value.flags === 'string' ? value.flags : '')];
  });
  return Object.fromEntries(parsed) as FaultMatch;
}

/** A fault as it is listed: the reverse of {@link parseFaultSpec}. */
export function faultSpecToJson(spec: FaultSpec): object {
  return JSON.parse(
    JSON.stringify(spec, (_name, value) => {
      if (value instanceof RegExp) return { regex: value.source, ...(value.flags ? { flags: value.flags } : {}) };
      if (value === Number.POSITIVE_INFINITY) return 'always';
      return typeof value === 'function' ? '(a function)' : value;
    }),
  );
}
