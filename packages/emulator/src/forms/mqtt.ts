import { codeForm } from './codes.ts';
import { textOf } from './texts.ts';
import { trackingId } from './tracking.ts';

/**
 * CONNACK of MQTT 3.1.1 for a number. 5 for credentials and unknown devices
 * (azure-iot-sdk-c#373), 3 for a disabled device (azure-iot-sdk-c#314), overload and server
 * faults; nothing (a bare close) for what the hub has no return code for.
 */
export function connackFor(code: number): number | undefined {
  if (code === 400001) return 1;
  if (code === 401004 || code === 401100) return 5;
  const { httpStatus } = codeForm(code);
  if (httpStatus === 401 || code === 404001 || code === 404010) return 5;
  if (code === 403012 || code === 403001) return 3;
  if (httpStatus === 429 || httpStatus >= 500) return 3;
  return undefined;
}

/** Status of an answer in a topic, and its body (azure-iot-device-mqtt reads errorCode and message). */
export interface TopicAnswer {
  readonly status: number;
  readonly payload: string;
}

/**
 * Write a code as a twin or registration answer over MQTT: three digits in the topic, flat JSON
 * in the payload (capture of 2025-11-20, `$dps/registrations/res/401`).
 */
export function topicFault(code: number, now: number, given: { message?: string | undefined } = {}): TopicAnswer {
  const form = codeForm(code);
  const payload = {
    errorCode: code,
    trackingId: trackingId(now),
    message: given.message ?? textOf(code, form.name),
    timestampUtc: new Date(now).toISOString(),
  };
  return { status: form.httpStatus, payload: JSON.stringify(payload) };
}

/** Reason code and hex status of the cloud's MQTT 5 preview (iot-hub-mqtt-5-reference@3063533f). */
export interface PreviewForm {
  readonly reasonCode: number;
  readonly status: string;
  readonly reason: string;
}

const STATUS_OF_CODE: Readonly<Record<number, readonly [reasonCode: number, status: string]>> = {
  403002: [0x97, '0502'],
  403004: [0x83, '0503'],
  403006: [0x83, '0503'],
  404103: [0x83, '06A0'],
  404104: [0x83, '06A2'],
  504101: [0x83, '06A1'],
};

const STATUS_OF_HTTP: Readonly<Record<number, readonly [reasonCode: number, status: string]>> = {
  400: [0x83, '0100'],
  401: [0x87, '0101'],
  403: [0x83, '0102'],
  404: [0x83, '0504'],
  405: [0x83, '0102'],
  409: [0x83, '0103'],
  412: [0x83, '0104'],
  413: [0x83, '0100'],
  415: [0x83, '0100'],
  429: [0x97, '0501'],
  500: [0x83, '0601'],
  503: [0x83, '0603'],
  504: [0x83, '0602'],
};

/** Write a code as the MQTT 5 preview did. A newer connection has its own DISCONNECT, 0x8E. */
export function previewForm(code: number): PreviewForm {
  const form = codeForm(code);
  const [reasonCode, status] = STATUS_OF_CODE[code] ?? STATUS_OF_HTTP[form.httpStatus] ?? [0x83, '0601'];
  return { reasonCode, status, reason: textOf(code, form.name) };
}

/** MQTT 5 reason codes the emulator itself sends, by their names in the specification (2.4). */
export const REASON = {
  reauthenticate: 0x19,
  unspecified: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecific: 0x83,
  unsupportedVersion: 0x84,
  clientIdInvalid: 0x85,
  badCredentials: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverShuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  takenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  qosNotSupported: 0x9b,
  wildcardsNotSupported: 0xa2,
} as const;
