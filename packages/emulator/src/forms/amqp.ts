import { codeForm } from './codes.ts';
import { textOf } from './texts.ts';

/** An AMQP error record, and where on the wire the cloud puts it. */
export interface AmqpForm {
  readonly condition: string;
  readonly description: string;
  /** `delivery` is the rejected outcome of a message. */
  readonly scope: 'connection' | 'session' | 'link' | 'delivery';
  /** Where the form comes from; `text constructed` where only the condition is known. */
  readonly source: string;
}

/** Placeholders in a description, filled with the tracking id and the time of the fault. */
export const TRACKING_ID = '{trackingId}';
export const TIMESTAMP = '{timestamp}';

/** The document some conditions carry in their description, as recorded for 401002 and 404006. */
const json = (code: number, message: string): string =>
  `{"errorCode":${code},"trackingId":"${TRACKING_ID}","message":${JSON.stringify(message)},"timestampUtc":"${TIMESTAMP}"}`;

/**
 * How the cloud's faults look over AMQP 1.0, by number: literal fixtures, each with where it was
 * seen or written down. Nothing is derived from the catalogue, which must not grade itself.
 */
const FORMS: Readonly<Record<number, AmqpForm>> = {
  400004: {
    condition: 'com.microsoft:argument-error',
    description: 'The argument is invalid.',
    scope: 'delivery',
    source: 'Azure/azure-iot-sdk-csharp AmqpErrorMapper.cs#L39-L124; text constructed',
  },
  400021: {
    condition: 'com.microsoft:operation-cancelled',
    description: 'The operation was cancelled.',
    scope: 'delivery',
    source: 'Azure/azure-sdk-for-js core-amqp errors.ts@01c43ba3; text constructed',
  },
  400024: {
    condition: 'com.microsoft:timeout',
    description: 'The operation did not complete within the allotted time.',
    scope: 'delivery',
    source: 'Azure/azure-iot-sdk-csharp AmqpIotErrorAdapter.cs; text constructed',
  },
  400027: {
    condition: 'amqp:internal-error',
    description: 'Another AMQP Client has opened a Receive Link',
    scope: 'connection',
    source: 'recorded text of a take-over under amqp:internal-error',
  },
  401001: {
    condition: 'com.microsoft:iot-hub-not-found-error',
    description: 'The IoT hub was not found.',
    scope: 'connection',
    source: 'Azure/azure-iot-sdk-csharp TrackingHelper.cs; text constructed',
  },
  401002: {
    condition: 'amqp:unauthorized-access',
    description: 'Token Invalid.',
    scope: 'link',
    source: 'Azure/azure-iot-sdk-java#180',
  },
  // Known from logs and documentation only; answers carry 401002's form.
  401003: {
    condition: 'amqp:unauthorized-access',
    description: 'Token Invalid.',
    scope: 'link',
    source: 'Azure/azure-iot-sdk-java#180; the number itself is written in logs only',
  },
  403001: {
    condition: 'com.microsoft:iot-hub-suspended',
    description: 'The IoT hub is suspended.',
    scope: 'link',
    source: 'Azure/azure-iot-sdk-node amqp_common_errors.ts#L25-L110; text constructed',
  },
  // On a device's link; the same condition on a service's link is 403004.
  403002: {
    condition: 'amqp:resource-limit-exceeded',
    description: 'Total number of messages on IotHub exceeded the allocated quota.',
    scope: 'delivery',
    source: 'Azure/azure-iot-sdk-csharp#2455 (condition), #906 (text)',
  },
  403004: {
    condition: 'amqp:resource-limit-exceeded',
    description:
      'C2D messages enqueued for the device exceeded the queue limit of 50,  see more at http://aka.ms/iothub403004',
    scope: 'delivery',
    source: 'Azure/azure-iot-sdk-csharp#2116',
  },
  403010: {
    condition: 'amqp:not-allowed',
    description:
      'This capability is not available for Basic Tier IoT Hub. Please visit https://aka.ms/StandardIoTHubUpgrade to learn about Standard Tier.',
    scope: 'link',
    source: 'recorded 2025-05-17, info with com.microsoft:tracking-id and is-filtered',
  },
  404001: {
    condition: 'amqp:not-found',
    description: 'NotFound',
    scope: 'link',
    source: 'Azure/azure-iot-sdk-csharp#317',
  },
  404006: {
    condition: 'amqp:not-found',
    description: json(404006, 'The link address did not match any of the expected formats.'),
    scope: 'link',
    source: 'recorded 2025-08-18, info {com.microsoft:is-filtered: true}',
  },
  404013: {
    condition: 'amqp:not-implemented',
    description: 'The operation is not supported on this link.',
    scope: 'link',
    source: 'Azure/azure-iot-sdk-csharp AmqpErrorMapper.cs#L39-L124; text constructed',
  },
  // A disconnect that resource logs tell of; on the wire it is a close from the hub's side.
  404104: {
    condition: 'amqp:connection:forced',
    description: `The connection was inactive for more than the allowed 300000 milliseconds and is closed by container 'LinkTracker'. TrackingId:${TRACKING_ID}, SystemTracker:gateway5, Timestamp:${TIMESTAMP}`,
    scope: 'connection',
    source: 'recorded 2025-07-13; the number itself is written in logs only',
  },
  409001: {
    condition: 'com.microsoft:device-already-exists',
    description: 'A device with the same identifier already exists.',
    scope: 'delivery',
    source: 'Azure/azure-iot-sdk-csharp AmqpErrorMapper.cs#L39-L124; text constructed',
  },
  409002: {
    condition: 'amqp:link:stolen',
    description: 'A link to the same address was opened for this device; the earlier one is closed.',
    scope: 'link',
    source: 'OASIS AMQP 1.0 part 2, 2.8.18 link-error; text constructed',
  },
  412001: {
    condition: 'com.microsoft:precondition-failed',
    description: 'The precondition failed: the ETag does not match.',
    scope: 'delivery',
    source: 'Azure/azure-iot-sdk-csharp AmqpErrorMapper.cs#L39-L124; text constructed',
  },
  412002: {
    condition: 'com.microsoft:message-lock-lost',
    description: 'Lock lost or expired',
    scope: 'delivery',
    source: 'Azure/azure-iot-sdk-node amqp_common_errors.ts#L25-L110; text constructed',
  },
  413001: {
    condition: 'amqp:link:message-size-exceeded',
    description: 'Message size is 349372 bytes which is greater than the max size 262144 bytes allowed.',
    scope: 'delivery',
    source: 'recorded 2025-02-16, info with com.microsoft:tracking-id and is-filtered',
  },
  429001: {
    condition: 'com.microsoft:device-container-throttled',
    description: 'The device container is throttled.',
    scope: 'delivery',
    source: 'Azure/azure-iot-sdk-csharp AmqpErrorMapper.cs#L39-L124; text constructed',
  },
  500001: {
    condition: 'amqp:internal-error',
    description: json(500001, 'An internal server error has occurred.'),
    scope: 'link',
    source: 'Azure/azure-iot-sdk-csharp AmqpIotErrorAdapter.cs; document as recorded for 401002',
  },
  503001: {
    condition: 'amqp:link:detach-forced',
    description: 'Server Busy. Please retry operation',
    scope: 'link',
    source: 'MicrosoftDocs/azure-docs#97504, amenzhinsky/iothub#76',
  },
  503005: {
    condition: 'com.microsoft:server-busy',
    description: 'The service is busy. Please retry the operation.',
    scope: 'link',
    source: 'Azure/azure-sdk-for-js core-amqp errors.ts@01c43ba3; text constructed',
  },
};

