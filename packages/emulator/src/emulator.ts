import { eventHubConnectionString } from './amqp/services/events.ts';
import { createToken, type Policy } from './auth.ts';
import { CONTROL_PREFIX } from './control/control.ts';
import type { FaultScript } from './faults/script.ts';
import type { FaultSpec, InjectedFault } from './faults/types.ts';
import type { ActivityLog, LogEntry } from './log.ts';
import type { Cloud } from './state/cloud.ts';
import type { DeviceConnection } from './state/connections.ts';
import type { D2cEvent } from './state/events.ts';
import { CloudFault } from './state/fault.ts';
import type { IdentityRecord } from './state/identities.ts';
import type { Identity } from './state/identity.ts';
import type { Signal } from './state/signal.ts';

/** Endpoints; those of a transport that was not started, or of TLS when it was not asked for, are missing. */
export interface EmulatorUrls {
  readonly http?: string;
  readonly https?: string;
  readonly mqtt?: string;
  readonly mqtts?: string;
  readonly ws?: string;
  readonly wss?: string;
  readonly amqp?: string;
  readonly amqps?: string;
}

/** What `emulator.on` hands to listeners, by name. */
export interface EmulatorEvents {
  readonly request: LogEntry;
  readonly connect: DeviceConnection;
  readonly disconnect: DeviceConnection;
  readonly event: D2cEvent;
}

/** What an emulator is made of. */
interface EmulatorParts {
  readonly cloud: Cloud;
  readonly policies: readonly Policy[];
  readonly faults: FaultScript;
  readonly ca: string | undefined;
  readonly control: boolean;
  readonly urls: EmulatorUrls;
  readonly listeners: readonly { connections(): number; close(): Promise<void> }[];
}

const HOUR_S = 3_600;

/** A running emulator. */
export class Emulator {
  /** Endpoints by name. */
  readonly urls: EmulatorUrls;
  readonly #parts: EmulatorParts;
  #stopped: Promise<void> | undefined;

  constructor(parts: EmulatorParts) {
    this.#parts = parts;
    this.urls = parts.urls;
  }

  /** Plain HTTP, REST of service, device and provisioning. Empty when not started. */
  get httpUrl(): string {
    return this.urls.http ?? '';
  }

  /** MQTT over TCP. Empty when not started. */
  get mqttUrl(): string {
    return this.urls.mqtt ?? '';
  }

  /** AMQP over TCP. Empty when not started. */
  get amqpUrl(): string {
    return this.urls.amqp ?? '';
  }

  /** Certificate of the authority to trust, PEM; with `tls` only. */
  get ca(): string | undefined {
    return this.#parts.ca;
  }

  /** The state behind all transports. */
  get state(): Cloud {
    return this.#parts.cloud;
  }

  /** What clients did: `log.requests({ operation })`, `log.executions(operation, messageId)`. */
  get log(): ActivityLog {
    return this.state.log;
  }

  /** All requests seen so far, oldest first. */
  get requests(): ReturnType<ActivityLog['requests']> {
    return this.log.requests();
  }

  /** How often anything took effect for a message id (or `device`, `device/method`). */
  executions(id: string, operation?: string): number {
    return this.log.executionsOf(id, operation);
  }

  /**
   * Hear what happens: each request with its outcome, devices that connect and disconnect, and
   * the messages they send.
   *
   * @returns takes the listener off again
   */
  on<N extends keyof EmulatorEvents>(name: N, listener: (event: EmulatorEvents[N]) => void): () => void {
    const { log, connections, events } = this.state;
    const signals: { [K in keyof EmulatorEvents]: Signal<EmulatorEvents[K]> } = {
      request: log.recorded,
      connect: connections.opened,
      disconnect: connections.closed,
      event: events.added,
    };
    return signals[name].on(listener);
  }

  /** Devices, with their keys. */
  get devices(): readonly IdentityRecord[] {
    return this.state.identities.devices();
  }

