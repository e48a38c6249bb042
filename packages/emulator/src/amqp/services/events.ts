import type { D2cEvent } from '../../state/events.ts';
import { dataSection, type Sender } from '../engine.ts';
import type { Link, LinkService } from '../link.ts';
import { idValue, long, timestamp } from '../properties.ts';

/** The hub address of the built-in endpoint is only a sign post to the Event Hub behind it. */
export function redirect(link: Link): void {
  const { peer } = link;
  const { host, port } = peer.endpoint;
  const rest = link.place.kind === 'events-endpoint' ? link.place.rest : '';
  const address = `amqps://${host}:${port}/${eventHubName(peer.cloud.hostName)}${rest}`;
  link.fail({
    condition: 'amqp:link:redirect',
    description: 'The link is to be opened at another address.',
    info: { hostname: host, 'network-host': host, port, address },
  });
}

/** Name of the Event Hub behind a hub: the cloud's own have the hub's name in them. */
export function eventHubName(hostName: string): string {
  return `iothub-ehub-${hostName.split('.')[0]?.toLowerCase() ?? 'hub'}`;
}

/** What clients of Event Hubs take to read the telemetry of a hub. */
export function eventHubConnectionString(hostName: string, { name, key }: { name: string; key: string }): string {
  return `Endpoint=sb://${hostName}/;SharedAccessKeyName=${name};SharedAccessKey=${key};EntityPath=${eventHubName(hostName)}`;
}

const SELECTOR = /amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time)\s*(>=?)\s*'([^']*)'/;

/** Telemetry as Event Hubs clients read it: one partition, from where the filter says. */
export function events(link: Link): LinkService {
  const store = link.peer.cloud.events;
  const wanted = selectorOf(link.engine as Sender);
  let next = startOf(wanted, store.count);
  const pump = () => {
    if (!link.hasCredit || next >= store.count) return;
    for (const event of store.from(next)) {
      if (!link.hasCredit) return;
      next = event.sequence + 1;
      if (isWanted(event, wanted)) link.send(toAmqp(event));
    }
  };
  const off = store.added.on(pump);
  return { onCredit: pump, onClosed: () => off() };
}

interface Selector {
  readonly field: string;
  readonly inclusive: boolean;
  readonly value: string;
}

function selectorOf(engine: Sender): Selector | undefined {
  const filter = (engine.source as { filter?: Record<string, unknown> } | undefined)?.filter ?? {};
  for (const one of Object.values(filter)) {
    const text = String((one as { value?: unknown } | null)?.value ?? one);
    const [, field, operator, value] = SELECTOR.exec(text) ?? [];
    if (field && value !== undefined) return { field, inclusive: operator === '>=', value };
  }
  return undefined;
}

/** Offsets are sequence numbers here. Without a filter: from now on, as the cloud does. */
function startOf(selector: Selector | undefined, count: number): number {
  if (!selector || selector.value === '@latest') return count;
  if (selector.field === 'enqueued-time') return 0;
  const from = Number(selector.value);
  if (!Number.isFinite(from) || from < 0) return 0;
  return selector.inclusive ? from : from + 1;
}

function isWanted(event: D2cEvent, selector: Selector | undefined): boolean {
  if (selector?.field !== 'enqueued-time') return true;
  const from = Number(selector.value);
  return selector.inclusive ? event.enqueuedAt >= from : event.enqueuedAt > from;
}

function toAmqp(event: D2cEvent): object {
  const { deviceId, moduleId } = event.identity;
  return {
    ...(event.messageId !== undefined && { message_id: event.messageId }),
    ...(event.correlationId !== undefined && { correlation_id: idValue(event.correlationId) }),
    ...(event.contentType !== undefined && { content_type: event.contentType }),
    ...(event.contentEncoding !== undefined && { content_encoding: event.contentEncoding }),
    message_annotations: {
      'x-opt-sequence-number': long(event.sequence),
      'x-opt-offset': String(event.sequence),
      'x-opt-enqueued-time': timestamp(event.enqueuedAt),
      'iothub-connection-device-id': deviceId,
      ...(moduleId !== undefined && { 'iothub-connection-module-id': moduleId }),
      'iothub-enqueuedtime': timestamp(event.enqueuedAt),
      'iothub-message-source': 'Telemetry',
    },
    application_properties: { ...event.properties },
    body: dataSection(event.body),
  };
}
