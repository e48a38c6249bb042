import type { IPublishPacket } from 'mqtt-packet';
import { REASON } from '../forms/mqtt.ts';

/** Aliases a client may use, numbered from 1 (iot-hub-mqtt-5, "Topic Alias Maximum"). */
export const MOST_TOPIC_ALIASES = 10;

/** What the numbers that a client sends in place of topics stand for, on one connection. */
export class TopicAliases {
  readonly #topics = new Map<number, string>();

  /** The packet with its topic, or the reason code its client is disconnected with (MQTT 5, 3.3.2.3.4). */
  resolve(packet: IPublishPacket): IPublishPacket | number {
    const alias = packet.properties?.topicAlias;
    if (alias === undefined) return packet.topic === '' ? REASON.protocolError : packet;
    if (alias < 1 || alias > MOST_TOPIC_ALIASES) return REASON.topicAliasInvalid;
    if (packet.topic !== '') {
      this.#topics.set(alias, packet.topic);
      return packet;
    }
    const topic = this.#topics.get(alias);
    return topic === undefined ? REASON.protocolError : { ...packet, topic };
  }
}
