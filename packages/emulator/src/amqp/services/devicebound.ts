import rhea from 'rhea';
import type { C2dMessage } from '../../state/queues.ts';
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
  const { deviceId } = identity;
  const { queues } = peer.cloud;
  const held = new Set<string>();
  const pump = () => {
    while (link.hasCredit) {
      const next = queues.receive(deviceId);
      if (!next) return;
      held.add(next.lockToken);
      sendLocked(link, deviceId, next, () => held.delete(next.lockToken));
    }
  };
  const off = queues.available.on((id) => id === deviceId && pump());
  return {
    onCredit: pump,
    onClosed: () => {
      off();
      // What the device did not settle is free for its next link.
      for (const token of held) queues.release(deviceId, token);
    },
  };
}

function sendLocked(
  link: Link,
  deviceId: string,
  { lockToken, message }: { lockToken: string; message: C2dMessage },
  forget: () => void,
): void {
  const { messageId } = message;
  deliver(link, toAmqp(message), {
    messageId,
    tag: rhea.string_to_uuid(lockToken),
    onOutcome: (outcome, delivery) => {
      forget();
      settle(link, { deviceId, lockToken, messageId }, outcome, delivery);
    },
  });
}

interface Locked {
  readonly deviceId: string;
  readonly lockToken: string;
  readonly messageId: string;
}

/**
 * The device settled. Where its link settles second (receiver-settle-mode 1) it hears how that
 * went; where it settles first there is no way in AMQP to tell it.
 */
function settle(
  link: Link,
  { deviceId, lockToken, messageId }: Locked,
  outcome: OutcomeName,
  delivery: Outgoing,
): void {
  const { queues } = link.peer.cloud;
  const action = ACTIONS[outcome];
  void serve(link.peer, {
    operation: 'c2d-settle',
    deviceId,
    messageId,
    link,
    run: () => {
      queues[action](deviceId, lockToken);
      link.peer.cloud.log.executed(`c2d-${action}`, messageId);
    },
    succeed: () => delivery.remote_settled || accept(delivery),
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
    message_annotations: { 'iothub-enqueuedtime': timestamp(message.enqueuedAt) },
    body: dataSection(message.body),
  };
}
