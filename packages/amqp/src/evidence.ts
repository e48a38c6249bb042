import {
  type Evidence,
  type EvidenceFields,
  evidence,
  isEvidence,
  readAmqpError,
  readSystemError,
} from '@faultmap/core/adapter';
import { addressOf, asLink, type ErrorRecord, has, type RheaConnection, type RheaLink } from './rhea.ts';

/** One event of rhea, and what was handed over with it. */
export interface AmqpSighting {
  /** rhea's name of the event, for instance `sender_error`. */
  readonly event: string;
  /** The context, or for `protocol_error` and `error` the bare error. */
  readonly payload?: unknown;
  /** What this side found out by itself: the peer was silent, or did not open in time. */
  readonly expired?: 'idle' | 'connect' | undefined;
}

type Where = Pick<EvidenceFields, 'scope' | 'direction' | 'address'>;

/**
 * What rhea gave → evidence. Understands a sighting (event and payload), rhea's own error objects,
 * a context, a settled delivery, and a bare error record. Pure, and never throws: what it does not
 * know is `undefined`.
 */
export function readAmqp(input: unknown): Evidence | undefined {
  try {
    return read(input);
  } catch {
    return undefined; // a hostile getter or proxy
  }
}

function read(input: unknown): Evidence | undefined {
  if (isEvidence(input)) return input;
  if (!has(input)) return undefined;
  if (typeof input.event === 'string') return readSighting(input as unknown as AmqpSighting);
  if (has(input.link) && 'remote_state' in input) return readOutcome(input);
  if (has(input.connection, 'dispatch') && !(input instanceof Error)) return readContext(input);
  return readError(input);
}

function readSighting({ event, payload, expired }: AmqpSighting): Evidence | undefined {
  switch (event) {
    case 'connection_error':
    case 'connection_close':
      return readClose(payload);
    case 'disconnected':
      return readLoss(payload, expired);
    case 'protocol_error':
    case 'error':
      return readError(payload) ?? violation(payload);
    case 'session_error':
    case 'session_close':
      return readEnd(get(payload, 'session'), { scope: 'session' });
    case 'sender_error':
    case 'sender_close':
      return readDetach(get(payload, 'sender'));
    case 'receiver_error':
    case 'receiver_close':
      return readDetach(get(payload, 'receiver'));
    case 'rejected':
    case 'released':
    case 'modified':
    case 'settled':
      return readOutcome(get(payload, 'delivery'));
    default:
      return undefined;
  }
}

/** The telling part of a context, most precise first. */
function readContext(context: Record<string, unknown>): Evidence | undefined {
  if (has(context.delivery)) return readOutcome(context.delivery);
  for (const link of [context.sender, context.receiver]) if (has(link) && link.error) return readDetach(link);
  if (has(context.session) && context.session.error) return readEnd(context.session, { scope: 'session' });
  return readClose(context) ?? undefined;
}

/** The peer closed the connection, or SASL failed. The context's error lacks `info`; the frame has it. */
function readClose(payload: unknown): Evidence | undefined {
  const connection = get(payload, 'connection') as RheaConnection | undefined;
  const error = get(payload, 'error') ?? connection?.transport_error;
  const record = connection?.remote?.close?.error ?? error;
  if (!has(record)) return seen({ scope: 'connection', silentClose: true });
  return withCause(record as ErrorRecord, { scope: 'connection' }, error);
}

/** The socket is gone: with an error of the system or of the protocol, or without a word. */
function readLoss(payload: unknown, expired: AmqpSighting['expired']): Evidence | undefined {
  if (expired === 'connect') return seen({ scope: 'connection', timedOut: 'connect', local: true, executed: 'no' });
  // rhea tells the peer `amqp:resource-limit-exceeded`, which from a peer would be a quota.
  if (expired === 'idle') return seen({ scope: 'connection', timedOut: 'keepalive', local: true });
  const error = get(payload, 'error');
  if (error === undefined || error === null) return seen({ scope: 'connection', silentClose: true });
  const system = readSystemError(error);
  if (system) return evidence({ ...system, transport: 'amqp', scope: 'connection', cause: error });
  return readError(error) ?? violation(error);
}

