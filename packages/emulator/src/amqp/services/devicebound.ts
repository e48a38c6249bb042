import rhea from 'rhea';
import { type Identity, keyOf } from '../../state/identity.ts';
import type { C2dMessage, Queues } from '../../state/queues.ts';
import { deliver } from '../deliver.ts';
import { dataSection } from '../engine.ts';
import { serve } from '../exchange.ts';
import type { Link, LinkService, OutcomeName, Outgoing } from '../link.ts';
import { idValue, timestamp } from '../properties.ts';
import { accept, reject, settleAs } from '../settle.ts';

/** Cloud-to-device messages: locked when sent, settled by the device's outcome. */
export function devicebound(link: Link): LinkService {
  const { peer, identity } = link;
  if (!identity || identity.moduleId !== undefined) return {};
  return fromQueue(link, peer.cloud.queues, identity);
}

/** Messages to the inputs of a module, in the same way. */
export function inputs(link: Link): LinkService {
  const { peer, identity } = link;
  if (identity?.moduleId === undefined) return {};
  return fromQueue(link, peer.cloud.inputs, identity);
}

function fromQueue(link: Link, queues: Queues, identity: Identity): LinkService {
  const key = keyOf(identity);
  const held = new Set<string>();
  const pump = () => {
    while (link.hasCredit) {
      const next = queues.receive(key);
      if (!next) return;
      held.add(next.lockToken);
      sendLocked(link, { queues, key, ...next }, () => held.delete(next.lockToken));
    }
  };
  const off = queues.available.on((id) => id === key && pump());
  return {
    onCredit: pump,
    onClosed: () => {
      off();
      // What the device did not settle is free for its next link.
      for (const token of held) queues.release(key, token);
    },
  };
}

interface Locked {
  readonly queues: Queues;
  readonly key: string;
  readonly lockToken: string;
  readonly message: C2dMessage;
}

function sendLocked(link: Link, locked: Locked, forget: () => void): void {
  deliver(link, toAmqp(locked.message), {
    messageId: locked.message.messageId,
    tag: rhea.string_to_uuid(locked.lockToken),
    onOutcome: (outcome, delivery) => {
      forget();
      settle(link, locked, outcome, delivery);
    },
  });
}

/**
 * The device settled. Where its link settles second (receiver-settle-mode 1) it hears how that
 * went; where it settles first there is no way in AMQP to tell it.
 */
function settle(link: Link, locked: Locked, outcome: OutcomeName, delivery: Outgoing): void {
  const { queues, key, lockToken } = locked;
  const { messageId } = locked.message;
  const action = ACTIONS[outcome];
  void serve(link.peer, {
    operation: 'c2d-settle',
    deviceId: link.identity?.deviceId,
    moduleId: link.identity?.moduleId,
    messageId,
    link,
    run: () => {
      queues[action](key, lockToken);
      link.peer.cloud.log.executed(`c2d-${action}`, messageId);
    },
    succeed: () => delivery.remote_settled || accept(delivery),
    again: () => delivery.remote_settled || accept(delivery),
    refuse: (error) => delivery.remote_settled || reject(delivery, error),
    outcome: (fault) => delivery.remote_settled || settleAs(delivery, fault),
  });
}

const ACTIONS = {
  accepted: 'complete',
  rejected: 'reject',
  released: 'abandon',
  modified: 'abandon',
  none: 'abandon',
} as const satisfies Record<OutcomeName, 'complete' | 'reject' | 'abandon'>;

function toAmqp(message: C2dMessage): object {
  return {
    message_id: message.messageId,
    ...(message.correlationId !== undefined && { correlation_id: idValue(message.correlationId) }),
    ...(message.userId !== undefined && { user_id: Buffer.from(message.userId) }),
    ...(message.contentType !== undefined && { content_type: message.contentType }),
    ...(message.contentEncoding !== undefined && { content_encoding: message.contentEncoding }),
    to: message.to,
    absolute_expiry_time: new Date(message.expiresAt),
    delivery_count: message.deliveryCount - 1,
    application_properties: { ...message.properties, ...(message.ack && { 'iothub-ack': message.ack }) },
    message_annotations: {
      'iothub-enqueuedtime': timestamp(message.enqueuedAt),
      // azure-iot-device-amqp amqp.js: the first parameter of `inputMessage`
      ...(message.input !== undefined && { 'x-opt-input-name': message.input }),
    },
    body: dataSection(message.body),
  };
}
