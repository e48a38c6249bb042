import { CloudFault } from '../../state/fault.ts';
import type { AckRequest, C2dInput } from '../../state/queues.ts';
import { parseAddress } from '../address.ts';
import { sectionBytes } from '../engine.ts';
import { serve } from '../exchange.ts';
import type { AmqpMessage, Incoming, Link, LinkService } from '../link.ts';
import { commonFields, textProperties, timeOf } from '../properties.ts';
import { accept, reject, settleAs } from '../settle.ts';

const ACKS: readonly AckRequest[] = ['none', 'positive', 'negative', 'full'];

/** Cloud-to-device messages from a service; `to` names the device. */
export function serviceSend(link: Link): LinkService {
  return { onMessage: (message, delivery) => take(link, message, delivery) };
}

function take(link: Link, message: AmqpMessage, delivery: Incoming): void {
  const { cloud } = link.peer;
  const place = parseAddress(message.to);
  const deviceId = place?.kind === 'devicebound' ? place.deviceId : undefined;
  const input = inputOf(message);
  void serve(link.peer, {
    operation: 'c2d-send',
    deviceId,
    messageId: input.messageId,
    link,
    run: () => {
      if (deviceId === undefined) throw new CloudFault('argument-invalid', { text: 'The message names no device' });
      cloud.sendToDevice(deviceId, input);
    },
    succeed: () => accept(delivery),
    again: () => accept(delivery),
    refuse: (error) => reject(delivery, error),
    outcome: (fault) => settleAs(delivery, fault),
  });
}

function inputOf(message: AmqpMessage): C2dInput {
  const ack = message.application_properties?.['iothub-ack'];
  const expiresAt = timeOf(message.absolute_expiry_time);
  return {
    body: sectionBytes(message.body),
    ...commonFields(message),
    properties: textProperties(message, ['iothub-ack']),
    ...(ACKS.includes(ack as AckRequest) && { ack: ack as AckRequest }),
    ...(expiresAt !== undefined && expiresAt > 0 && { expiresAt }),
  };
}
