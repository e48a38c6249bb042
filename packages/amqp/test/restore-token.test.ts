import type { EventContext, Message } from 'rhea';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, quiet, startClient, until } from './support/client.ts';
import { caught } from './support/receiving.ts';
import { C2D } from './support/restoring.ts';
import { startPeer } from './support/server.ts';

describe('a receiver that is refused for want of a token', () => {
  const start401 = async (options: ClientOptions) => {
    let token = '';
    const started = startPeer({ accept: false }, (container) => {
      container.on('sender_open', ({ sender }) => {
        if (sender.source.address === '$cbs') return;
        if (token !== 'right') sender.close({ condition: 'amqp:unauthorized-access', description: 'Token Invalid.' });
      });
      container.on('message', ({ message, delivery, session }: EventContext) => {
        delivery?.accept();
        token = String(message?.body);
        const application_properties = { 'status-code': token === 'right' ? 200 : 401 };
        const answer = { body: '', correlation_id: message?.message_id, application_properties };
        session?.find_sender(() => true)?.send(answer as Message);
      });
    });
    const client = startClient((await started).port, options);
    return { client, receiver: client.connection.open_receiver(C2D) };
  };
  const putToken = { application_properties: { operation: 'put-token', name: 'hub' }, body: 'right' };

  it('the application puts one: it is attached', async () => {
    const { client, receiver } = await start401({});
    await until(() => client.faults.length === 1);
    await quiet(20);
    expect(client.retries).toEqual([]);
    await client.handle.request('$cbs', putToken);
    await until(() => receiver.is_open());
  });

  it('credentials give one: it is attached', async () => {
    const { client, receiver } = await start401({
      attach: { credentials: () => ({ cbs: { name: 'hub', token: 'right' } }) },
    });
    await until(() => client.recovered.length === 1);
    expect(receiver.is_open()).toBe(true);
    expect(client.faults).toHaveLength(1);
  });

  it('credentials give a wrong one, or none: asked slowly from then on', async () => {
    for (const given of [{ cbs: { name: 'hub', token: 'wrong' } }, undefined, new Error('no network')]) {
      let asked = 0;
      const credentials = () => {
        asked++;
        if (given instanceof Error) throw given;
        return given;
      };
      const { client, receiver } = await start401({ attach: { credentials } });
      await until(() => client.givenUp.some(({ nextProbeAt }) => nextProbeAt));
      await quiet(20);
      expect(asked).toBe(1);
      expect(receiver.is_open()).toBe(false);
      const [, second] = client.retries;
      expect(second?.delayMs).toBeGreaterThan(400_000);
      expect(await caught(client.handle.request('$cbs', putToken))).toBeUndefined();
      await until(() => receiver.is_open());
    }
  });
});
