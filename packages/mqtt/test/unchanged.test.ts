import { attachMqtt } from '@faultmap/mqtt';
import mqtt, { type IClientOptions } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { startPeer } from './support/peer.ts';
import { connected, staged, until } from './support/stage.ts';

describe('nothing else changes', () => {
  test('the program sees the same events in the same order, attached or not', async () => {
    const seen = async (attached: boolean) => {
      const peer = await startPeer({ script: { publish: (link) => link.reset() } });
      const events: string[] = [];
      const options: IClientOptions = { reconnectPeriod: 30 };
      const client = mqtt.connect(peer.url, options);
      const handle = attached ? attachMqtt(client, { reconnect: { baseDelayMs: 30 } }) : undefined;
      for (const name of ['connect', 'error', 'close', 'offline', 'reconnect', 'message'] as const)
        client.on(name as 'close', () => events.push(name));
      await connected({ client });
      client.publish('a', 'x');
      await until(() => events.filter((name) => name === 'connect').length === 2, 'it reconnects');
      handle?.detach();
      client.end(true);
      await peer.stop();
      return events.slice(0, 6);
    };
    expect(await seen(true)).toEqual(await seen(false));
  });

  test('a listener that throws loses no packet and harms nobody', () =>
    staged({}, async (stage) => {
      const warnings: string[] = [];
      const onWarning = (warning: Error) => warnings.push(warning.message);
      process.on('warning', onWarning);
      await connected(stage);
      stage.handle.on('fault', () => {
        throw new Error('the listener is broken');
      });
      const messages: string[] = [];
      stage.client.on('message', (_, payload) => messages.push(String(payload)));
      const link = stage.peer.links[0];
      link?.send({
        cmd: 'publish',
        topic: '$iothub/twin/res/500/?$rid=x',
        payload: '',
        qos: 0,
        dup: false,
        retain: false,
      });
      for (const payload of ['1', '2', '3'])
        link?.send({ cmd: 'publish', topic: 'a', payload, qos: 0, dup: false, retain: false });
      await until(() => messages.length === 4, 'all messages arrive');
      await until(() => warnings.length > 0, 'the mistake is said');
      process.off('warning', onWarning);
      expect(stage.of('fault')).toHaveLength(1);
      expect(warnings[0]).toContain('the listener is broken');
    }));
});
