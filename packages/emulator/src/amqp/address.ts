import type { Identity } from '../state/identity.ts';

/** What an AMQP link address of the cloud names. */
export type Place =
  | { readonly kind: 'cbs' }
  | { readonly kind: 'management' }
  | {
      readonly kind: 'telemetry' | 'devicebound' | 'twin' | 'methods';
      readonly deviceId: string;
      readonly moduleId?: string;
    }
  /** A registration with the provisioning service. */
  | { readonly kind: 'registration'; readonly registrationId: string }
  | { readonly kind: 'service-send' | 'feedback' | 'file-notifications' }
  /** The built-in endpoint by its hub address: answered with a redirect. */
  | { readonly kind: 'events-endpoint'; readonly rest: string }
  /** The Event Hub behind it, by partition. */
  | { readonly kind: 'events-stream'; readonly consumerGroup: string; readonly partition: number }
  /** No address of the cloud (404006). */
  | { readonly kind: 'unknown' };

export type DevicePlace = Extract<Place, { readonly deviceId: string }>;

const UNKNOWN: Place = { kind: 'unknown' };

const DEVICE =
  /^\/devices\/([^/]+)(?:\/modules\/([^/]+))?\/(messages\/events|messages\/devicebound|twin|methods\/devicebound)$/i;
const EVENTS = /^\/messages\/events(\/.*)?$/i;
const REGISTRATION = /^\/?[^/]+\/registrations\/([^/]+)$/i;
const STREAM = /^\/?([^/]+)\/ConsumerGroups\/([^/]+)\/Partitions\/(\d+)$/i;

const deviceKinds: Readonly<Record<string, DevicePlace['kind']>> = {
  'messages/events': 'telemetry',
  'messages/devicebound': 'devicebound',
  twin: 'twin',
  'methods/devicebound': 'methods',
};

const servicePlaces: Readonly<Record<string, Place>> = {
  $cbs: { kind: 'cbs' },
  $management: { kind: 'management' },
  '/messages/devicebound': { kind: 'service-send' },
  '/messages/servicebound/feedback': { kind: 'feedback' },
  '/messages/servicebound/filenotifications': { kind: 'file-notifications' },
};

/**
 * Read a link address; the case of the fixed parts does not count, since the SDKs differ in it
 * (`/messages/serviceBound/feedback`). Full addresses with scheme and host are taken too.
 */
export function parseAddress(address: string | undefined): Place {
  if (address === undefined) return UNKNOWN;
  const path = address.replace(/^amqps?:\/\/[^/]*/i, '');
  // Event Hubs clients ask the node of their hub: `{hub}/$management`.
  const service = servicePlaces[path.replace(/^\/?[^/]+\/(?=\$management$)/i, '').toLowerCase()];
  if (service) return service;
  const device = DEVICE.exec(path);
  if (device) return devicePlace(device[1] as string, device[2], (device[3] as string).toLowerCase());
  const events = EVENTS.exec(path);
  if (events) return { kind: 'events-endpoint', rest: events[1] ?? '' };
  const registration = REGISTRATION.exec(path);
  if (registration) return { kind: 'registration', registrationId: decode(registration[1] as string) };
  const stream = STREAM.exec(path);
  if (!stream) return UNKNOWN;
  return { kind: 'events-stream', consumerGroup: decode(stream[2] as string), partition: Number(stream[3]) };
}

/** Whose place it is. */
export function identityOf({ deviceId, moduleId }: Identity): Identity {
  return moduleId === undefined ? { deviceId } : { deviceId, moduleId };
}

function devicePlace(device: string, module: string | undefined, rest: string): Place {
  const kind = deviceKinds[rest];
  if (!kind) return UNKNOWN;
  return { kind, deviceId: decode(device), ...(module !== undefined && { moduleId: decode(module) }) };
}

/** Percent-decoding that takes a stray `%` as it is. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
