import { type AnyDeviceCloudError, classify, type Stopped } from '@faultmap/core';
import { conclude, type EvidenceFields, evidence, type FaultEvents, makeError } from '@faultmap/core/adapter';
import { readMqtt } from './evidence.ts';
import type { Convict } from './poison.ts';

/** Types what was seen on one client, and tells each native failure once. */
export class Faults {
  readonly events: FaultEvents;
  readonly #level: () => number;

  constructor(events: FaultEvents, level: () => number) {
    this.events = events;
    this.#level = level;
  }

  /** A native error, packet or answer → typed error, read at the protocol level of the connection. */
  type(input: unknown, operation: string): AnyDeviceCloudError {
    const protocolVersion = this.#level();
    return classify(input, { readers: [(raw) => readMqtt(raw, { protocolVersion })], operation });
  }

  /** Evidence of this adapter's own making. */
  typeSeen(seen: EvidenceFields, operation: string): AnyDeviceCloudError {
    return classify(evidence({ transport: 'mqtt', ...seen }), { operation });
  }

  tell(error: AnyDeviceCloudError, attempt?: number, operation = error.operation): AnyDeviceCloudError {
    this.events.emit('fault', { error, operation, attempt });
    return error;
  }

  /**
   * A publish, subscribe or unsubscribe ends with this error. It is not repeated from here: mqtt.js alone
   * sends again.
   *
   * @param attempts - how often it was written
   */
  giveUp(
    error: AnyDeviceCloudError,
    {
      operation,
      attempts,
      stopped = error.transient ? 'attempts' : 'not-transient',
    }: { readonly operation: string; readonly attempts: number; readonly stopped?: Stopped | undefined },
  ): void {
    conclude(error, { attempts, waitsMs: [], stopped });
    this.events.emit('give-up', { error, operation, attempt: attempts, stopped });
  }
}

/**
 * The error of an operation that failed because of something told already: it says the same, is about
 * the operation, and has the other as its cause.
 */
export function because(
  fault: AnyDeviceCloudError,
  { operation, executed }: { readonly operation: string; readonly executed: 'no' | 'unknown' },
): AnyDeviceCloudError {
  const { summary, fix, docsUrl } = fault;
  return makeError(fault.category, {
    ...fault,
    texts:
      summary !== undefined && fix !== undefined
        ? { summary, fix, ...(docsUrl !== undefined && { docsUrl }) }
        : undefined,
    operation,
    executed,
    cause: fault,
  });
}

/** The error of what the connection closed at too often: taken back, and not sent any more. */
export function poisonous(
  fault: AnyDeviceCloudError,
  { kind, operation, closes }: Pick<Convict, 'kind' | 'operation' | 'closes'>,
): AnyDeviceCloudError {
  return makeError(fault.category, {
    ...fault,
    advice: 'never',
    executed: 'unknown',
    operation,
    detail: `${closes} connections in a row closed on it${fault.detail === undefined ? '' : `: ${fault.detail}`}`,
    ...POISONOUS[kind],
    cause: fault,
  });
}

const POISONOUS = {
  publish: {
    reason: 'PublishClosesConnection',
    texts: {
      summary:
        'The server closed the connection again and again when this publish was written, and nothing else was unacknowledged.',
      fix: 'The message was taken back and is not sent again; it may have arrived. Look at its size, topic, retain flag and QoS, and at what the client may publish and the quota of the hub, before publishing it again.',
    },
  },
  subscribe: {
    reason: 'SubscribeClosesConnection',
    texts: {
      summary:
        'The server closed the connection again and again when this subscription was made, and nothing else was unacknowledged.',
      fix: 'The topic filter was taken out of what is subscribed to again. Look at whether the server knows it (IoT Hub has only its own topics), and at what the client may subscribe to; then call resume() and subscribe again.',
    },
  },
} as const;

/** The client was ended by the program, or the attachment taken off: nothing more will happen here. */
export function ended(
  reason: 'ClientEnded' | 'Detached',
  operation: string,
  executed: 'no' | 'unknown' = 'no',
): AnyDeviceCloudError {
  return makeError('network', {
    reason,
    advice: 'never',
    executed,
    transport: 'mqtt',
    scope: 'connection',
    operation,
    texts: TEXTS[reason],
  });
}

const TEXTS = {
  ClientEnded: {
    summary: 'The program ended this client.',
    fix: 'Wait for what is pending before end(), or connect again.',
  },
  Detached: {
    summary: 'faultmap was detached from this client while the request waited.',
    fix: 'Wait for requests before detach().',
  },
} as const;
