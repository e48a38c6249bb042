/**
 * The closed set of categories. Adding one is a major version: programs switch over it
 * exhaustively.
 */
export const CATEGORIES = [
  'bad-request',
  'unauthorized',
  'quota',
  'not-found',
  'offline',
  'conflict',
  'precondition',
  'throttled',
  'server',
  'timeout',
  'network',
  'protocol',
  'cancelled',
  'unknown',
] as const;

/** What kind of fault it is, and so what a program can do about it. */
export type Category = (typeof CATEGORIES)[number];

/**
 * What to do about a fault.
 *
 * - `now`: repeat at once, the condition has passed
 * - `backoff`: repeat after exponential backoff with jitter
 * - `throttled`: repeat after the longer backoff of throttling, or the wait the cloud asked for
 * - `at-reset`: only after a quota resets (`resetAt`)
 * - `renew-credentials`: once, with fresh credentials
 * - `never`: the same operation will fail again
 */
export type Advice = 'now' | 'backoff' | 'throttled' | 'at-reset' | 'renew-credentials' | 'never';

/** May the operation have taken effect? */
export type Executed = 'no' | 'unknown' | 'yes';

/** The wire protocol a fault was seen on. */
export type Transport = 'http' | 'mqtt' | 'amqp';

/** Whom a code concerns: the whole hub, one device, one module of a device. */
export type AppliesTo = 'hub' | 'device' | 'module';

/** Where on the wire a fault arose. */
export type FaultScope =
  | 'connection'
  | 'session'
  | 'link'
  | 'delivery'
  | 'settlement'
  | 'cbs'
  | 'management'
  | 'request'
  | 'publish'
  | 'subscription';

const TRANSIENT: ReadonlySet<Advice> = new Set(['now', 'backoff', 'throttled']);

/** Does the default policy repeat the unchanged operation, where that is safe? */
export function isTransient(advice: Advice): boolean {
  return TRANSIENT.has(advice);
}

const STRENGTH: Record<Executed, number> = { no: 0, unknown: 1, yes: 2 };

/** The stronger of two statements about execution: yes > unknown > no. */
export function strongerExecuted(a: Executed, b: Executed): Executed {
  return STRENGTH[a] >= STRENGTH[b] ? a : b;
}
