import type { FaultSpec, UncleanKind } from './types.ts';

const UNCLEAN: Record<UncleanKind, true> = {
  'reset-before': true,
  'reset-during': true,
  'reset-after': true,
  close: true,
  'half-open': true,
  'lost-ack': true,
  truncated: true,
  'not-json': true,
  slow: true,
  garbage: true,
  duplicate: true,
};

const FIELDS: Record<keyof FaultSpec, true> = {
  transport: true,
  match: true,
  fault: true,
  times: true,
  after: true,
  delayMs: true,
  retryAfterS: true,
  executes: true,
};

const FORMS = ['code', 'status', 'condition', 'outcome', 'answerStatus', 'reasonCode', 'unclean', 'clockSkewMs'];

/** @throws TypeError that names the field, what was expected and what was given */
export function validateSpec(spec: FaultSpec): void {
  if (typeof spec !== 'object' || spec === null) fail('fault', 'an object', spec);
  for (const name of Object.keys(spec)) {
    if (!Object.hasOwn(FIELDS, name)) fail(name, `one of ${Object.keys(FIELDS).join(', ')}`, name);
  }
  if (spec.transport !== undefined && !['http', 'mqtt', 'amqp'].includes(spec.transport)) {
    fail('transport', "'http', 'mqtt' or 'amqp'", spec.transport);
  }
  if (spec.match !== undefined && typeof spec.match !== 'function' && (typeof spec.match !== 'object' || !spec.match)) {
    fail('match', 'an object or a function', spec.match);
  }
  number(spec.times, 'times', 1);
  number(spec.after, 'after', 0);
  number(spec.delayMs, 'delayMs', 0);
  number(spec.retryAfterS, 'retryAfterS', 0);
  validateForm(spec);
}

function validateForm({ fault, delayMs }: FaultSpec): void {
  if (fault === undefined) {
    if (!delayMs) fail('fault', 'a fault, or delayMs alone', fault);
    return;
  }
  if (typeof fault === 'number') {
    number(fault, 'fault', 1);
    return;
  }
  const unclean = typeof fault === 'string' ? fault : (fault as { unclean?: unknown } | null)?.unclean;
  if (unclean !== undefined) {
    if (!Object.hasOwn(UNCLEAN, String(unclean))) fail('fault', `one of ${Object.keys(UNCLEAN).join(', ')}`, unclean);
    return;
  }
  if (typeof fault !== 'object' || fault === null || !FORMS.some((name) => name in fault)) {
    fail('fault', `a code, a text, or an object with one of ${FORMS.join(', ')}`, fault);
  }
}

function number(value: unknown, name: string, least: number): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || Number.isNaN(value) || value < least) fail(name, `a number from ${least}`, value);
}

function fail(name: string, expected: string, received: unknown): never {
  const shown = typeof received === 'object' ? JSON.stringify(received) : String(received);
  throw new TypeError(`inject: ${name}: expected ${expected}, received ${shown}`);
}
