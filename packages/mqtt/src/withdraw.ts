import type { MqttClient } from 'mqtt';
import { undeclared } from './client.ts';
import type { Pending } from './pending.ts';

/**
 * Take an operation back from mqtt.js, from wherever it waits, so that it is not sent (again): among
 * the outgoing, in the queue of QoS 0 and of what is no PUBLISH, or behind the re-sending of the store.
 *
 * @param ids - the message ids that are its own
 */
export function withdraw(client: MqttClient, one: Pending, ids: readonly number[]): void {
  const slot = undeclared(client);
  remove(client.queue, (entry) => entry.cb === one.callback || ids.includes(idOf(entry.packet)));
  remove(slot._storeProcessingQueue, (entry) => entry.callback === one.callback);
  for (const id of ids) {
    // The re-sending goes by a list made at its start: it must pass over this one.
    if (slot._storeProcessing && slot._packetIdsDuringStoreProcessing) slot._packetIdsDuringStoreProcessing[id] = true;
    client.removeOutgoingMessage(id);
  }
  if (isEmpty(client)) releaseEnd(client);
}

/**
 * `end()` waits until nothing is outgoing, which only an acknowledgement tells it: for ever, where what was
 * left is taken back, or where there is no connection any more for one to come on.
 */
export function releaseEnd(client: MqttClient): void {
  if (client.disconnecting) client.emit('outgoingEmpty');
}

/** Is nothing outgoing that waits for an acknowledgement? */
export function isEmpty({ outgoing }: MqttClient): boolean {
  return Object.keys(outgoing ?? {}).length === 0;
}

function idOf(packet: object): number {
  return 'messageId' in packet && typeof packet.messageId === 'number' ? packet.messageId : -1;
}

function remove<T>(list: T[] | undefined, matches: (entry: T) => boolean): void {
  const at = list?.findIndex(matches) ?? -1;
  if (at >= 0) list?.splice(at, 1);
}
