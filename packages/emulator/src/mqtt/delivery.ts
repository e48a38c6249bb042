import type { IPubackPacket, IPublishPacket, UserProperties } from 'mqtt-packet';
import type { Cloud } from '../state/cloud.ts';
import { CloudFault } from '../state/fault.ts';
import { type Identity, keyOf } from '../state/identity.ts';
import type { JsonObject } from '../state/json.ts';
import type { MethodCall } from '../state/methods.ts';
import type { C2dMessage, Queues } from '../state/queues.ts';
import { publish } from './answers.ts';
import { text } from './preview-auth.ts';
import type { Session } from './session.ts';
import { deviceBoundPrefix, inputPrefix, makeBag } from './topics.ts';

/** Messages sent and not yet acknowledged, at most (MQTT 5 preview; 3.1.1 sets none). */
const MOST_IN_FLIGHT = 16;

export interface DeliverySetup {
  readonly cloud: Cloud;
  readonly identity: Identity;
  readonly session: Session;
  readonly receiveMaximum: number | undefined;
  readonly send: (packet: IPublishPacket) => void;
}

/** What the cloud sends to one connected device: messages, desired properties, methods. */
export class Delivery {
  readonly #setup: DeliverySetup;
  /** Lock token by message id of the protocol. */
  readonly #inFlight = new Map<number, string>();
  #lastId = 0;
  #over = false;

  constructor(setup: DeliverySetup) {
    this.#setup = setup;
  }