  /** Control endpoint, for the terminal and for other programs; empty when it is not served. */
  get controlUrl(): string {
    return this.#parts.control && this.httpUrl ? `${this.httpUrl}${CONTROL_PREFIX}` : '';
  }

  /** Connections held now, over all listeners. */
  get connections(): number {
    return this.#parts.listeners.reduce((sum, listener) => sum + listener.connections(), 0);
  }

  /** Script a fault. @throws TypeError that names the field that is wrong */
  inject(fault: FaultSpec): InjectedFault {
    return this.#parts.faults.inject(fault);
  }

  /** Take back every scripted fault. */
  clearFaults(): void {
    this.#parts.faults.clear();
  }

  /** Scripted faults still to come. */
  get faults(): ReturnType<FaultScript['pending']> {
    return this.#parts.faults.pending();
  }

  /**
   * Set the cloud's clock off by that much, in ms, for everything from now on.
   *
   * @throws TypeError for what is no number or above a hundred years
   */
  setClockSkew(ms: number): void {
    this.state.clock.skewMs = ms;
  }

  /**
   * Connection string of a device or module, as the official SDKs take it.
   *
   * @param hostName - default: the emulator's own name
   * @throws CloudFault for a device that does not exist
   */
  connectionString(deviceId: string, moduleId?: string, hostName = this.state.hostName): string {
    const record = this.state.identities.get({ deviceId, moduleId });
    const module = moduleId === undefined ? '' : `;ModuleId=${moduleId}`;
    return `HostName=${hostName};DeviceId=${deviceId}${module};SharedAccessKey=${record.primaryKey}`;
  }

  /** Connection string of the service side (policy `iothubowner`). */
  get serviceConnectionString(): string {
    const policy = this.#policy('iothubowner');
    return `HostName=${this.state.hostName};SharedAccessKeyName=${policy.name};SharedAccessKey=${policy.key}`;
  }

  /** Connection string of the events endpoint, for clients of Event Hubs: telemetry as a stream (policy `iothubowner`). */
  get eventHubConnectionString(): string {
    return eventHubConnectionString(this.state.hostName, this.#policy('iothubowner'));
  }

  /** A SAS token of a device or module. @param validS - seconds from now, default an hour; negative: expired */
  deviceToken(deviceId: string, moduleId?: string, validS = HOUR_S): string {
    const identity: Identity = { deviceId, moduleId };
    const module = moduleId === undefined ? '' : `/modules/${encodeURIComponent(moduleId)}`;
    return createToken({
      resource: `${this.state.hostName}/devices/${encodeURIComponent(deviceId)}${module}`,
      key: this.state.identities.get(identity).primaryKey,
      expiresS: this.#inSeconds(validS),
    });
  }

  /** A SAS token of a policy. @param validS - seconds from now, default an hour; negative: expired */
  serviceToken(policyName = 'iothubowner', validS = HOUR_S): string {
    const { name, key } = this.#policy(policyName);
    return createToken({ resource: this.state.hostName, key, policy: name, expiresS: this.#inSeconds(validS) });
  }

  /** A SAS token of a registration with the provisioning service. */
  registrationToken(scope: string, registrationId: string, validS = HOUR_S): string {
    const key = this.state.enrollments.keyFor(registrationId);
    if (!key) throw new CloudFault('enrollment-not-found', { target: registrationId });
    return createToken({
      resource: `${scope}/registrations/${registrationId}`,
      key,
      policy: 'registration',
      expiresS: this.#inSeconds(validS),
    });
  }

  /** End every connection and listener. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.state.stop();
    await Promise.all(this.#parts.listeners.map((listener) => listener.close()));
  }

  #policy(name: string) {
    const policy = this.#parts.policies.find((one) => one.name === name);
    if (!policy) throw new TypeError(`No shared access policy is called ${name}`);
    return policy;
  }

  #inSeconds(validS: number): number {
    return this.state.clock.now() / 1000 + validS;
  }
}
