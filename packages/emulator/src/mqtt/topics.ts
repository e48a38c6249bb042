import type { Identity } from '../state/identity.ts';

/** What a client wants by publishing to a topic. */
export type Publication =
  | { readonly kind: 'd2c'; readonly properties: ReadonlyMap<string, string> }
  | { readonly kind: 'twin-get'; readonly rid: string }
  | { readonly kind: 'twin-patch'; readonly rid: string }
  | { readonly kind: 'method-answer'; readonly status: number; readonly rid: string }
  | { readonly kind: 'dps-register'; readonly rid: string }
  | { readonly kind: 'dps-status'; readonly rid: string; readonly operationId: string }
  | { readonly kind: 'unknown' };

/** Who is connected: a device or module of the hub, or a registration of the provisioning service. */
export type Subject =
  | { readonly kind: 'device'; readonly identity: Identity }
  | { readonly kind: 'registration'; readonly registrationId: string };

const UNKNOWN: Publication = { kind: 'unknown' };

/** The topics a device's own messages live under. */
export function eventsPrefix({ deviceId, moduleId }: Identity): string {
  return `devices/${deviceId}${moduleId === undefined ? '' : `/modules/${moduleId}`}/messages/events/`;
}

export function deviceBoundPrefix({ deviceId }: Identity): string {
  return `devices/${deviceId}/messages/devicebound/`;
}

/** Where messages to a module's inputs come: `…/inputs/{input}/{properties}`. */
export function inputPrefix({ deviceId, moduleId }: Identity, input: string): string {
  return `devices/${deviceId}/modules/${moduleId}/inputs/${input}/`;
}

/** Read the topic of a PUBLISH (iot-mqtt-connect-to-iot-hub). Topics of others are unknown ones. */
export function parsePublication(topic: string, subject: Subject): Publication {
  if (subject.kind === 'registration') return parseRegistration(topic);
  if (topic.startsWith('$iothub/')) return parseHub(topic);
  const prefix = eventsPrefix(subject.identity);
  if (topic.startsWith(prefix)) return { kind: 'd2c', properties: parseBag(topic.slice(prefix.length)) };
  // The trailing slash may be left out where there is no property.
  return topic === prefix.slice(0, -1) ? { kind: 'd2c', properties: NO_PROPERTIES } : UNKNOWN;
}

const METHOD_ANSWER = /^\$iothub\/methods\/res\/(-?\d{1,10})\/\?(.*)$/;
const TWIN_GET = '$iothub/twin/GET/?';
const TWIN_PATCH = '$iothub/twin/PATCH/properties/reported/?';

function parseHub(topic: string): Publication {
  if (topic.startsWith(TWIN_GET)) return withRid('twin-get', topic.slice(TWIN_GET.length));
  if (topic.startsWith(TWIN_PATCH)) return withRid('twin-patch', topic.slice(TWIN_PATCH.length));
  const answer = METHOD_ANSWER.exec(topic);
  const rid = answer && ridIn(answer[2] ?? '');
  return answer && rid !== undefined && rid !== null
    ? { kind: 'method-answer', status: Number(answer[1]), rid }
    : UNKNOWN;
}

function withRid(kind: 'twin-get' | 'twin-patch', query: string): Publication {
  const rid = ridIn(query);
  return rid === undefined ? UNKNOWN : { kind, rid };
}

const REGISTER = '$dps/registrations/PUT/iotdps-register/?';
const STATUS = '$dps/registrations/GET/iotdps-get-operationstatus/?';

function parseRegistration(topic: string): Publication {
  if (topic.startsWith(REGISTER)) {
    const rid = ridIn(topic.slice(REGISTER.length));
    return rid === undefined ? UNKNOWN : { kind: 'dps-register', rid };
  }
  if (!topic.startsWith(STATUS)) return UNKNOWN;
  const query = parseBag(topic.slice(STATUS.length));
  const rid = query.get('$rid');
  return rid === undefined ? UNKNOWN : { kind: 'dps-status', rid, operationId: query.get('operationId') ?? '' };
}

/** `$rid`, which need not be the first of the query and is echoed as it came. */
function ridIn(query: string): string | undefined {
  for (const pair of query.split('&')) if (pair.startsWith('$rid=')) return pair.slice(5);
  return undefined;
}

const NO_PROPERTIES: ReadonlyMap<string, string> = new Map();

/** A property bag: `name=value&name=value`, url-encoded. What cannot be decoded stays as it is. */
export function parseBag(text: string): ReadonlyMap<string, string> {
  if (text === '') return NO_PROPERTIES;
  const bag = new Map<string, string>();
  for (const pair of text.replace(/\/$/, '').split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    bag.set(decode(at < 0 ? pair : pair.slice(0, at)), at < 0 ? '' : decode(pair.slice(at + 1)));
  }
  return bag;
}

export function makeBag(entries: Iterable<readonly [string, string | undefined]>): string {
  const pairs: string[] = [];
  for (const [name, value] of entries) {
    if (value !== undefined) pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  }
  return pairs.join('&');
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What subscriptions are for: what may be delivered to a client. */
export type Channel =
  | 'c2d'
  | 'inputs'
  | 'twin-answers'
  | 'desired'
  | 'methods'
  | 'registration-answers'
  | 'preview-answers'
  | 'preview-c2d'
  | 'preview-desired'
  | 'preview-methods';

const HUB_FILTERS: ReadonlyMap<string, Channel> = new Map([
  ['$iothub/twin/res/#', 'twin-answers'],
  ['$iothub/twin/PATCH/properties/desired/#', 'desired'],
  ['$iothub/methods/POST/#', 'methods'],
]);

const PREVIEW_FILTERS: ReadonlyMap<string, Channel> = new Map([
  ['$iothub/responses', 'preview-answers'],
  ['$iothub/commands', 'preview-c2d'],
  ['$iothub/twin/patch/desired', 'preview-desired'],
]);

/** Which channel a filter opens; nothing for a filter the cloud refuses. */
export function parseFilter(filter: string, subject: Subject, protocolVersion: number): Channel | undefined {
  if (subject.kind === 'registration')
    return filter === '$dps/registrations/res/#' ? 'registration-answers' : undefined;
  const hub = HUB_FILTERS.get(filter);
  if (hub) return hub;
  const { identity } = subject;
  if (filter === `${deviceBoundPrefix(identity)}#` && identity.moduleId === undefined) return 'c2d';
  if (identity.moduleId !== undefined) {
    // All inputs, one of them, or whatever there is for the module, as the C# client asks.
    const prefix = `devices/${identity.deviceId}/modules/${identity.moduleId}/`;
    if (filter.startsWith(prefix) && /^(inputs\/([^/+#]+\/)?)?#$/.test(filter.slice(prefix.length))) return 'inputs';
  }
  if (protocolVersion !== 5) return undefined;
  return (
    PREVIEW_FILTERS.get(filter) ?? (/^\$iothub\/methods\/(\+|[^/+#]+)$/.test(filter) ? 'preview-methods' : undefined)
  );
}
