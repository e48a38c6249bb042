import { randomBytes } from 'node:crypto';
import type {
  AmqpFault,
  AnswerFault,
  FaultForm,
  FaultRequest,
  OutcomeFault,
  ScriptedFault,
  UncleanKind,
} from '../faults/types.ts';
import { type WireError, wireErrorOf, wireErrorOfCode, wireErrorOfCondition } from './errors.ts';
import type { Link } from './link.ts';
import type { Peer } from './peer.ts';

/**
 * One thing a client asks for: what it is, how it runs, and how its end is told. Faults by
 * behaviour and by script both come out through `refuse`, so each operation says once how its
 * errors look.
 */
export interface Exchange<T> {
  readonly operation: string;
  readonly deviceId?: string | undefined;
  readonly moduleId?: string | undefined;
  readonly messageId?: string | undefined;
  /** Absent for the connection itself. */
  readonly link?: Link | undefined;
  /** Do it. What it throws goes to `refuse`. `clockSkewMs`: the cloud's clock is off by that for this one. */
  readonly run: (context: { clockSkewMs: number }) => T | Promise<T>;
  readonly succeed: (result: T) => void;
  readonly refuse: (error: WireError) => void;
  /** For deliveries: settle with a bare outcome. */
  readonly outcome?: ((outcome: OutcomeFault) => void) | undefined;
  /** A result that is no success for the log, for operations that answer a refusal of their own. */
  readonly outcomeOf?: ((result: T) => { name: string; status: number } | undefined) | undefined;
  /** Say once more what was said: send it again, or settle a second time. */
  readonly again?: (() => void) | undefined;
  /** For answers with a status. */
  readonly answer?: ((answer: AnswerFault) => void) | undefined;
}

/** Serve one exchange, with the scripted fault whose turn it is. Never rejects. */
export async function serve<T>(peer: Peer, exchange: Exchange<T>): Promise<void> {
  try {
    await serveOne(peer, exchange);
  } catch {
    // A mistake of ours ends one connection, as one of the cloud's would.
    peer.close({ condition: 'amqp:internal-error', description: 'The server was unable to process the request.' });
  }
}

async function serveOne<T>(peer: Peer, exchange: Exchange<T>): Promise<void> {
  const fault = peer.faults.next(requestOf(exchange));
  if (fault && fault.delayMs > 0) {
    await new Promise<void>((resolve) => peer.cloud.clock.after(fault.delayMs, resolve));
    if (peer.isClosed) return;
  }
  if (!fault?.form) return void (await runAndTell(peer, exchange, fault));
  if ('unclean' in fault.form) return strikeUnclean(peer, exchange, fault, fault.form.unclean);
  if ('clockSkewMs' in fault.form) return void (await runAndTell(peer, exchange, fault, fault.form.clockSkewMs));
  if (fault.executes) await runQuietly(exchange);
  if (peer.isClosed) return;
  await strike(peer, exchange, fault, fault.form);
}

function requestOf<T>(exchange: Exchange<T>): FaultRequest {
  const { operation, deviceId, moduleId, messageId, link } = exchange;
  return { transport: 'amqp', operation, deviceId, moduleId, messageId, path: link?.address };
}

/** The ordinary way: run, then tell how it went. Returns how a success is told once more. */
async function runAndTell<T>(
  peer: Peer,
  exchange: Exchange<T>,
  fault?: ScriptedFault,
  clockSkewMs = 0,
): Promise<(() => void) | undefined> {
  const scripted = fault?.form !== undefined;
  let succeed: (() => void) | undefined;
  let again: (() => void) | undefined;
  try {
    const running = exchange.run({ clockSkewMs });
    const result = running instanceof Promise ? await running : running;
    succeed = () => tellSuccess(peer, exchange, result, scripted);
    again = exchange.again ?? (exchange.answer && (() => exchange.succeed(result)));
  } catch (thrown) {
    const error = wireErrorOf(thrown, exchange.operation, peer.cloud.clock.now());
    record(peer, exchange, error.name, error.status, scripted);
    if (!peer.isClosed) exchange.refuse(error);
  }
  succeed?.();
  return again;
}

function tellSuccess<T>(peer: Peer, exchange: Exchange<T>, result: T, scripted: boolean): void {
  const refused = exchange.outcomeOf?.(result);
  record(peer, exchange, refused?.name ?? 'ok', refused?.status ?? 200, scripted);
  if (!peer.isClosed) exchange.succeed(result);
}