function readEnd(session: unknown, where: Where): Evidence | undefined {
  const record = get(session, 'error');
  if (has(record)) return withCause(record, where);
  return seen({ ...where, silentClose: true, text: `the ${where.scope} was closed without an error` });
}

function readDetach(value: unknown): Evidence | undefined {
  const link = asLink(value);
  return link && readEnd(link, placeOf(link, 'link'));
}

function readOutcome(delivery: unknown): Evidence | undefined {
  const state = get(delivery, 'remote_state');
  const link = asLink(get(delivery, 'link'));
  const where = link ? placeOf(link, 'delivery') : ({ scope: 'delivery' } as const);
  const outcome = get(get(state, 'constructor'), 'composite_type');
  if (outcome === 'accepted') return undefined;
  if (outcome !== 'rejected' && outcome !== 'released' && outcome !== 'modified')
    return seen({ ...where, executed: 'unknown', text: 'settled without an outcome' });
  const record: ErrorRecord = (get(state, 'error') as ErrorRecord | undefined) ?? {};
  const failed = get(state, 'delivery_failed') === true;
  return withCause(record, where, undefined, { outcome, ...(failed ? { deliveryFailed: true } : {}) });
}

/** rhea's error classes: a condition, and a hidden property for the end it belongs to. */
function readError(error: unknown): Evidence | undefined {
  if (!has(error)) return undefined;
  const link = asLink(error.link);
  if (link) return withCause(link.error ?? error, placeOf(link, 'link'), error);
  if (has(error.session)) return withCause((error.session.error as ErrorRecord) ?? error, { scope: 'session' }, error);
  if (has(error.connection)) return readClose({ connection: error.connection, error });
  if (error.name === 'ProtocolError') return violation(error);
  return typeof error.condition === 'string' ? withCause(error, {}, error) : undefined;
}

function violation(error: unknown): Evidence {
  const text = get(error, 'message');
  return seen({ scope: 'connection', violation: true, cause: error, ...(typeof text === 'string' ? { text } : {}) });
}

function withCause(
  { condition, description, info }: ErrorRecord,
  where: Where,
  cause?: unknown,
  more: Pick<EvidenceFields, 'outcome' | 'deliveryFailed'> = {},
): Evidence | undefined {
  const found = readAmqpError({ condition, description, info, ...where, ...more });
  if (!found) return seen({ ...where, ...more, silentClose: true });
  // A copy: the next attach of the link overwrites the record.
  const record = condition === undefined ? undefined : { condition, description, info };
  const idle = where.scope === 'connection' && isIdleText(condition, description);
  return evidence({ ...found, ...(idle ? { timedOut: 'keepalive', local: true } : {}), cause: cause ?? record });
}

/**
 * The peer closes an idle connection with the condition of a quota: qpid-proton says
 * `local-idle-timeout expired`, rhea `max idle time exceeded`.
 */
function isIdleText(condition: unknown, description: unknown): boolean {
  return (
    condition === 'amqp:resource-limit-exceeded' && typeof description === 'string' && /\bidle\b/i.test(description)
  );
}

function placeOf(link: RheaLink, scope: 'link' | 'delivery'): Where {
  const address = addressOf(link);
  const direction = link.is_sender() ? 'send' : 'receive';
  return address === undefined ? { scope, direction } : { scope, direction, address };
}

function seen(fields: EvidenceFields): Evidence {
  return evidence({ transport: 'amqp', ...fields });
}

function get(value: unknown, key: string): unknown {
  return has(value) || typeof value === 'function' ? (value as Record<string, unknown>)[key] : undefined;
}
