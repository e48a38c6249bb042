import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Connections, DeviceConnection } from './connections.ts';
import { CloudFault, type FaultName } from './fault.ts';
import type { Identities } from './identities.ts';
import { type Identity, keyOf } from './identity.ts';
import type { Json } from './json.ts';
import { Signal } from './signal.ts';

/** A direct method as the device gets it. */
export interface MethodCall {
  readonly requestId: string;
  readonly methodName: string;
  readonly payload: Json;
}

export interface MethodInput {
  readonly methodName: string;
  readonly payload?: Json | undefined;
  /** How long the device has to answer, in ms. Default 30 s. */
  readonly responseTimeoutMs?: number | undefined;
  /** How long to wait for the device to connect, in ms. Default 0. */
  readonly connectTimeoutMs?: number | undefined;
}

export interface MethodAnswer {
  /** The device's own status. */
  readonly status: number;
  readonly payload: Json;
}

interface Pending {
  readonly connection: DeviceConnection;
  readonly settle: (outcome: MethodAnswer | CloudFault) => void;
}

/** Payload limit in bytes (devguide-direct-methods). */
const PAYLOAD_LIMIT = 128 * 1024;

/** Direct methods: pending until the device answers, leaves, or time runs out. */
export class Methods {
  /** A call reached its device. */
  readonly delivered = new Signal<{ identity: Identity; methodName: string }>();
  readonly #clock: Clock;
  readonly #identities: Identities;
  readonly #connections: Connections;
  readonly #pending = new Map<string, Pending>();

  constructor(clock: Clock, identities: Identities, connections: Connections) {
    this.#clock = clock;
    this.#identities = identities;
    this.#connections = connections;
    connections.closed.on((connection) => this.#left(connection));
  }

  /**
   * @throws CloudFault device-not-found, argument-invalid, device-not-online (never delivered),
   *   device-connection-closed or taken-over (left after delivery), method-timeout (no answer)
   */
  async invoke(identity: Identity, input: MethodInput): Promise<MethodAnswer> {
    this.#identities.get(identity);
    if (!input.methodName) throw new CloudFault('argument-invalid', { text: 'methodName is missing' });
    if (JSON.stringify(input.payload ?? null).length > PAYLOAD_LIMIT) {
      throw new CloudFault('argument-invalid', { text: 'The payload is larger than 128 KB' });
    }
    const connection = await this.#readyConnection(identity, input.connectTimeoutMs ?? 0);
    if (!connection?.onMethod) throw new CloudFault('device-not-online', { target: keyOf(identity) });
    return this.#deliver(connection, connection.onMethod, input);
  }

  /** The device answers; false when nobody waits for that any more. */
  answer(identity: Identity, requestId: string, answer: MethodAnswer): boolean {
    const pending = this.#pending.get(requestId);
    if (!pending || keyOf(pending.connection.identity) !== keyOf(identity)) return false;
    pending.settle(answer);
    return true;
  }

  /** The device says that it cannot be reached; false when nobody waits for that any more. */
  refuse(identity: Identity, requestId: string): boolean {
    const pending = this.#pending.get(requestId);
    if (!pending || keyOf(pending.connection.identity) !== keyOf(identity)) return false;
    pending.settle(new CloudFault('device-not-online', { target: keyOf(identity) }));
    return true;
  }

  get pending(): number {
    return this.#pending.size;
  }

  #deliver(
    connection: DeviceConnection,
    handler: (call: MethodCall) => void,
    input: MethodInput,
  ): Promise<MethodAnswer> {
    return new Promise((resolve, reject) => {
      const requestId = randomUUID();
      const settle = (outcome: MethodAnswer | CloudFault) => {
        cancel();
        this.#pending.delete(requestId);
        if (outcome instanceof CloudFault) reject(outcome);
        else resolve(outcome);
      };
      const cancel = this.#clock.after(input.responseTimeoutMs ?? 30_000, () => {
        settle(new CloudFault('method-timeout', { target: keyOf(connection.identity) }));
      });
      this.#pending.set(requestId, { connection, settle });
      this.delivered.emit({ identity: connection.identity, methodName: input.methodName });
      handler({ requestId, methodName: input.methodName, payload: input.payload ?? null });
    });
  }

  #readyConnection(identity: Identity, waitMs: number): Promise<DeviceConnection | undefined> {
    const now = this.#connections.current(identity);
    if (now?.onMethod || waitMs <= 0) return Promise.resolve(now);
    return new Promise((resolve) => {
      const done = (connection: DeviceConnection | undefined) => {
        off();
        cancel();
        resolve(connection);
      };
      const off = this.#connections.ready.on((connection) => {
        if (keyOf(connection.identity) === keyOf(identity)) done(connection);
      });
      const cancel = this.#clock.after(waitMs, () => done(undefined));
    });
  }

  #left(connection: DeviceConnection): void {
    // 400027 reaches method callers too, as HTTP 400 (azure-docs#44709, azure-iot-sdk-node#689).
    const fault: FaultName = connection.ended === 'taken-over' ? 'taken-over' : 'device-connection-closed';
    for (const pending of [...this.#pending.values()]) {
      if (pending.connection === connection) {
        pending.settle(new CloudFault(fault, { target: keyOf(connection.identity) }));
      }
    }
  }

  /** The emulator stops: nobody waits any longer. */
  stop(): void {
    for (const pending of [...this.#pending.values()]) pending.settle(new CloudFault('server-error'));
  }
}