/** Run, and let the scripted fault be told whatever comes of it. */
async function runQuietly<T>(exchange: Exchange<T>): Promise<void> {
  try {
    await exchange.run({ clockSkewMs: 0 });
  } catch {
    // it would have failed
  }
}

/** A fault that says what it is. */
async function strike<T>(peer: Peer, exchange: Exchange<T>, fault: ScriptedFault, form: FaultForm): Promise<void> {
  const now = peer.cloud.clock.now();
  if ('outcome' in form && exchange.outcome) {
    record(peer, exchange, form.outcome, undefined, true);
    exchange.outcome(form);
    return;
  }
  if ('answerStatus' in form && exchange.answer) {
    record(peer, exchange, `answer ${form.answerStatus}`, form.answerStatus, true);
    exchange.answer(form);
    return;
  }
  const error =
    'code' in form
      ? wireErrorOfCode(form, fault.retryAfterS, now)
      : 'condition' in form
        ? wireErrorOfCondition(form, fault.retryAfterS, now)
        : undefined;
  // A form of another transport cannot be written here: the operation runs as if nothing was scripted.
  if (!error) return void (await runAndTell(peer, exchange, fault));
  record(peer, exchange, error.name, error.status, true);
  const at = 'condition' in form ? atOfCondition(exchange, form) : atOfCode(exchange, error);
  endAt(peer, exchange, error, at);
}

/** A condition hits the delivery, else the link: an answer has no place for one. */
function atOfCondition<T>(exchange: Exchange<T>, form: AmqpFault): AmqpFault['at'] {
  return form.at ?? (exchange.answer ? 'link' : undefined);
}

/** A code goes where the cloud shows it, when the operation cannot show it itself. */
function atOfCode<T>(exchange: Exchange<T>, error: WireError): WireError['scope'] | undefined {
  return error.scope === 'connection' && !exchange.answer ? 'connection' : undefined;
}

function endAt<T>(peer: Peer, exchange: Exchange<T>, error: WireError, at: WireError['scope'] | undefined): void {
  const { link } = exchange;
  if (at === 'session' && link) peer.endSession(link, error.record);
  else if (at === 'link' && link) link.fail(error.record);
  else if (at === 'connection' || at === 'session') peer.close(error.record);
  else exchange.refuse(error);
}

/** What a network or a sick front end does. */
async function strikeUnclean<T>(
  peer: Peer,
  exchange: Exchange<T>,
  fault: ScriptedFault,
  kind: UncleanKind,
): Promise<void> {
  const runs = !['reset-before', 'close', 'half-open', 'garbage'].includes(kind);
  if (!runs) {
    record(peer, exchange, kind, undefined, true);
    return ruin(peer, kind);
  }
  if (kind === 'lost-ack') {
    await runQuietly(exchange);
    return record(peer, exchange, kind, undefined, true);
  }
  if (kind === 'slow') peer.pipe.trickle(bytesPerSecondOf(fault.form));
  if (kind === 'truncated' || kind === 'reset-during') peer.pipe.cutAfterNextHalf(kind === 'reset-during');
  const again = await runAndTell(peer, exchange, fault);
  if (kind === 'duplicate') again?.();
  if (kind === 'not-json') peer.pipe.garbage(Buffer.from(GATEWAY_PAGE));
  if (kind === 'reset-after') peer.pipe.resetSoon();
}

function ruin(peer: Peer, kind: UncleanKind): void {
  if (kind === 'reset-before') peer.pipe.destroy(true);
  else if (kind === 'close') peer.pipe.end();
  else if (kind === 'half-open') peer.pipe.mute();
  else peer.pipe.garbage(garbageFrame());
}

function bytesPerSecondOf(form: FaultForm | undefined): number {
  return (form && 'unclean' in form ? form.bytesPerSecond : undefined) ?? 20;
}

/** A frame of the right size with nonsense in it: a decoder meets it as an unknown type. */
function garbageFrame(): Buffer {
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 40, 2, 0, 0, 0]), randomBytes(32)]);
  frame[8] = 0x3f; // no AMQP type begins so, whatever the rest is
  return frame;
}

const GATEWAY_PAGE =
  'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html><head><title>502 Bad Gateway</title></head></html>';

function record<T>(
  peer: Peer,
  exchange: Exchange<T>,
  outcome: string,
  status: number | undefined,
  scripted: boolean,
): void {
  const { operation, deviceId, moduleId, messageId, link } = exchange;
  peer.cloud.log.record({
    transport: 'amqp',
    operation,
    deviceId,
    moduleId,
    target: link?.address,
    messageId,
    connection: peer.id,
    outcome,
    status,
    ...(scripted && { scripted }),
  });
}