/** How a throttled device-to-cloud message was seen rejected; other operations get 429001's form. */
export const THROTTLED_TELEMETRY: AmqpForm = {
  condition: 'amqp:not-allowed',
  description: 'Service rejected the message with status: 429',
  scope: 'delivery',
  source: 'Azure/iotedge#2858, Azure/iotedge PR#2981',
};

const CONDITION_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'com.microsoft:argument-error',
  401: 'amqp:unauthorized-access',
  403: 'amqp:unauthorized-access',
  404: 'amqp:not-found',
  409: 'amqp:resource-locked',
  412: 'com.microsoft:precondition-failed',
  413: 'amqp:link:message-size-exceeded',
  429: 'com.microsoft:device-container-throttled',
  501: 'amqp:not-implemented',
  503: 'com.microsoft:server-busy',
  504: 'com.microsoft:timeout',
};

/** The form of any number: its own, else its family's condition with the document in the description. */
export function amqpFormOf(code: number): AmqpForm {
  const own = FORMS[code];
  if (own) return own;
  const { httpStatus, name } = codeForm(code);
  return {
    condition: CONDITION_OF_STATUS[httpStatus] ?? (httpStatus >= 500 ? 'amqp:internal-error' : 'amqp:not-allowed'),
    description: json(code, textOf(code, name)),
    scope: 'delivery',
    source: 'constructed: document in the description as recorded for 401002 and 404006',
  };
}

/** Keys of the info map of an error record (IotHubAmqpProperty.cs#L43-L47, captures of 2025). */
export const INFO_TRACKING_ID = 'com.microsoft:tracking-id';
export const INFO_IS_FILTERED = 'com.microsoft:is-filtered';

/** Texts of the CBS node, by why it refuses. */
export const CBS_TEXT = {
  accepted: 'Accepted',
  // recorded: status 401 of a $cbs node for a token with another key
  wrongSignature:
    'The specified SAS token has an invalid signature. It does not match either the primary or secondary key.',
  invalid: 'Token Invalid.', // Azure/azure-iot-sdk-java#180
  expired: 'ExpiredToken: the SAS token has expired.', // constructed
  // recorded: status 404 of a $cbs node
  notRegistered: (device: string, hub: string) => `Device ${device} at IotHub ${hub} not registered.`,
} as const;
