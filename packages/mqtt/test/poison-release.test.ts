/* The second half of a QoS 2 publish, which mqtt.js sends again as well. */
import { describe, expect, test } from 'vitest';
import type { Script } from './support/peer.ts';
import { type Library, outcome, rejection, staged, until } from './support/stage.ts';

const quick = { baseDelayMs: 1, maxDelayMs: 5, throttledBaseDelayMs: 1, stableAfterMs: 0 };
const closing: Script = { pubrel: (link) => link.fin() };

describe.concurrent.each<Library>(['newest', 'oldest'])(
  'a PUBREL that the server closes at (%s mqtt.js)',
  (library) => {
    test('is taken back after three connections, by the name of its publish', () =>
      staged({ library, attach: { reconnect: quick }, peer: { script: closing } }, async (stage) => {
        const error = await rejection(stage.client.publishAsync('poison', 'x', { qos: 2 }));
        expect(error).toMatchObject({
          reason: 'PublishClosesConnection',
          operation: 'publish poison',
          executed: 'unknown',
          advice: 'never',
        });
        expect(stage.peer.links).toHaveLength(3);
        stage.peer.script({});
        expect(await outcome(stage.client.publishAsync('good', 'x', { qos: 2 }))).toHaveProperty('value');
        expect(Object.keys(stage.client.outgoing)).toEqual([]);
      }));

    test('also where nobody waits', () =>
      staged({ library, attach: { reconnect: quick }, peer: { script: closing } }, async (stage) => {
        stage.client.publish('poison', 'x', { qos: 2 });
        await until(() => stage.givenUp(/^publish poison$/).length === 1, 'it is given up');
        expect(stage.givenUp(/^publish/)).toMatchObject([{ attempt: 3, error: { reason: 'PublishClosesConnection' } }]);
      }));

    test('but not one that was completed in between', () => {
      let times = 0;
      return staged(
        {
          library,
          attach: { reconnect: quick },
          peer: { script: { pubrel: (link) => (++times % 3 === 0 ? false : link.fin()) } },
        },
        async (stage) => {
          for (let at = 0; at < 4; at++)
            expect(await outcome(stage.client.publishAsync('good', String(at), { qos: 2 }))).toHaveProperty('value');
          expect(stage.givenUp(/^publish/)).toEqual([]);
        },
      );
    });
  },
);
