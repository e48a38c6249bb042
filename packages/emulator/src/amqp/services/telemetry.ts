import rhea from 'rhea';
import type { D2cInput } from '../../state/events.ts';
import { sectionBytes } from '../engine.ts';
import type { WireError } from '../errors.ts';
import { serve } from '../exchange.ts';
import type { AmqpMessage, Incoming, Link, LinkService } from '../link.ts';
import { commonFields, textProperties } from '../properties.ts';
import { accept, reject, settleAs } from '../settle.ts';
import { inputs } from './devicebound.ts';

/** Message format of a batch: each data section is a whole message (Microsoft.Azure.Amqp). */
const BATCH_FORMAT = 0x80013700;

/** Device-to-cloud messages. A module also receives from this address: what comes to its inputs. */
export function telemetry(link: Link): LinkService {
  if (!link.inbound) return inputs(link);
  return { onMessage: (message, delivery, format) => take(link, message, delivery, format) };
}

function take(link: Link, message: AmqpMessage, delivery: Incoming, format: number): void {
  const { peer, identity } = link;
  if (!identity) return;
  const single = format === BATCH_FORMAT ? undefined : inputOf(message);
  void serve(peer, {
    operation: 'd2c',
    deviceId: identity.deviceId,
    moduleId: identity.moduleId,
    messageId: single?.messageId,
    link,
    run: () => {
      for (const input of single ? [single] : unpack(message)) peer.cloud.sendEvent(identity, input, 'amqp');
    },
    succeed: () => accept(delivery),
    again: () => accept(delivery),
    refuse: (error) => reject(delivery, withSize(error, single)),
    outcome: (fault) => settleAs(delivery, fault),
  });
}

/** The recorded text names the size of its message: put in that of ours. */
function withSize(error: WireError, input: D2cInput | undefined): WireError {
  if (error.name !== 'message-too-large' || !input) return error;
  const description = error.record.description.replace(/is \d+ bytes/, `is ${input.body.length} bytes`);
  return { ...error, record: { ...error.record, description } };
}

function inputOf(message: AmqpMessage): D2cInput {
  const output = message.application_properties?.['iothub-outputname'];
  return {
    body: sectionBytes(message.body),
    ...commonFields(message),
    properties: textProperties(message, ['iothub-outputname']),
    ...(typeof output === 'string' && { output }),
  };
}

/** rhea hands over a message of a format of its own undecoded. */
function unpack(batch: unknown): D2cInput[] {
  const outer = Buffer.isBuffer(batch) ? rhea.message.decode(batch) : (batch as { body?: unknown });
  const { content } = (outer.body ?? {}) as { content?: unknown };
  const parts = Array.isArray(content) ? content : [content];
  return parts.filter((part) => Buffer.isBuffer(part)).map((part) => inputOf(rhea.message.decode(part) as AmqpMessage));
}
