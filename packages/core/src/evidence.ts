import type { Executed, FaultScope, Transport } from './categories.ts';

/**
 * What was seen of a fault, transport-neutral: the one thing `classify` decides on. Readers
 * fill in what their form shows and leave out the rest; nothing here is an opinion yet.
 */
export interface EvidenceFields {
  /** The protocol it was seen on. */
  readonly transport?: Transport | undefined;
  /** Which cloud service answered, where the form tells: picks between catalogues. */
  readonly service?: 'iot-hub' | 'dps' | undefined;

  /** Number in the payload: JSON `errorCode`, at any nesting. */
  readonly payloadCode?: number | undefined;
  /** Name in the payload or a header, for instance `DeviceNotOnline`. */
  readonly payloadName?: string | undefined;
  /** Number in AMQP info, a documentation link or prose. */
  readonly textCode?: number | undefined;
  /** Documented name met in prose. */
  readonly textName?: string | undefined;

  /** AMQP error condition. */
  readonly condition?: string | undefined;
  /** What failed: a connection, a request, a delivery, …; decides what a condition or a reason means. */
  readonly scope?: FaultScope | undefined;
  /** Direction of the AMQP link, from the client: `send` is a sender. */
  readonly direction?: 'send' | 'receive' | undefined;
  /** Address of the AMQP link, or the MQTT topic. */
  readonly address?: string | undefined;
  /** Whose link it is, where the address tells. */
  readonly side?: 'device' | 'service' | undefined;
  /** The fault was raised by this side of the connection (local idle expiry, own limits). */
  readonly local?: true | undefined;
  /** AMQP outcome of a delivery. */
  readonly outcome?: 'rejected' | 'released' | 'modified' | undefined;
  /** `modified` with delivery-failed set. */
  readonly deliveryFailed?: boolean | undefined;

  /** Status in an answer's topic, message annotation or application property. */
  readonly answerStatus?: number | undefined;
  /** A DPS registration ended so, though the status says success. */
  readonly registrationFailed?: 'failed' | 'disabled' | undefined;
  /** MQTT reason code or 3.1.1 return code. */
  readonly reasonCode?: number | undefined;
  /** Packet the reason code came in. */
  readonly packet?:
    | 'connack'
    | 'disconnect'
    | 'puback'
    | 'pubrec'
    | 'pubcomp'
    | 'suback'
    | 'unsuback'
    | 'auth'
    | undefined;
  /** MQTT protocol level: 3, 4 (3.1.1) or 5. */
  readonly protocolVersion?: number | undefined;
  /** IoT Hub's MQTT 5 user property `status`, four hex digits. */
  readonly statusProperty?: string | undefined;

  /** Of an HTTP answer. */
  readonly httpStatus?: number | undefined;
  /** The status says success, but the answer cannot be one (cut off, not parsable). */
  readonly brokenAnswer?: true | undefined;

  /** Code of a socket, DNS or TLS fault of the platform, for instance `ECONNRESET`. */
  readonly systemCode?: string | undefined;
  /** The connection had idled in a pool and was closed as the request went out: a new one may work at once. */
  readonly reusedConnection?: true | undefined;
  /** The client refused by its own limits or options: to send the request (nothing ran), or to take the answer. */
  readonly ownLimit?: 'request' | 'answer';
  /** Time-out of the client's own. */
  readonly timedOut?: 'connect' | 'request' | 'keepalive' | 'deadline' | undefined;
  /** The connection was closed without a word. */
  readonly silentClose?: true | undefined;
  /** What came is not the protocol that was spoken. */
  readonly violation?: true | undefined;
  /** What the reader concludes from text alone, when nothing stronger is there. */
  readonly prose?: string | undefined;

  /** What the place the fault arose at says about execution; a row's own word comes first. */
  readonly executed?: Executed | undefined;
  /** Codes that look alike from here. */
  readonly candidates?: readonly number[] | undefined;

  /** How long the cloud asked to wait, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** The cloud's id of the request. */
  readonly trackingId?: string | undefined;
  /** The cloud's own time stamp, as it was written. */
  readonly timestamp?: string | undefined;
  /** Another server, offered by the one that refused. */
  readonly serverReference?: string | undefined;
  /** How far the local clock is ahead of the cloud's, in ms, where a Date header shows it. */
  readonly clockSkewMs?: number | undefined;
  /** The cloud's own text, not yet redacted. */
  readonly text?: string | undefined;
  /** The native error, packet, frame or response. */
  readonly cause?: unknown | undefined;
}

/** Evidence as made by {@link evidence}; `classify` knows it by its brand, across copies. */
export interface Evidence extends EvidenceFields {
  readonly [EVIDENCE]: true;
}

const EVIDENCE: unique symbol = Symbol.for('faultmap.evidence') as never;

/**
 * Mark what a reader saw as evidence, for `classify` to take. Fields that are `undefined` say nothing.
 *
 * @param fields - copied
 */
export function evidence(fields: EvidenceFields): Evidence {
  return { ...fields, [EVIDENCE]: true };
}

/**
 * The same for fields made just now, whose id and time were checked as they were read: neither a
 * copy nor a second look is needed. Not for adapters, whose fields may be shared.
 */
export function brand(fields: EvidenceFields): Evidence {
  (fields as { [EVIDENCE]: unknown })[EVIDENCE] = CHECKED;
  return fields as Evidence;
}

const CHECKED = Symbol('checked');

export function isChecked(fields: EvidenceFields): boolean {
  return (fields as { [EVIDENCE]?: unknown })[EVIDENCE] === CHECKED;
}

/** Is this evidence, of this or another copy of the package? Never throws. */
export function isEvidence(value: unknown): value is Evidence {
  try {
    if (typeof value !== 'object' || value === null) return false;
    const mark: unknown = (value as Evidence)[EVIDENCE];
    return mark === true || typeof mark === 'symbol'; // checked, perhaps by another copy
  } catch {
    return false; // a hostile proxy
  }
}

/**
 * A reader turns one raw form into evidence, or says nothing (`undefined`) about forms that are not its
 * own. Pure; it looks at the form's shape and never at its class, since there may be copies of that.
 */
export type Reader = (input: unknown) => Evidence | undefined;
