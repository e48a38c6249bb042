import type { AnyDeviceCloudError, Clock, FaultEventName, FaultListener } from '@faultmap/core';
import {
  attachOnce,
  createCredentials,
  createReconnectGovernor,
  FaultEvents,
  optionError,
  resolveReconnectOptions,
  systemClock,
} from '@faultmap/core/adapter';
import type { IPublishPacket, MqttClient, Packet } from 'mqtt';
import { Acks, isAck } from './acks.ts';
import type { MqttAnswer } from './answer.ts';
import { levelOf, willReconnect } from './client.ts';
import { Connection, type ConnectionHooks, guarded } from './connection.ts';
import { readMqtt } from './evidence.ts';
import { isAnswerTopic } from './exchange.ts';
import { ended, Faults, poisonous } from './faults.ts';
import type { MqttHandle } from './handle.ts';
import { label } from './label.ts';
import { Operations } from './operations.ts';
import { CREDENTIALS_FIELDS, type MqttOptions, type ResolvedMqttOptions, resolveMqttOptions } from './options.ts';
import { type Convict, Poison } from './poison.ts';
import { Reconnector } from './reconnect.ts';
import type { MqttRequestOptions, RequestPayload } from './request-options.ts';
import { Requests } from './requests.ts';
import { catchStreamBuilder } from './stream.ts';
import { SubscribeGate } from './subscribe-gate.ts';
import { transfersOver } from './transfers.ts';
import { isEmpty, releaseEnd } from './withdraw.ts';
import { wrapMethods } from './wrap.ts';

/**
 * Attach to a client of mqtt.js: every fault as one typed error, promises that settle, a reconnect that
 * spares the broker. Attach right after `connect()`, before anything is published.
 *
 * A second call with the same options returns the first handle.
 *
 * @throws TypeError for what is no client of mqtt.js, for options that are not what they should be, or others than attached with
 *
 * @example
 * const client = mqtt.connect('mqtts://my-hub.azure-devices.net', { username, password, clientId });
 * const handle = attachMqtt(client);
 * handle.on('fault', ({ error }) => log.warn({ error }));
 */
export function attachMqtt(client: MqttClient, options?: MqttOptions): MqttHandle {
  if (typeof client?.on !== 'function' || typeof client.publish !== 'function' || !client.options)
    throw optionError('attachMqtt', 'client', 'a client of mqtt.js 5', client);
  const resolved = resolveMqttOptions(options);
  return attachOnce(client, 'mqtt', options, (release) => new Attachment(client, resolved, release));
}

const CREDENTIALS = { owner: 'attachMqtt', fields: CREDENTIALS_FIELDS };

class Attachment implements MqttHandle {
  readonly #client: MqttClient;
  readonly #events = new FaultEvents();
  readonly #faults: Faults;
  readonly #acks: Acks;
  readonly #connection: Connection;
  readonly #operations: Operations;
  /** Made with the first request: most clients only publish. */
  #requests: Requests | undefined;
  readonly #makeRequests: () => Requests;
  readonly #reconnector: Reconnector;
  readonly #poison: Poison;
  /** To be taken back once mqtt.js has reacted to the close. */
  #convict: Convict | undefined;
  /** Made with the first subscription. */
  #gate: SubscribeGate | undefined;
  readonly #makeGate: () => SubscribeGate;
  readonly #undo: (() => void)[] = [];
  #endFault: AnyDeviceCloudError | undefined;
  #givenUp: AnyDeviceCloudError | undefined;
  #detached = false;

