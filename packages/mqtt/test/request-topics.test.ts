import type { IPublishPacket } from 'mqtt-packet';
import { describe, expect, test, vi } from 'vitest';
import { GET, ridOf, say, staged } from './support/requests.ts';
import { rejection } from './support/stage.ts';

// They wait far more than they work.
vi.setConfig({ maxConcurrency: 16 });

describe.concurrent('any other pair of topics', () => {
  test('over MQTT 5: response topic and correlation data', () =>
    staged(
      {
        level: 5,
        peer: {
          script: {
            publish: (link, { topic, payload, properties }) =>
              say(link, properties?.responseTopic ?? '', `${topic}:${payload}`, {
                correlationData: properties?.correlationData,
                userProperties: { mood: 'fine' },
              }),
          },
        },
      },
      async ({ handle, peer }) => {
        const answer = await handle.request<Buffer>('app/ask', 'how?', { responseTopic: 'app/answers/me' });
        expect({ ...answer, payload: String(answer.payload) }).toEqual({
          status: 200,
          payload: 'app/ask:how?',
          properties: { mood: 'fine' },
        });
        expect(peer.links[0]?.of('publish')[0]).toMatchObject({
          topic: 'app/ask',
          properties: { responseTopic: 'app/answers/me' },
        });
      },
    ));

  test('over MQTT 5: two at once, answered in the other order', () =>
    staged({ level: 5 }, async ({ handle, peer }) => {
      const asked: IPublishPacket[] = [];
      peer.script({
        publish: (link, packet) => {
          asked.push(packet);
          if (asked.length === 2)
            for (const one of asked.reverse())
              say(link, 'r', String(one.payload), { correlationData: one.properties?.correlationData });
        },
      });
      const answers = await Promise.all(
        ['1', '2'].map((text) => handle.request<Buffer>('q', text, { responseTopic: 'r' })),
      );
      expect(answers.map(({ payload }) => String(payload))).toEqual(['1', '2']);
    }));

  test('over MQTT 5: a status of the IoT Hub preview', () =>
    staged(
      {
        level: 5,
        peer: {
          script: {
            publish: (link, { properties }) =>
              say(link, '$iothub/responses', '', {
                correlationData: properties?.correlationData,
                userProperties: { status: '0100', reason: 'no such method' },
              }),
          },
        },
      },
      async ({ handle }) => {
        expect(
          await rejection(handle.request('$iothub/methods/x', '', { responseTopic: '$iothub/responses' })),
        ).toMatchObject({ category: 'bad-request', reason: 'BadRequest', detail: 'no such method' });
      },
    ));

  test('over 3.1.1: the request id comes back in the topic, and so does the status', () =>
    staged(
      {
        peer: {
          script: {
            publish: (link, packet) => say(link, `app/res/${String(packet.payload)}/?$rid=${ridOf(packet)}`, 'body'),
          },
        },
      },
      async ({ handle, peer }) => {
        const answer = await handle.request<Buffer>('app/ask', '201', { responseTopic: 'app/res/#' });
        expect({ ...answer, payload: String(answer.payload) }).toMatchObject({ status: 201, payload: 'body' });
        expect(await rejection(handle.request('app/ask', '404', { responseTopic: 'app/res/#' }))).toMatchObject({
          category: 'not-found',
          httpStatus: 404,
          transport: 'mqtt',
        });
        expect(peer.links[0]?.of('subscribe')).toHaveLength(1);
      },
    ));

  test.each([
    [undefined, 'undefined'],
    [7, '7'],
    ['', '""'],
    ['app/#', 'a string of 5 characters'],
    ['app/+/ask', 'a string of 9 characters'],
  ])('cannot be asked at %j, which no message can be published to', (topic, shown) =>
    staged({}, async ({ handle, peer }) => {
      await expect(handle.request(topic as string, 'x', { responseTopic: 'app/answers' })).rejects.toThrow(
        new TypeError(`request: option topic: expected a topic without wildcards, got ${shown}`),
      );
      expect(peer.links.flatMap((link) => link.of('subscribe'))).toEqual([]);
    }),
  );

  test('needs to know where the answer comes', () =>
    staged({}, async ({ handle }) => {
      await expect(handle.request('app/ask')).rejects.toThrow(/request: option responseTopic: expected/);
      await expect(handle.request(GET, '', { qos: 3 as never })).rejects.toThrow(
        /request: option qos: expected one of 0, 1, 2, got 3/,
      );
    }));
});
