import { expect, it } from 'vitest';
import { until } from './support/client.ts';
import { ended, startReceiving } from './support/restoring.ts';

it('a link that a closing container detaches is attached again, and receives', async () => {
  const { peer, client, receiver, bodies } = await startReceiving();
  ended(peer, 'com.microsoft:container-close');
  await until(() => bodies.length === 2);
  expect(receiver.is_open()).toBe(true);
  expect(client.faults).toMatchObject([
    { error: { category: 'server', reason: 'com.microsoft:container-close', advice: 'backoff', scope: 'link' } },
  ]);
  expect(client.givenUp).toEqual([]);
});
