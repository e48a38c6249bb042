import type { Catalogue } from './catalogue/types.ts';
import { cataloguesFor } from './catalogues.ts';
import { type Evidence, type EvidenceFields, evidence, isEvidence, type Reader } from './evidence.ts';
import { MAX_DEPTH } from './limits.ts';
import { judge } from './precedence.ts';
import { attempt, get, getString, isError, isObject } from './shape.ts';
import { readAmqpAnswer } from './wire/amqp-answer.ts';
import { type AmqpErrorRecord, readAmqpError } from './wire/amqp-error.ts';
import { payloadFields, readHttpAnswer } from './wire/http.ts';
import { readMqttAnswer, readMqttPacket } from './wire/mqtt.ts';
import { readPayload } from './wire/payload.ts';
import { readSystemError } from './wire/system.ts';
import { readText } from './wire/text.ts';

/** Where errors keep what they were made of. */
const WITHIN = [
  'response',
  'responseBody',
  'packet',
  'body',
  'result',
  'cause',
  'error',
  'errors',
  'innerError',
  'amqpError',
  'transportError',
] as const;
/** Errors looked at in all, however they are nested. */
const MAX_ERRORS = 32;

/**
 * Read anything: the readers that were handed over, then the public wire forms, then what hangs on
 * the error. The strongest evidence met wins; a loop ends the walk.
 */
export function readAnything(input: unknown, readers: readonly Reader[], catalogues: readonly Catalogue[]): Evidence {
  for (const reader of readers) {
    const seen = attempt(() => reader(input));
    if (isEvidence(seen))
      return seen.cause === undefined && isError(input) ? evidence({ ...seen, cause: input }) : seen;
  }
  const raised = isError(input);
  const direct = raised ? undefined : readForm(input);
  if (direct) return direct;
  const best = strongest(input, readers, catalogues);
  return evidence(raised ? { ...best, cause: input } : best);
}

/** Walk what hangs on the input, breadth first: nearer evidence wins over farther of the same rank. */
function strongest(input: unknown, readers: readonly Reader[], catalogues: readonly Catalogue[]): EvidenceFields {
  let best: { seen: EvidenceFields; rank: number } | undefined;
  for (const [value, depth] of walk(input)) {
    const seen = (depth > 0 ? byReaders(value, readers) : undefined) ?? readForm(value) ?? readErrorText(value);
    if (!seen) continue;
    const { rank } = judge(seen, cataloguesFor(seen, catalogues));
    if (best === undefined || rank < best.rank) best = { seen: best ? { ...best.seen, ...seen } : seen, rank };
  }
  return best?.seen ?? {};
}

function byReaders(value: unknown, readers: readonly Reader[]): Evidence | undefined {
  for (const reader of readers) {
    const seen = attempt(() => reader(value));
    if (isEvidence(seen)) return seen;
  }
  return undefined;
}

function walk(input: unknown): readonly (readonly [unknown, number])[] {
  const queue: [unknown, number][] = [[input, 0]];
  const met = new Set<unknown>([input]);
  for (let at = 0; at < queue.length && queue.length < MAX_ERRORS; at++) {
    const [value, depth] = queue[at] as [unknown, number];
    if (!isObject(value) || depth >= MAX_DEPTH) continue;
    for (const key of WITHIN) {
      const inner = get(value, key);
      for (const one of Array.isArray(inner) ? inner.slice(0, 16) : [inner]) {
        if (one === undefined || one === null || met.has(one)) continue;
        met.add(one);
        queue.push([one, depth + 1]);
      }
    }
  }
  return queue;
}

/** What a public wire form may have; read plainly, since all of it is inside one `attempt`. */
type Shape = Readonly<Partial<Record<string, unknown>>>;

/** One of the public wire forms, by its shape. */
function readForm(value: unknown): Evidence | undefined {
  if (typeof value === 'string') return readText(value);
  return isObject(value) ? attempt(() => formOf(value as Shape)) : undefined;
}

function formOf(value: Shape): Evidence | undefined {
  if (isEvidence(value)) return value;
  const status = value.status ?? value.statusCode;
  if (typeof status === 'number' && !isError(value))
    return readHttpAnswer({ status, headers: value.headers, body: value.body ?? value.data });
  if (typeof value.topic === 'string')
    return readMqttAnswer({ topic: value.topic, payload: value.payload, properties: value.properties });
  if (typeof value.cmd === 'string') return readMqttPacket(value);
  if (value.condition !== undefined) return readAmqpError(value as AmqpErrorRecord);
  const { message_annotations: annotations, application_properties: applicationProperties } = value;
  if (annotations ?? applicationProperties)
    return readAmqpAnswer({ applicationProperties, annotations, body: value.body });
  const system = readSystemError(value);
  return system && value.errorCode === undefined ? system : (readParsed(value) ?? system);
}

/**
 * A body of the cloud that was parsed already, as `response.json()` gives it. What carries an
 * answer or a cause is an error's plain form and looked through instead, unless it has the number itself.
 */
function readParsed(value: Shape): Evidence | undefined {
  const carrier = isError(value) || WITHIN.some((key) => key !== 'error' && isObject(value[key]));
  if (carrier && value.errorCode === undefined) return undefined;
  const payload = readPayload(value);
  const found = payload.code ?? payload.name ?? payload.failed ?? payload.text;
  if (found === undefined) return undefined;
  return evidence({ ...payloadFields(payload), text: payload.text ?? getString(value, 'message') });
}

/** Prose of an error; that of a mistake in the program is no evidence about a cloud. */
function readErrorText(value: unknown): Evidence | undefined {
  if (!isError(value) || isProgrammingError(value)) return undefined;
  const message = getString(value, 'message');
  return message === undefined || message === '' ? undefined : readText(message);
}

const MISTAKES: ReadonlySet<unknown> = new Set([
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'EvalError',
  'URIError',
]);

/** An error class that the language keeps for mistakes in the program. */
export function isProgrammingError(value: unknown): boolean {
  return isError(value) && MISTAKES.has(get(value, 'name'));
}
