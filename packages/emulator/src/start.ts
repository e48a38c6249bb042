import { startAmqp } from './amqp/listener.ts';
import { Authority, type Policy, type Right } from './auth.ts';
import { Emulator } from './emulator.ts';
import { FaultScript } from './faults/script.ts';
import { startHttp } from './http/listener.ts';
import type { ListenerContext, RunningListener } from './listener.ts';
import { startMqtt } from './mqtt/listener.ts';
import { type DeviceSpec, type EmulatorOptions, type ResolvedOptions, resolveEmulatorOptions } from './options.ts';
import { Cloud } from './state/cloud.ts';
import { makeKey } from './state/identities.ts';
import { makeCertificates } from './tls.ts';

const POLICIES: readonly (readonly [name: string, rights: readonly Right[]])[] = [
  ['iothubowner', ['registry-read', 'registry-write', 'service', 'device']],
  ['service', ['service']],
  ['device', ['device']],
  ['registryRead', ['registry-read']],
  ['registryReadWrite', ['registry-read', 'registry-write']],
];

/**
 * Start a small device cloud on this machine: HTTP, MQTT and AMQP on one state.
 *
 * @param options - see {@link EmulatorOptions}; all have defaults: free ports on 127.0.0.1, one
 *   device `device1` with made keys, documented limits
 * @returns endpoints, keys, `inject`, the log, the state and `stop()`
 * @throws TypeError for an option that is not as expected; the socket's error for a port in use
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const resolved = resolveEmulatorOptions(options);
  const cloud = new Cloud({ ...resolved.cloud, hostName: resolved.hostName });
  for (const device of resolved.devices) addDevice(cloud, device);
  const authority = new Authority(cloud, makePolicies(options.policies), resolved.auth !== 'none');
  const context: ListenerContext = {
    cloud,
    authority,
    faults: new FaultScript(),
    host: resolved.host,
    ports: resolved.ports,
    tls: resolved.tls && (await makeCertificates(resolved.host, resolved.tls)),
    wire: { bodyShape: resolved.bodyShape },
    control: resolved.control,
    webSockets: new Map(),
    urls: {},
  };
  const listeners = await startListeners(context, resolved.transports);
  return new Emulator({
    cloud,
    policies: authority.policies,
    faults: context.faults,
    ca: context.tls?.ca,
    control: context.control,
    urls: context.urls,
    listeners,
  });
}

const LISTENERS = { http: startHttp, mqtt: startMqtt, amqp: startAmqp } as const;

/** All or none: what has started is closed again when another cannot. */
async function startListeners(
  context: ListenerContext,
  transports: ResolvedOptions['transports'],
): Promise<RunningListener[]> {
  const listeners: RunningListener[] = [];
  try {
    for (const name of ['http', 'mqtt', 'amqp'] as const) {
      if (!transports.includes(name)) continue;
      const listener = await LISTENERS[name](context);
      listeners.push(listener);
      Object.assign(context.urls, listener.urls);
    }
    return listeners;
  } catch (error) {
    await Promise.allSettled(listeners.map((listener) => listener.close()));
    context.cloud.stop();
    throw error;
  }
}

function addDevice(cloud: Cloud, spec: DeviceSpec): void {
  const { deviceId, modules, tags, desired, ...settings } = spec;
  cloud.identities.create({ deviceId }, settings);
  if (tags || desired) cloud.twins.change({ deviceId }, { tags, desired });
  for (const module of modules ?? []) {
    const { moduleId, ...rest } = typeof module === 'string' ? { moduleId: module } : module;
    cloud.identities.create({ deviceId, moduleId }, rest);
  }
}

function makePolicies(keys: Readonly<Record<string, string>> | undefined): Policy[] {
  return POLICIES.map(([name, rights]) => ({ name, key: keys?.[name] ?? makeKey(), rights }));
}
