import type { Duplex } from 'node:stream';
import type { MqttClient } from 'mqtt';

/**
 * What mqtt.js has but does not declare. Every field is optional: it is used where it is there (5.14
 * to 5.16 agree on all of it), and left alone where a later version has something else.
 */
export interface Undeclared {
  /** Makes the socket of each attempt. */
  streamBuilder?: ((client: MqttClient) => Duplex) | undefined;
  /** Holds the timer of the next attempt; `end()` clears what is in it. */
  reconnectTimer?: ReturnType<typeof setTimeout> | null | undefined;
  /** Ends an attempt that brings no CONNACK. */
  connackTimer?: ReturnType<typeof setTimeout> | undefined;
  /** Ends the connection; by force, without a DISCONNECT. */
  _cleanUp?: ((forced: boolean) => void) | undefined;
  /** Stored messages are being sent again after a reconnect. */
  _storeProcessing?: boolean | undefined;
  /** Message ids that this re-sending passes over. */
  _packetIdsDuringStoreProcessing?: Record<number, boolean> | undefined;
  /** Operations that wait for that re-sending, or for a free message id. */
  _storeProcessingQueue?: { readonly callback?: unknown }[] | undefined;
  /** What it subscribes to again on a new connection, by filter. */
  _resubscribeTopics?: Record<string, { readonly properties?: object }> | undefined;
}

export const undeclared = (client: MqttClient): Undeclared => client as unknown as Undeclared;

/** MQTT protocol level that this client speaks: 3, 4 (3.1.1) or 5. */
export const levelOf = (client: MqttClient): number => client.options?.protocolVersion ?? 4;

/** Will mqtt.js connect again by itself? Where its timer is not to be seen, by what it says of itself. */
export function willReconnect(client: MqttClient): boolean {
  const slot = undeclared(client);
  return 'reconnectTimer' in slot ? Boolean(slot.reconnectTimer) : client.reconnecting;
}
