import { CloudFault } from '../../state/fault.ts';
import type { Identity } from '../../state/identity.ts';
import { keyOf } from '../../state/identity.ts';
import { deliver } from '../deliver.ts';
import { dataSection, sectionBytes } from '../engine.ts';
import { errorBody } from '../errors.ts';
import { serve } from '../exchange.ts';
import type { AmqpMessage, Incoming, Link, LinkService } from '../link.ts';
import { idText, int, long } from '../properties.ts';
import { accept, answerBody } from '../settle.ts';

const REPORTED = '/properties/reported';
const NOTIFICATIONS = '/notifications/twin/properties/desired';

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly version?: number;
}

/** The twin: requests on one link, answers and desired properties on the other. */
export function twin(link: Link): LinkService {
  const { identity } = link;
  if (!identity) return {};
  if (!link.inbound) return notifications(link, identity);
  return { onMessage: (message, delivery) => request(link, identity, message, delivery) };
}

function request(link: Link, identity: Identity, message: AmqpMessage, delivery: Incoming): void {
  accept(delivery);
  const { peer } = link;
  const reply = (answer: Answer) => respond(link, message, answer);
  const now = () => peer.cloud.clock.now();
  void serve<Answer>(peer, {
    operation: operationOf(message),
    deviceId: identity.deviceId,
    moduleId: identity.moduleId,
    messageId: idText(message.correlation_id),
    link,
    run: () => perform(link, identity, message),
    succeed: reply,
    refuse: (error) => reply({ status: error.status, body: errorBody(error, now()) }),
    answer: (fault) => reply({ status: fault.answerStatus, body: answerBody(fault) }),
  });
}

function annotations(message: AmqpMessage): { operation: string; resource: string } {
  const { operation, resource } = message.message_annotations ?? {};
  return { operation: String(operation ?? '').toUpperCase(), resource: String(resource ?? '') };
}

function operationOf(message: AmqpMessage): string {
  const { operation } = annotations(message);
  return operation === 'GET' ? 'twin-get' : operation === 'PATCH' ? 'twin-patch' : 'twin-subscribe';
}

/** @throws CloudFault */
function perform(link: Link, identity: Identity, message: AmqpMessage): Answer {
  const { cloud } = link.peer;
  const { operation, resource } = annotations(message);
  if (operation === 'GET') return { status: 200, body: JSON.stringify(cloud.readDeviceTwin(identity)) };
  if (operation === 'PATCH' && resource === REPORTED) {
    return { status: 204, version: cloud.reportProperties(identity, parse(message)) };
  }
  if ((operation === 'PUT' || operation === 'DELETE') && resource === NOTIFICATIONS) {
    const key = keyOf(identity);
    if (operation === 'PUT') link.peer.desiredSubscriptions.add(key);
    else link.peer.desiredSubscriptions.delete(key);
    return { status: operation === 'PUT' ? 200 : 204 };
  }
  throw new CloudFault('argument-invalid', { text: `Unknown twin operation ${operation} ${resource}` });
}

function parse(message: AmqpMessage): unknown {
  try {
    return JSON.parse(sectionBytes(message.body).toString('utf8'));
  } catch {
    throw new CloudFault('malformed-json');
  }
}

function respond(link: Link, message: AmqpMessage, { status, body, version }: Answer): void {
  const out = link.peer.answerLink(link, message.reply_to);
  out?.send({
    correlation_id: message.correlation_id ?? message.message_id,
    message_annotations: { status: int(status), ...(version !== undefined && { version: long(version) }) },
    // An empty section would be read as JSON by the official client, which then never answers.
    ...(body && { body: dataSection(body) }),
  });
}

/** Desired properties as they change: messages without a correlation id. */
function notifications(link: Link, identity: Identity): LinkService {
  const { peer } = link;
  const key = keyOf(identity);
  const off = peer.cloud.twins.desiredChanged.on((change) => {
    if (keyOf(change.identity) !== key || !peer.desiredSubscriptions.has(key)) return;
    deliver(link, {
      message_annotations: { operation: 'PATCH', resource: NOTIFICATIONS, version: long(change.version) },
      body: dataSection(JSON.stringify(change.patch)),
    });
  });
  return {
    onClosed: () => {
      off();
      peer.desiredSubscriptions.delete(key);
    },
  };
}
