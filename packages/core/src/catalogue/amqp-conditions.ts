import type { ConditionCase, ConditionRow, Judgement } from './types.ts';

/*
 * What an AMQP 1.0 error condition means, by where it arises. The row holds where nothing but the
 * condition is known; its cases are tried in order, so the telling ones (a text, a place) come first.
 *
 * A code is given only where the condition can mean nothing else there. IoT Hub puts no number in
 * its conditions, and `amqp:not-found` alone may be four different rows: those are `candidates`.
 */

const takeOver = { category: 'conflict', advice: 'never', executed: 'unknown' } as const;
const conflict = { category: 'conflict', advice: 'never', executed: 'unknown' } as const;
const credentials = { category: 'unauthorized', advice: 'renew-credentials', executed: 'no' } as const;
const forbidden = { category: 'unauthorized', advice: 'never', executed: 'no' } as const;
const badRequest = { category: 'bad-request', advice: 'never', executed: 'no' } as const;
const notFound = { category: 'not-found', advice: 'never', executed: 'no' } as const;
const precondition = { category: 'precondition', advice: 'never', executed: 'no' } as const;
/** The message was handled and is delivered again. */
const lockLost = { category: 'precondition', advice: 'never', executed: 'yes' } as const;
const quota = { category: 'quota', advice: 'never', executed: 'no' } as const;
const dailyQuota = { category: 'quota', advice: 'at-reset', executed: 'no' } as const;
const throttled = { category: 'throttled', advice: 'throttled', executed: 'no' } as const;
/** Conditions that say nothing are throttling where the hub's text says so: `The request has been throttled. …` */
const slowed = { ...throttled, candidates: [429001, 429002, 429003], text: 'throttled' } as const;
const server = { category: 'server', advice: 'backoff', executed: 'unknown' } as const;
/** Overload: the wait of throttling, since an early attempt is refused as well. */
const busy = { category: 'server', advice: 'throttled', executed: 'unknown' } as const;
const timeout = { category: 'timeout', advice: 'backoff', executed: 'unknown' } as const;
const violation = { category: 'protocol', advice: 'never', executed: 'unknown' } as const;
/** A mix-up of both ends' state: one fresh link, session or connection mends it. */
const mixUp = { category: 'protocol', advice: 'backoff', executed: 'unknown' } as const;
/** Follow the address in the info map; a redirect that names none is no use to anybody. */
const redirect = {
  category: 'protocol',
  advice: 'never',
  executed: 'no',
  cases: [{ category: 'not-found', moved: true }],
} as const;

interface Entry extends Omit<Judgement, 'reason'> {
  readonly reason?: string;
  readonly aliases?: readonly string[];
  readonly vague?: true;
  readonly cases?: readonly ConditionCase[];
}

