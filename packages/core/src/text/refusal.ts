import { judgeMqttNameAt } from '../catalogue/mqtt-reasons.ts';
import type { Judgement } from '../catalogue/types.ts';

/**
 * What stands before the name of a CONNACK's reason: of mqtt.js and mosquitto (`Connection refused: `),
 * of MQTTnet (`Connecting with MQTT server failed (`, `ConnectionRefused…`), of the Azure SDK for .NET,
 * of HiveMQ's client.
 */
const REFUSED =
  /\bconnection ?refused(?:[:(]|, reason ?=)? ?(?=[a-z])|\bconnecting with mqtt server failed \(|\bconnect failed: refused|\bconnack contained an error code: /i;

/** `Connection refused: Server busy`: clients and brokers print the name of a CONNACK's reason. */
export function refusalIn(text: string): Judgement | undefined {
  const refused = REFUSED.exec(text);
  const judged = refused ? judgeMqttNameAt(text.slice(refused.index + refused[0].length)) : undefined;
  // Whatever the reason: who was refused sent nothing yet.
  return judged && { ...judged, executed: 'no' };
}
