import { judgeMqttName } from '../catalogue/mqtt-reasons.ts';
import type { Judgement } from '../catalogue/types.ts';

/** `Connection refused: Server busy`: clients and brokers print the name of a CONNACK's reason. */
export function refusalIn(text: string): Judgement | undefined {
  const name = /\bconnection refused[:,] ([a-z][a-z ]{3,40})/i.exec(text)?.[1];
  const judged = name === undefined ? undefined : judgeMqttName(name.trim().replace(/ error$/i, ''));
  // Whatever the reason: who was refused sent nothing yet.
  return judged && { ...judged, executed: 'no' };
}