  constructor(client: MqttClient, options: ResolvedMqttOptions, release: () => void) {
    this.#client = client;
    this.#faults = new Faults(this.#events, () => levelOf(client));
    this.#acks = new Acks(this.#faults, {
      granted: (filter) => this.#requests?.granted(filter),
      isAwaited: (id) => this.#operations.isAwaited(id),
    });
    const clock = options.clock ?? systemClock;
    const { operationTimeoutMs, offlineTimeoutMs } = options;
    const limits = { clock, operationTimeoutMs, offlineTimeoutMs };
    const parts = { client, faults: this.#faults, acks: this.#acks, clock };
    const reasons = {
      fault: () => this.#connection.fault,
      endFault: () => this.#tellEnd(),
      willReconnect: () => willReconnect(client),
    };
    this.#operations = new Operations({ ...parts, ...limits, ...reasons }, client.connected);
    const methods = wrapMethods(client, {
      call: (verb, original, args) =>
        verb === 'subscribe'
          ? this.#gated().call(original, args, 'program')
          : this.#operations.call(verb, original, args),
      ended: () => guarded(() => this.#ended()),
    });
    this.#poison = new Poison({ client, clock, limit: options.withdrawAfterCloses, subscribe: methods.subscribe });
    this.#makeGate = () =>
      new SubscribeGate({
        ...parts,
        operations: this.#operations,
        refuseMs: resolveReconnectOptions('attachMqtt', options.reconnect || undefined).slowDelayMs,
        isTried: (filter) => this.#poison.isTried(filter),
      });
    const transfers = () => transfersOver(this.#operations, this.#gated(), methods);
    this.#makeRequests = () =>
      new Requests({ ...parts, ...transfers(), options, isUp: () => this.#connection.accepted });
    const governed = isGoverned(client, options);
    this.#reconnector = this.#makeReconnector(governed, options, clock);
    this.#connection = new Connection(client, this.#faults, this.#hooks(), {
      clock,
      closesLingering: governed,
      attempt: () => this.#reconnector.failures + 1,
    });
    this.#undo.push(methods.restore, catchStreamBuilder(client), release);
    this.#listen();
  }

  on(name: FaultEventName, listener: FaultListener): void {
    this.#events.on(name, listener);
  }

  off(name: FaultEventName, listener: FaultListener): void {
    this.#events.off(name, listener);
  }

  request<T = unknown>(topic: string, payload?: RequestPayload, options?: MqttRequestOptions): Promise<MqttAnswer<T>> {
    return this.#begun().request<T>(topic, payload, options);
  }

  resume(): void {
    this.#givenUp = undefined;
    this.#gate?.resume();
    this.#operations.resume();
    this.#requests?.resume();
    this.#reconnector.resume();
  }

  detach(): void {
    this.#detached = true;
    for (const undo of this.#undo.splice(0)) undo();
    this.#requests?.detach();
    this.#operations.detach();
    this.#poison.detach();
    this.#gate?.resume();
    this.#reconnector.detach();
    this.#connection.detach();
  }

  #makeReconnector(governed: boolean, options: ResolvedMqttOptions, clock: Clock): Reconnector {
    const client = this.#client;
    const { credentials, random, reconnect } = options;
    return new Reconnector({
      client,
      faults: this.#faults,
      governor: governed
        ? createReconnectGovernor(reconnect || undefined, { owner: 'attachMqtt', clock, random })
        : undefined,
      credentials: credentials && createCredentials(credentials, { clock, shape: CREDENTIALS }),
      clock,
      stableAfterMs: resolveReconnectOptions('attachMqtt', reconnect || undefined).stableAfterMs,
      connectTimeoutMs: governed && reconnect ? reconnect.connectTimeoutMs : undefined,
      isBusy: () => this.#connection.busy,
      gaveUp: (error) => this.#gaveUp(error),
    });
  }

  #hooks(): ConnectionHooks {
    return {
      accepted: ({ sessionPresent }) => {
        this.#givenUp = undefined;
        this.#reconnector.accepted();
        this.#poison.accepted(sessionPresent === true);
        this.#operations.accepted();
        this.#requests?.accepted(sessionPresent === true);
      },
      lost: (error) => {
        this.#acks.disconnected();
        const { convict, isAnswer } = this.#poison.lost(error);
        this.#convict = convict;
        this.#operations.lost(error);
        this.#requests?.lost(error);
        this.#reconnector.lost(error, isAnswer);
      },
      settled: (error) => {
        this.#takeBack(error);
        this.#reconnector.settled(error);
      },
      ended: () => this.#ended(),
    };
  }

  #listen(): void {
    const client = this.#client;
    const sent = (packet: Packet) => guarded(() => this.#sent(packet));
    const received = (packet: Packet) => guarded(() => this.#received(packet));
    const message = (topic: string, payload: Buffer, packet: IPublishPacket) =>
      guarded(() => this.#message(topic, payload, packet));
    const failed = (error: Error) => {
      guarded(() => this.#connection.failed(error));
      // A client made with `new` ends the process over an error nobody hears: so it stays.
      if (client.listenerCount('error') === 1) throw error;
    };
    const over = () => guarded(() => this.#ended());
    client
      .on('packetsend', sent)
      .on('packetreceive', received)
      .on('message', message)
      .on('error', failed)
      .on('end', over);
    this.#undo.push(() => {
      client.off('packetsend', sent).off('packetreceive', received);
      client.off('message', message).off('error', failed).off('end', over);
    });
  }

  #sent(packet: Packet): void {
    if (packet.cmd === 'connect') this.#endFault = undefined;
    this.#connection.sent(packet);
    this.#acks.sent(packet);
    this.#poison.sent(packet);
    if (!this.#poison.isWriting) this.#operations.sent(packet);
    if (packet.cmd === 'unsubscribe') for (const filter of packet.unsubscriptions) this.#requests?.unsubscribed(filter);
  }

  #received(packet: Packet): void {
    this.#connection.received(packet);
    this.#poison.received(packet);
    if (isAck(packet)) this.#reconnector.good();
    const wrong = this.#acks.received(packet);
    if (wrong) this.#connection.suspect(wrong);
  }

  #message(topic: string, payload: Buffer, packet: IPublishPacket): void {
    if (this.#requests?.message(topic, payload, packet) || !isAnswerTopic(topic)) return;
    // The answer to a request that the program made by itself.
    const seen = readMqtt({ topic, payload, properties: packet.properties });
    if (seen) this.#faults.tell(this.#faults.type(seen, label('answer', topic)));
  }

  /** As if it had been there from the beginning. */
  #begun(): Requests {
    if (this.#requests) return this.#requests;
    this.#requests = this.#makeRequests();
    if (this.#givenUp) this.#requests.gaveUp(this.#givenUp);
    if (this.#detached) this.#requests.detach();
    return this.#requests;
  }

  #gated(): SubscribeGate {
    this.#gate ??= this.#makeGate();
    return this.#gate;
  }

  /** What this server closes at, whoever waits for it. */
  #takeBack(fault: AnyDeviceCloudError): void {
    const convict = this.#convict;
    this.#convict = undefined;
    if (!convict) return;
    const error = poisonous(fault, convict);
    if (convict.kind === 'publish') {
      this.#operations.convict(convict.id, error, convict.closes);
      return;
    }
    this.#requests?.unsubscribed(convict.filter);
    this.#gated().refuse(convict.filter, error, convict.closes);
  }

  #gaveUp(error: AnyDeviceCloudError): void {
    this.#givenUp = error;
    this.#operations.gaveUp(error);
    this.#requests?.gaveUp(error);
  }

  #ended(): void {
    this.#reconnector.idle();
    this.#poison.idle();
    if (!isEmpty(this.#client)) releaseEnd(this.#client);
    if (this.#operations.size + (this.#requests?.size ?? 0) === 0) return;
    const fault = this.#tellEnd();
    this.#operations.ended(fault);
    this.#requests?.ended(fault);
  }

  /** Once for one `end()`, however many were pending. */
  #tellEnd(): AnyDeviceCloudError {
    this.#endFault ??= this.#faults.tell(ended('ClientEnded', 'mqtt.connection'));
    return this.#endFault;
  }
}

/** A client made with `reconnectPeriod: 0` was told not to reconnect: only an explicit option says otherwise. */
function isGoverned(client: MqttClient, { reconnect }: ResolvedMqttOptions): boolean {
  return reconnect === undefined ? client.options.reconnectPeriod !== 0 : reconnect !== false;
}
