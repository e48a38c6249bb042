import { type AnyDeviceCloudError, type ClassifyContext, classify } from '@faultmap/core';
import {
  type Evidence,
  evidence,
  readAmqpAnswer,
  readAmqpError,
  readHttpAnswer,
  readMqttAnswer,
  readMqttPacket,
  readSystemError,
  readText,
  redact,
} from '@faultmap/core/adapter';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { everyReader } from './readers.ts';

/** Who says that it is an SDK's is believed: some SDKs build on the clients that the other readers know. */
const sdkFirst: ClassifyContext = { readers: [readAzureSdk, ...(everyReader.readers ?? [])] };

/**
 * One line of `faultmap explain --jsonl`: `{ id?, transport, input }` in, one line of JSON out.
 * A line that is no JSON is read as text of a log. Never throws.
 *
 * | transport | input |
 * |---|---|
 * | `http` | `{ status, headers?, body? }` |
 * | `mqtt` | `{ kind: 'connack' \| 'disconnect' \| 'puback' \| …, protocolVersion?, returnCode \| reasonCode \| granted, properties? }`, `{ kind, topic, payload?, properties? }`, `{ kind: 'socket', code, message }` |
 * | `amqp` | `{ condition, description?, info?, scope?, direction?, address?, outcome? }`, `{ kind: 'cbs' \| 'management' \| 'twin', statusCode, description?, body? }` |
 * | `sdk` | `{ sdk?, name, message, fields? }` |
 * | `log` | `{ text }` |
 */
export function explainLine(line: string): string {
  const parsed = parse(line);
  const record = isRecord(parsed) ? parsed : {};
  const input = 'input' in record ? record.input : 'transport' in record ? undefined : (parsed ?? line);
  return JSON.stringify(
    output(record.id, classify(toFault(record.transport, input), record.transport === 'sdk' ? sdkFirst : everyReader)),
  );
}

/** As it was given, so that answers can be told apart; a text that held a secret is masked. */
export function idOf(id: unknown): string | number | null {
  if (typeof id === 'string') return redact(id).slice(0, 200);
  return typeof id === 'number' ? id : null;
}

/** The fields of an output line, `null` where absent. */
function output(id: unknown, error: AnyDeviceCloudError): Record<string, unknown> {
  return {
    id: idOf(id),
    category: error.category,
    reason: error.reason,
    code: error.code ?? null,
    httpStatus: error.httpStatus ?? null,
    condition: error.condition ?? null,
    reasonCode: error.reasonCode ?? null,
    advice: error.advice,
    transient: error.transient,
    executed: error.executed,
    retryAfterMs: error.retryAfterMs ?? null,
    trackingId: error.trackingId ?? null,
    timestamp: error.timestamp ?? null,
    detail: error.detail ?? null,
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** The written form of a fault → evidence, or what a program would have caught. */
export function toFault(transport: unknown, input: unknown): unknown {
  if (!isRecord(input)) return input;
  switch (transport) {
    case 'http':
      return fromHttp(input);
    case 'mqtt':
      return fromMqtt(input) ?? rest('mqtt', input);
    case 'amqp':
      return fromAmqp(input) ?? rest('amqp', input);
    case 'sdk':
      return fromSdk(input);
    case 'log':
      return text(input.text) ?? input;
    default:
      return input;
  }
}

function fromHttp(input: Fields): unknown {
  const status = number(input.status) ?? number(input.statusCode);
  if (status === undefined) return rest('http', input);
  const headers = Array.isArray(input.headers)
    ? Object.fromEntries(input.headers.filter(Array.isArray))
    : input.headers;
  const seen = readHttpAnswer({ status, headers, body: input.body });
  if (seen) return seen;
  // Somebody holds this success to be a fault: it is one where its body is not what JSON APIs send.
  const body = text(input.body);
  const broken = body !== undefined && body !== '' && parse(body) === undefined;
  return evidence({ transport: 'http', httpStatus: status, ...(broken ? { brokenAnswer: true, text: body } : {}) });
}

function fromMqtt(input: Fields): Evidence | undefined {
  const topic = text(input.topic) ?? topicOf(input);
  if (topic !== undefined) return readMqttAnswer({ topic, payload: input.payload, properties: input.properties });
  if (input.kind === 'close')
    return evidence({ transport: 'mqtt', silentClose: true, protocolVersion: number(input.protocolVersion) });
  const code = number(input.reasonCode) ?? number(input.returnCode);
  const packet = { ...input, cmd: input.kind, reasonCode: code, granted: input.granted ?? code };
  const seen = readMqttPacket(packet, { protocolVersion: number(input.protocolVersion) });
  return seen && evidence({ ...seen, text: seen.text ?? text(input.message) });
}

/** `{ kind: 'twin-response', status: 429 }`: the answer's topic, of which only the status was written down. */
function topicOf({ kind, status }: Fields): string | undefined {
  const code = number(status);
  if (code === undefined || (kind !== 'twin-response' && kind !== 'dps-response')) return undefined;
  return kind === 'twin-response' ? `$iothub/twin/res/${code}/` : `$dps/registrations/res/${code}/`;
}

function fromAmqp(input: Fields): Evidence | undefined {
  const status = number(input.statusCode) ?? number(input.status);
  const description = text(input.description) ?? text(input.statusDescription);
  if (status !== undefined)
    return readAmqpAnswer({
      applicationProperties: {
        'status-code': status,
        'status-description': description,
        'error-condition': input.condition,
      },
      body: input.body,
      scope: input.kind === 'cbs' || input.kind === 'management' ? input.kind : 'request',
    });
  return readAmqpError(input);
}

/** A socket's error, or nothing but a message. */
function rest(transport: 'http' | 'mqtt' | 'amqp', input: Fields): unknown {
  const said = [input.message, input.description, input.reason, input.error, input.text];
  const words = said.map(text).find((one) => one !== undefined) ?? '';
  const seen = readSystemError(input) ?? readAzureSdk(words) ?? readText(words);
  return seen ? evidence({ ...seen, transport }) : input;
}

/** As the program would have caught it. */
function fromSdk(input: Fields): Error {
  const fields = isRecord(input.fields) ? input.fields : {};
  return Object.assign(new Error(text(input.message) ?? ''), fields, { name: text(input.name) ?? 'Error' });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  const written = typeof value === 'string' && /^(?:0x[0-9a-f]{1,4}|-?\d{1,9})$/i.test(value) ? Number(value) : value;
  return typeof written === 'number' && Number.isFinite(written) ? written : undefined;
}
