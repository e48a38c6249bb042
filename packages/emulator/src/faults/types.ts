import type { TransportName } from '../log.ts';

/** What a listener is about to serve; faults are matched against it. */
export interface FaultRequest {
  readonly transport: TransportName;
  /** For instance `device-create`, `d2c`, `connect`, `twin-get`: see the README. */
  readonly operation: string;
  readonly deviceId?: string | undefined;
  readonly moduleId?: string | undefined;
  /** HTTP method. */
  readonly method?: string | undefined;
  /** HTTP path without query, MQTT topic or AMQP address. */
  readonly path?: string | undefined;
  readonly messageId?: string | undefined;
}

/** Which requests a fault hits; every field given must fit. */
export type FaultMatch =
  | ((request: FaultRequest) => boolean)
  | {
      readonly operation?: string | RegExp | readonly string[] | undefined;
      readonly deviceId?: string | undefined;
      readonly moduleId?: string | undefined;
      readonly method?: string | undefined;
      readonly path?: string | RegExp | undefined;
      readonly messageId?: string | undefined;
    };

/** A code of the cloud, written in the wire form of the transport it hits. */
export interface CodeFault {
  readonly code: number;
  /** Name on the wire. Default: the documented name of the code. */
  readonly name?: string | undefined;
  /** The cloud's own text. Default: the one recorded for the code. */
  readonly message?: string | undefined;
  readonly info?: Readonly<Record<string, unknown>> | undefined;
  /** HTTP: which of the two body shapes. Default: as the cloud does for the operation. */
  readonly shape?: 'old' | 'new' | 'flat' | undefined;
}

/** An HTTP answer as given. */
export interface HttpFault {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Text goes out as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** An AMQP error, at the place said. */
export interface AmqpFault {
  readonly condition: string;
  readonly description?: string | undefined;
  readonly info?: Readonly<Record<string, unknown>> | undefined;
  /** What it ends. Default: the delivery it hits, else the link. */
  readonly at?: 'connection' | 'session' | 'link' | 'delivery' | undefined;
}

/** An AMQP outcome of a delivery without an error. */
export interface OutcomeFault {
  readonly outcome: 'rejected' | 'released' | 'modified';
  readonly deliveryFailed?: boolean | undefined;
  readonly undeliverableHere?: boolean | undefined;
}

/** A status in the answer's topic (MQTT), annotation or application property (AMQP). */
export interface AnswerFault {
  readonly answerStatus: number;
  /** Text goes out as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** An MQTT reason code (5) or return code (3.1.1, CONNACK and SUBACK only). */
export interface MqttFault {
  readonly reasonCode: number;
  /** Which packet carries it. Default: the acknowledgement of what it hits, else DISCONNECT. */
  readonly packet?: 'connack' | 'disconnect' | 'puback' | 'suback' | 'unsuback' | undefined;
  readonly reasonString?: string | undefined;
  readonly userProperties?: Readonly<Record<string, string>> | undefined;
  readonly serverReference?: string | undefined;
}

/**
 * What a network or a sick front end does.
 *
 * - `reset-before`: the connection is reset before the operation runs
 * - `reset-during`: it runs, and half the answer is sent
 * - `reset-after`: it runs, the whole answer is sent
 * - `close`: the connection is closed cleanly, without a word; nothing runs
 * - `half-open`: nothing runs, nothing is answered, the connection stays
 * - `lost-ack`: it runs, nothing is answered, the connection stays
 * - `truncated`: it runs, the answer is cut in the middle and the connection closed cleanly
 * - `not-json`: it runs, the body is a gateway's HTML page under a status of success
 * - `slow`: it runs, the answer comes byte by byte (`bytesPerSecond`)
 * - `garbage`: nothing runs, random bytes are sent
 * - `duplicate`: it runs, the answer is sent twice (MQTT, AMQP), or the operation runs twice (HTTP)
 */
export type UncleanKind =
  | 'reset-before'
  | 'reset-during'
  | 'reset-after'
  | 'close'
  | 'half-open'
  | 'lost-ack'
  | 'truncated'
  | 'not-json'
  | 'slow'
  | 'garbage'
  | 'duplicate';

export interface UncleanFault {
  readonly unclean: UncleanKind;
  /** `slow` only. Default 20. */
  readonly bytesPerSecond?: number | undefined;
}

/** The cloud's clock is off by that much while this request is checked and answered. */
export interface ClockFault {
  readonly clockSkewMs: number;
}

export type FaultForm =
  | CodeFault
  | HttpFault
  | AmqpFault
  | OutcomeFault
  | AnswerFault
  | MqttFault
  | UncleanFault
  | ClockFault;

/** One scripted fault. */
export interface FaultSpec {
  /** Default: any. */
  readonly transport?: TransportName | undefined;
  /** Default: every request of the transport. */
  readonly match?: FaultMatch | undefined;
  /** A number is short for `{ code }`, a text for `{ unclean }`. Left out: only `delayMs`. */
  readonly fault?: FaultForm | number | UncleanKind | undefined;
  /** How often. Default 1. */
  readonly times?: number | undefined;
  /** How many matching requests pass first. Default 0. */
  readonly after?: number | undefined;
  /** Wait before the answer, in ms. Default 0. */
  readonly delayMs?: number | undefined;
  /** How long to ask the client to wait, in s, in the spelling of transport and operation. */
  readonly retryAfterS?: number | undefined;
  /** The operation runs first and the fault is answered all the same. Default false. */
  readonly executes?: boolean | undefined;
}

/** A fault whose turn it is. */
export interface ScriptedFault {
  readonly id: number;
  readonly form: FaultForm | undefined;
  readonly delayMs: number;
  readonly retryAfterS: number | undefined;
  readonly executes: boolean;
}

/** What `inject` returns. */
export interface InjectedFault {
  readonly id: number;
  /** How often it has struck. */
  readonly hits: number;
  /** How often it still will; `Infinity` for always. */
  readonly remaining: number;
  /** Take it back. */
  remove(): void;
}
