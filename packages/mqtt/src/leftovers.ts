import type { MqttClient } from 'mqtt';
import { undeclared } from './client.ts';

/**
 * Make a call of the program. What mqtt.js cannot write (a payload that is none, a topic too long) it throws
 * at the caller, but keeps: it would be sent again, or subscribed to, with the next connection, where nobody
 * catches what is thrown. So that is taken back first; and where the beginning of the packet is written, so
 * that the server would take what follows for its end, the connection is given up.
 *
 * @param thrownAt - nobody waits for it any more
 */
export function callCleanly<T>(
  client: MqttClient,
  kind: 'publish' | 'subscribe' | 'unsubscribe',
  call: () => T,
  thrownAt: () => void = () => {},
): T {
  const slot = undeclared(client);
  const before = client.getLastMessageId?.();
  const written = client.stream?.writableLength ?? 0;
  const remembered = kind === 'subscribe' ? { ...slot._resubscribeTopics } : undefined;
  try {
    return call();
  } catch (thrown) {
    thrownAt();
    const id = client.getLastMessageId?.();
    if (id && id !== before && client.outgoing?.[id]) {
      if (kind === 'publish') client.removeOutgoingMessage(id);
      // Nothing of it is stored, and its callback would be a rejection that nobody handles.
      else Reflect.deleteProperty(client.outgoing, id);
    }
    if (remembered) restore(slot._resubscribeTopics ?? {}, remembered);
    if ((client.stream?.writableLength ?? 0) > written)
      client.stream.destroy(new Error('Malformed packet: not written to its end'));
    throw thrown;
  }
}

/**
 * What mqtt.js throws at when it writes it, also later, from its store, where that ends the process.
 *
 * @throws TypeError when a payload is neither text nor bytes
 */
export function checkPayload(payload: unknown): void {
  if (!payload || typeof payload === 'string' || ArrayBuffer.isView(payload)) return;
  throw new TypeError(`publish: payload: expected a string or bytes, got a value of type ${typeof payload}`);
}

/** In place: mqtt.js may hold on to the object. */
function restore(now: Record<string, unknown>, before: Readonly<Record<string, unknown>>): void {
  for (const topic of Object.keys(now)) if (!(topic in before)) Reflect.deleteProperty(now, topic);
  Object.assign(now, before);
}