  /** Send what waits in the queue, as far as the window goes. */
  pump(): void {
    const { identity, session, receiveMaximum } = this.#setup;
    const module = identity.moduleId !== undefined;
    const qos = module ? session.qosOf('inputs') : (session.qosOf('c2d') ?? session.qosOf('preview-c2d'));
    if (this.#over || qos === undefined) return;
    const preview = !module && session.qosOf('c2d') === undefined;
    const window = Math.min(receiveMaximum ?? MOST_IN_FLIGHT, MOST_IN_FLIGHT);
    if (this.#inFlight.size >= window) this.#forgetLost();
    while (this.#inFlight.size < window) {
      const got = this.#queue.receive(keyOf(identity));
      if (!got) return;
      const packet = preview ? previewCommand(got.message) : bagged(got.message, identity);
      if (qos === 0) {
        // Nothing acknowledges it: sent is done.
        this.#setup.send(packet);
        this.#settle('complete', got.lockToken);
        continue;
      }
      const messageId = this.#nextId();
      this.#inFlight.set(messageId, got.lockToken);
      this.#setup.send({ ...packet, qos: 1, messageId, dup: got.message.deliveryCount > 1 });
    }
  }

  /** The device acknowledged; over MQTT that completes, the preview can reject and abandon too. */
  acknowledge(packet: IPubackPacket): void {
    const lockToken = this.#inFlight.get(packet.messageId ?? 0);
    if (lockToken === undefined) return;
    this.#inFlight.delete(packet.messageId ?? 0);
    // 131 with 0603 abandons, with 0100 rejects (iot-hub-mqtt-5-reference, "Receive Commands").
    const abandoned = text(packet.properties?.userProperties, 'status') === '0603';
    this.#settle(packet.reasonCode !== 0x83 ? 'complete' : abandoned ? 'abandon' : 'reject', lockToken);
    this.pump();
  }

  /** Desired properties changed. */
  desired(patch: JsonObject, version: number): void {
    const { session, send } = this.#setup;
    const payload = JSON.stringify(patch);
    if (session.qosOf('desired') !== undefined) {
      send(publish(`$iothub/twin/PATCH/properties/desired/?$version=${version}`, payload));
    } else if (session.qosOf('preview-desired') !== undefined) {
      send(publish('$iothub/twin/patch/desired', payload, { userProperties: { version: String(version) } }));
    }
  }

  /** Does the device listen to methods? */
  get methodsWanted(): boolean {
    const { session } = this.#setup;
    return session.qosOf('methods') !== undefined || session.qosOf('preview-methods') !== undefined;
  }

  /** A service calls a method. The payload is `null` at least: clients refuse an empty one. */
  call(call: MethodCall): void {
    const { session, send } = this.#setup;
    const payload = JSON.stringify(call.payload);
    if (session.qosOf('methods') !== undefined) {
      send(publish(`$iothub/methods/POST/${call.methodName}/?$rid=${call.requestId}`, payload));
    } else {
      // Sixteen bytes are all it may hold (iot-hub-mqtt-5): the bare bytes of the id.
      const correlationData = Buffer.from(call.requestId.replaceAll('-', ''), 'hex');
      send(publish(`$iothub/methods/${call.methodName}`, payload, { correlationData }));
    }
  }

  /** The connection ended: what was not acknowledged goes back. */
  release(): void {
    this.#over = true; // giving back makes a message available: not to be taken by this one again
    for (const lockToken of this.#inFlight.values()) {
      this.#queue.release(keyOf(this.#setup.identity), lockToken);
    }
    this.#inFlight.clear();
  }

  #settle(action: 'complete' | 'reject' | 'abandon', lockToken: string): void {
    const { cloud, identity } = this.#setup;
    try {
      cloud.log.executed(`c2d-${action}`, this.#queue[action](keyOf(identity), lockToken).messageId);
    } catch (thrown) {
      // The lock ran out: over MQTT nobody is told, the message comes again.
      if (!(thrown instanceof CloudFault)) throw thrown;
    }
  }

  /** Messages whose lock ran out come again, under another id: they must not fill the window for good. */
  #forgetLost(): void {
    const key = keyOf(this.#setup.identity);
    for (const [messageId, lockToken] of this.#inFlight) {
      if (!this.#queue.isLocked(key, lockToken)) this.#inFlight.delete(messageId);
    }
  }

  /** A device's own queue, or that of a module's inputs. */
  get #queue(): Queues {
    const { cloud, identity } = this.#setup;
    return identity.moduleId === undefined ? cloud.queues : cloud.inputs;
  }

  #nextId(): number {
    do {
      this.#lastId = (this.#lastId % 65_535) + 1;
    } while (this.#inFlight.has(this.#lastId));
    return this.#lastId;
  }
}

/** System properties by the letters the cloud uses, and the sender's own, in the topic. */
function bagged(message: C2dMessage, identity: Identity): IPublishPacket {
  const bag = makeBag([
    ['$.mid', message.messageId],
    ['$.to', message.to],
    ['$.cid', message.correlationId],
    ['$.uid', message.userId],
    ['$.ct', message.contentType],
    ['$.ce', message.contentEncoding],
    ['iothub-ack', message.ack],
    ...Object.entries(message.properties ?? {}),
  ]);
  const prefix = message.input === undefined ? deviceBoundPrefix(identity) : inputPrefix(identity, message.input);
  return publish(`${prefix}${bag}`, message.body);
}

function previewCommand(message: C2dMessage): IPublishPacket {
  const userProperties: UserProperties = {
    'sequence-no': String(message.sequence),
    'enqueued-time': String(message.enqueuedAt),
    'delivery-count': String(message.deliveryCount - 1),
    'message-id': message.messageId,
    ...(message.userId === undefined ? {} : { 'user-id': message.userId }),
    ...(message.correlationId === undefined ? {} : { 'correlation-id': message.correlationId }),
    ...(message.contentEncoding === undefined ? {} : { 'content-encoding': message.contentEncoding }),
    ...Object.fromEntries(Object.entries(message.properties ?? {}).map(([name, value]) => [`@${name}`, value])),
  };
  const contentType = message.contentType === undefined ? {} : { contentType: message.contentType };
  return publish('$iothub/commands', message.body, { userProperties, ...contentType });
}
