/* MQTT 5 has words for what is wrong with a packet; the connection is closed with them all the same. */
import { expect, test } from 'vitest';
import { outcome, rejection, staged } from './support/stage.ts';

const quick = { baseDelayMs: 1, maxDelayMs: 5, throttledBaseDelayMs: 1, stableAfterMs: 0 };

test.each([
  ['Packet too large', 0x95],
  ['Topic Name invalid', 0x90],
  ['Payload format invalid', 0x99],
  ['Retain not supported', 0x9a],
  ['QoS not supported', 0x9b],
  ['Not authorized', 0x87],
])('a publish answered by DISCONNECT “%s” is taken back at once, not after slow probes', (text, reasonCode) =>
  staged({ level: 5, attach: { reconnect: quick } }, async (stage) => {
    stage.peer.script({
      publish: (link, { topic }) => {
        if (topic !== 'poison') return false;
        link.send({ cmd: 'disconnect', reasonCode, properties: { reasonString: text } });
        return link.fin();
      },
    });
    const error = await rejection(stage.client.publishAsync('poison', 'x', { qos: 1 }));
    expect(error).toMatchObject({ reason: 'PublishClosesConnection', reasonCode, attempts: 3, advice: 'never' });
    expect(error.message).toContain(text);
    expect(stage.givenUp('mqtt.connect')).toEqual([]);
    expect(await outcome(stage.client.publishAsync('good', 'x', { qos: 1 }))).toHaveProperty('value');
  }),
);
