import type { AmqpFault, CodeFault } from '../faults/types.ts';
import {
  type AmqpForm,
  amqpFormOf,
  INFO_IS_FILTERED,
  INFO_TRACKING_ID,
  THROTTLED_TELEMETRY,
  TIMESTAMP,
  TRACKING_ID,
} from '../forms/amqp.ts';
import { CODE_OF } from '../forms/behaviour.ts';
import { codeForm } from '../forms/codes.ts';
import { trackingId } from '../forms/tracking.ts';
import { CloudFault } from '../state/fault.ts';
import type { ErrorRecord } from './engine.ts';

/** A fault on its way to a client: each operation writes it in its own form. */
export interface WireError {
  readonly record: ErrorRecord;
  /** Where it goes when the operation has no form of its own. */
  readonly scope: AmqpForm['scope'];
  /** Three digits, for answers that carry a status. */
  readonly status: number;
  /** Six digits, for answers with a body; absent for a bare condition. */
  readonly code: number | undefined;
  readonly text: string;
  readonly trackingId: string;
  readonly retryAfterS: number | undefined;
  /** Word for the log. */
  readonly name: string;
}

interface Details {
  readonly name: string;
  readonly code: number | undefined;
  readonly now: number;
  readonly text?: string | undefined;
  readonly info?: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterS?: number | undefined;
}

/** A fault by behaviour. What is no CloudFault is a bug of ours, and the client sees a 500001. */
export function wireErrorOf(thrown: unknown, operation: string, now: number): WireError {
  const fault = thrown instanceof CloudFault ? thrown : new CloudFault('server-error');
  const code = CODE_OF[fault.fault];
  const throttled = fault.fault === 'throttled' && operation === 'd2c';
  const form = throttled ? THROTTLED_TELEMETRY : amqpFormOf(code);
  const { retryAfterS, text } = fault.details;
  return toWire(form, { name: fault.fault, code, now, retryAfterS, text });
}

/** A scripted code, in its form. */
export function wireErrorOfCode(fault: CodeFault, retryAfterS: number | undefined, now: number): WireError {
  const form = amqpFormOf(fault.code);
  return toWire(form, {
    name: String(fault.code),
    code: fault.code,
    now,
    text: fault.message,
    info: fault.info,
    retryAfterS,
  });
}

/** A scripted condition, as given. */
export function wireErrorOfCondition(fault: AmqpFault, retryAfterS: number | undefined, now: number): WireError {
  const { condition, description = '', info } = fault;
  const form: AmqpForm = { condition, description, scope: fault.at ?? 'delivery', source: 'scripted' };
  return toWire(form, { name: condition, code: undefined, now, info: info ?? {}, retryAfterS });
}

function toWire(form: AmqpForm, details: Details): WireError {
  const tracking = trackingId(details.now);
  const text = withWait(details.text ?? form.description, details.retryAfterS);
  const at = new Date(details.now).toISOString();
  const description = text.replaceAll(TRACKING_ID, tracking).replaceAll(TIMESTAMP, at);
  const info = details.info ?? { [INFO_TRACKING_ID]: tracking, [INFO_IS_FILTERED]: true };
  return {
    record: { condition: form.condition, description, info },
    scope: form.scope,
    status: details.code === undefined ? 500 : codeForm(details.code).httpStatus,
    code: details.code,
    text: description,
    trackingId: tracking,
    retryAfterS: details.retryAfterS,
    name: details.name,
  };
}

/** Over AMQP a wait is asked for in prose only (Azure/azure-iot-sdk-csharp#1189). */
function withWait(text: string, retryAfterS: number | undefined): string {
  if (retryAfterS === undefined || text.startsWith('{') || /Wait \d+ seconds/.test(text)) return text;
  return `${text} Wait ${retryAfterS} seconds and try again.`;
}

/** The body of a failed answer (twin, management): flat, as over MQTT. */
export function errorBody(error: WireError, now: number): string {
  return JSON.stringify({
    errorCode: error.code ?? error.status * 1_000,
    trackingId: error.trackingId,
    message: error.text,
    timestampUtc: new Date(now).toISOString(),
  });
}