const conditions = {
  // amqp-error [AMQP 1.0 part 2, 2.8.15]
  'amqp:internal-error': {
    ...server,
    vague: true,
    candidates: [500001, 500008],
    // A newer connection of the same device: reconnecting would start an endless duel.
    cases: [{ ...takeOver, code: 400027, text: 'another amqp client' }, slowed],
  },
  'amqp:not-found': {
    ...notFound,
    candidates: [404001, 404006, 404010],
    cases: [
      // On a disposition: the lock ran out, the delivery is not known any more.
      { ...lockLost, code: 412002, scopes: ['settlement'] },
      { candidates: [404006], text: 'link address' },
      { candidates: [404001, 404010], text: 'not registered' },
      { candidates: [404001, 404010], scopes: ['cbs', 'connection', 'delivery'] },
    ],
  },
  'amqp:unauthorized-access': { ...credentials, candidates: [401002, 401003] },
  'amqp:decode-error': { ...badRequest, candidates: [400004, 400012] },
  'amqp:resource-limit-exceeded': {
    ...quota,
    candidates: [403002, 403004],
    cases: [
      // This side closed an idle connection and told the peer so: no quota.
      { ...timeout, candidates: [], local: true },
      { ...timeout, candidates: [], text: 'max idle time exceeded' },
      // One condition, two meanings: the device's daily quota, the service's full queue.
      { ...dailyQuota, code: 403002, side: 'device' },
      { ...quota, code: 403004, side: 'service' },
      // The hub's own words tell which, where the place does not.
      { ...dailyQuota, candidates: [403002], text: 'exceeded the allocated quota' },
      { ...quota, candidates: [403004], text: 'queue' },
    ],
  },
  'amqp:not-allowed': {
    ...badRequest,
    // A throttled device-to-cloud send was seen under it, with `status: 429` in the text.
    vague: true,
    candidates: [400003],
    cases: [{ candidates: [403010], text: 'not available for basic tier' }, slowed],
  },
  'amqp:invalid-field': { ...badRequest, candidates: [400003, 400004] },
  'amqp:not-implemented': { ...badRequest, candidates: [404013] },
  'amqp:resource-locked': { category: 'conflict', advice: 'backoff', executed: 'no', candidates: [409102] },
  'amqp:precondition-failed': { ...precondition, candidates: [412001] },
  'amqp:resource-deleted': { ...notFound, candidates: [404001] },
  'amqp:illegal-state': violation,
  'amqp:frame-size-too-small': violation,

  // connection-error [2.8.16]
  'amqp:connection:forced': {
    ...server,
    vague: true,
    candidates: [404104, 400029],
    cases: [{ ...timeout, candidates: [], text: 'inactive for more than' }],
  },
  'amqp:connection:framing-error': mixUp,
  'amqp:connection:redirect': redirect,

  // session-error [2.8.17]
  'amqp:session:window-violation': mixUp,
  'amqp:session:errant-link': { ...mixUp, aliases: ['amqp:session-errant-link'] },
  'amqp:session:handle-in-use': mixUp,
  'amqp:session:unattached-handle': mixUp,

  // link-error [2.8.18]
  'amqp:link:detach-forced': {
    ...server,
    vague: true,
    candidates: [503001, 503005],
    cases: [
      slowed,
      { ...busy, text: 'server busy' },
      // The token of the link ran out: a fresh one, and the link can be attached again.
      { ...credentials, executed: 'unknown', candidates: [401002], text: 'unauthorized access' },
      // An idle link is closed for good order: attach again when there is something to send.
      { ...timeout, advice: 'now', candidates: [], text: 'idletimerexpired' },
      { ...timeout, advice: 'now', candidates: [], text: 'idle timeout' },
    ],
  },
  'amqp:link:transfer-limit-exceeded': mixUp,
  'amqp:link:message-size-exceeded': { ...badRequest, candidates: [413001] },
  'amqp:link:redirect': redirect,
  // On a device's link it is the code's own condition; elsewhere (a reader of an event stream) a sibling of it.
  'amqp:link:stolen': { ...takeOver, candidates: [409002], cases: [{ code: 409002, side: 'device' }] },

  // transaction-error [part 4, 4.5.8]
  'amqp:transaction:unknown-id': badRequest,
  'amqp:transaction:rollback': { category: 'conflict', advice: 'backoff', executed: 'no' },
  'amqp:transaction:timeout': { category: 'timeout', advice: 'backoff', executed: 'no' },

  // IoT Hub
  'com.microsoft:timeout': { ...timeout, candidates: [400024, 500008] },
  'com.microsoft:message-lock-lost': { ...lockLost, code: 412002 },
  'com.microsoft:iot-hub-not-found-error': { ...notFound, code: 401001 },
  'com.microsoft:iot-hub-suspended': { ...forbidden, code: 403001 },
  'com.microsoft:argument-error': { ...badRequest, candidates: [400004, 400005] },
  'com.microsoft:argument-out-of-range': { ...badRequest, candidates: [400004] },
  'com.microsoft:device-already-exists': { ...conflict, code: 409001 },
  'com.microsoft:device-container-throttled': { ...throttled, code: 429001 },
  'com.microsoft:quota-exceeded': { ...dailyQuota, code: 403002 },
  'com.microsoft:precondition-failed': { ...precondition, code: 412001 },
  'com.microsoft:link-creation-conflict': { ...takeOver, code: 409002 },
  'com.microsoft:connection-closed-on-new-connection': { ...takeOver, candidates: [400027] },
  'com.microsoft:dead-letter': badRequest,

  // Event Hubs and Service Bus; the hub's built-in endpoint speaks so
  'com.microsoft:server-busy': { ...busy, candidates: [503005] },
  // Documented nowhere: known from Azure's clients for Python, for Event Hubs and Service Bus, which repeat
  // after it in 4 s, as after `server-busy`. By its name a node of the service lets go of what it holds.
  'com.microsoft:container-close': server,
  'com.microsoft:operation-cancelled': {
    category: 'cancelled',
    advice: 'backoff',
    executed: 'unknown',
    candidates: [400021],
  },
  'com.microsoft:auth-failed': { ...credentials, candidates: [401002] },
  'com.microsoft:entity-disabled': forbidden,
  'com.microsoft:entity-already-exists': conflict,
  'com.microsoft:publisher-revoked': forbidden,
  'com.microsoft:partition-not-owned': conflict,
  'com.microsoft:store-lock-lost': conflict,
  'com.microsoft:session-lock-lost': lockLost,
  'com.microsoft:session-cannot-be-locked': { category: 'conflict', advice: 'backoff', executed: 'no' },
  'com.microsoft:message-not-found': notFound,
  // An empty receive rather than a failure.
  'com.microsoft:message-wait-timeout': { category: 'timeout', advice: 'now', executed: 'no' },
  'com.microsoft:no-matching-subscription': notFound,
  'com.microsoft:address-already-in-use': conflict,
  'com.microsoft:relay-not-found': notFound,

  // raised by the JavaScript clients themselves, never on the wire
  'client.sender:not-enough-link-credit': { category: 'throttled', advice: 'backoff', executed: 'no' },
  'client.sender:link-not-ready': { category: 'network', advice: 'backoff', executed: 'no' },
  'system:error': { category: 'network', advice: 'backoff', executed: 'unknown' },
} as const satisfies Record<string, Entry>;

/** A condition of the table. */
export type KnownCondition = keyof typeof conditions;

/** One row a condition; `reason` is the condition itself. */
export const amqpConditionRows: readonly ConditionRow[] = Object.entries<Entry>(conditions).map(
  ([condition, entry]) => ({ condition, reason: condition, ...entry }),
);

/** Outcomes of a delivery that carry no condition [part 3, 3.4]; `reason` is the outcome. */
export const amqpOutcomes = {
  rejected: { category: 'bad-request', reason: 'rejected', advice: 'never', executed: 'no' },
  // Not processed, by the specification: safe to send again.
  released: { category: 'server', reason: 'released', advice: 'backoff', executed: 'no' },
  modified: { category: 'server', reason: 'modified', advice: 'backoff', executed: 'no' },
  // `delivery-failed`: an attempt was made and counted.
  'modified:delivery-failed': { category: 'server', reason: 'modified', advice: 'backoff', executed: 'unknown' },
} as const satisfies Record<string, Judgement>;
