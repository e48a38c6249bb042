import { randomUUID } from 'node:crypto';
import { codeForm } from './codes.ts';
import { textOf } from './texts.ts';
import { trackingId } from './tracking.ts';

/** An HTTP answer, ready to be sent. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * The three error bodies of the cloud.
 *
 * - `old` (registry, C2D, jobs; csharp#37, azure-iot-sdks#711): the name, no number
 * - `new` (methods, twins, uploads; azure-iot-cli-extension#54, iotedge#98): JSON in a JSON string
 * - `flat` (provisioning service; vscode-iot-workbench#590)
 */
export type BodyShape = 'old' | 'new' | 'flat';

export interface HttpFaultInput {
  readonly code: number;
  readonly now: number;
  readonly shape: BodyShape;
  readonly name?: string | undefined;
  readonly message?: string | undefined;
  readonly info?: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterS?: number | undefined;
}

/** Write a code as the cloud does over HTTP. */
export function httpFault(input: HttpFaultInput): HttpAnswer {
  const form = codeForm(input.code);
  const name = input.name ?? form.name;
  const text = input.message ?? textOf(input.code, name);
  const headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8' };
  // The name, never the number (csharp#37, csharp#1070, iotedgehubdev#95). DPS does not send it.
  if (name && input.shape !== 'flat') headers['iothub-errorcode'] = name;
  if (input.retryAfterS !== undefined) headers['retry-after'] = String(input.retryAfterS);
  return { status: form.httpStatus, headers, body: bodies[input.shape](input, name, text, headers) };
}

type Body = (input: HttpFaultInput, name: string | undefined, text: string, headers: Record<string, string>) => string;

const bodies: Record<BodyShape, Body> = {
  old: ({ now }, name, text) =>
    JSON.stringify({
      Message: name ? `ErrorCode:${name};${text}` : text,
      ExceptionMessage: `Tracking ID:${trackingId(now)}`,
    }),
  new: ({ code, now, info }, _name, text) =>
    JSON.stringify({
      Message: JSON.stringify({
        errorCode: code,
        trackingId: trackingId(now),
        message: text,
        ...(info === undefined ? {} : { info }),
        timestampUtc: new Date(now).toISOString(),
      }),
      ExceptionMessage: '',
    }),
  flat: ({ code, now, info }, _name, text, headers) => {
    const id = randomUUID();
    headers['x-ms-request-id'] = id; // equals the body's trackingId (vscode-iot-workbench#590)
    return JSON.stringify({
      errorCode: code,
      trackingId: id,
      message: text,
      ...(info === undefined ? {} : { info }),
      timestampUtc: new Date(now).toISOString(),
    });
  },
};

/** What a gateway answers when it cannot reach what is behind it. */
export const GATEWAY_PAGE =
  '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\r\n' +
  '<HTML><HEAD><TITLE>Service Unavailable</TITLE></HEAD>\r\n' +
  '<BODY><h2>Service Unavailable</h2>\r\n<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n</BODY></HTML>\r\n';
