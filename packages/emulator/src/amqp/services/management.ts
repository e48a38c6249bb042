import { CloudFault } from '../../state/fault.ts';
import { serve } from '../exchange.ts';
import type { AmqpMessage, Incoming, Link, LinkService } from '../link.ts';
import { int, long, timestamp } from '../properties.ts';
import { accept } from '../settle.ts';
import { eventHubName } from './events.ts';

/** The Event Hub's management node: READ of the hub and of its one partition. */
export function management(link: Link): LinkService {
  if (!link.inbound) return {};
  return { onMessage: (message, delivery) => request(link, message, delivery) };
}

function request(link: Link, message: AmqpMessage, delivery: Incoming): void {
  accept(delivery);
  const reply = (status: number, description: string, body: object = {}, condition?: string) =>
    link.peer.answerLink(link, message.reply_to)?.send({
      correlation_id: message.message_id,
      application_properties: {
        'status-code': int(status),
        'status-description': description,
        ...(condition !== undefined && { 'error-condition': condition }),
      },
      body,
    });
  void serve<object>(link.peer, {
    operation: 'management',
    link,
    run: () => read(link, message),
    succeed: (body) => reply(200, 'OK', body),
    refuse: (error) => reply(error.status, error.text, {}, error.record.condition),
    answer: ({ answerStatus, body }) => reply(answerStatus, typeof body === 'string' ? body : `Status ${answerStatus}`),
  });
}

/** @throws CloudFault */
function read(link: Link, message: AmqpMessage): object {
  const { operation, type, partition } = message.application_properties ?? {};
  if (operation !== 'READ') throw new CloudFault('unsupported-operation');
  const { events, hostName, clock } = link.peer.cloud;
  const name = eventHubName(hostName);
  if (type === 'com.microsoft:eventhub') {
    return { name, type, created_at: timestamp(0), partition_count: int(1), partition_ids: ['0'] };
  }
  if (type !== 'com.microsoft:partition' || String(partition) !== '0') throw new CloudFault('address-not-found');
  const last = events.count - 1;
  return {
    name,
    type,
    partition: '0',
    begin_sequence_number: long(events.first),
    last_enqueued_sequence_number: long(last),
    last_enqueued_offset: String(last),
    last_enqueued_time_utc: timestamp(events.from(last)[0]?.enqueuedAt ?? clock.now()),
    is_partition_empty: events.count === 0,
  };
}
