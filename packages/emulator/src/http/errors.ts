import type { ScriptedFault } from '../faults/types.ts';
import { CODE_OF } from '../forms/behaviour.ts';
import { type BodyShape, type HttpAnswer, httpFault } from '../forms/http.ts';
import type { WireOptions } from '../options.ts';
import { CloudFault } from '../state/fault.ts';
import type { Operation } from './types.ts';

interface Place {
  readonly operation: Operation | undefined;
  readonly wire: WireOptions;
  readonly now: number;
}

/** A fault by behaviour, in its wire form; what is no CloudFault is a defect of ours: 500001. */
export function behaviourAnswer(thrown: unknown, place: Place): HttpAnswer {
  const fault = thrown instanceof CloudFault ? thrown : new CloudFault('server-error');
  return httpFault({
    code: CODE_OF[fault.fault],
    now: place.now,
    shape: shapeFor(fault, place),
    message: fault.details.text,
    retryAfterS: fault.details.retryAfterS,
    // Capture azure-iot-cli-extension#54: info holds the connect time-out.
    info: fault.fault === 'device-not-online' ? { timeout: '00:00:00' } : undefined,
  });
}

/** A refused token is written in the old shape by every API (iotedge#6675, edgelet captures). */
function shapeFor(fault: CloudFault, place: Place): BodyShape {
  const shape = place.operation?.shape ?? 'old';
  if (shape === 'flat') return 'flat';
  if (place.wire.bodyShape !== 'auto') return place.wire.bodyShape;
  return fault.fault === 'unauthorized' ? 'old' : shape;
}

/** A scripted fault that is an answer; nothing when its form is of another kind. */
export function scriptedAnswer(fault: ScriptedFault, place: Place): HttpAnswer | undefined {
  const { form, retryAfterS } = fault;
  if (!form) return undefined;
  if ('code' in form) {
    const flat = place.operation?.shape === 'flat' ? 'flat' : 'new';
    const chosen = place.wire.bodyShape === 'auto' || flat === 'flat' ? flat : place.wire.bodyShape;
    return httpFault({ ...form, shape: form.shape ?? chosen, now: place.now, retryAfterS });
  }
  const status = 'status' in form ? form.status : 'answerStatus' in form ? form.answerStatus : undefined;
  if (status === undefined) return undefined;
  const body = (form as { body?: unknown }).body;
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  return {
    status,
    headers: {
      ...(text === '' ? {} : { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' }),
      ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
      ...('headers' in form ? lowerCased(form.headers) : {}),
    },
    body: text,
  };
}

function lowerCased(headers: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}
