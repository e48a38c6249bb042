/* A request that has the id of another one that waits. */
import type { EventContext } from 'rhea';
import { expect, it } from 'vitest';
import { startClient } from './support/client.ts';
import { startPeer } from './support/server.ts';

it.each([
  ['message_id', 'same', 'SAME'],
  ['correlation_id', 7, 7],
])(
  'by its %s is refused, since the answers could not be told apart; after the answer it is not',
  async (name, id, again) => {
    let answer: (() => void) | undefined;
    const bodies: unknown[] = [];
    const peer = await startPeer({}, (container) => {
      container.on('message', ({ message, session }: EventContext) => {
        bodies.push(message?.body);
        answer = () =>
          session
            ?.find_sender(() => true)
            ?.send({
              body: message?.body,
              correlation_id: message?.correlation_id ?? message?.message_id,
              application_properties: { 'status-code': 200 },
            } as never);
        if (bodies.length > 1) answer();
      });
    });
    const client = startClient(peer.port);
    const first = client.handle.request('node', { body: 'one', [name]: id });
    const refused = client.handle.request('node', { body: 'two', [name]: again });
    await expect(refused).rejects.toThrow(
      new TypeError('request: another request to "node" waits for the answer to this message_id or correlation_id'),
    );
    // To another node it is another matter.
    expect(await client.handle.request('other', { body: 'three', [name]: id })).toMatchObject({ body: 'three' });
    await expect.poll(() => bodies.length).toBe(2);
    const second = client.handle.request('node', { body: 'four', [name]: `${id}x` });
    expect(await second).toMatchObject({ body: 'four' });
    client.handle.detach();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  },
);

it('its own, when it is repeated, is not another one', async () => {
  let times = 0;
  const peer = await startPeer({}, (container) => {
    container.on('message', ({ message, session }: EventContext) => {
      const status = ++times === 1 ? 503 : 200;
      const application_properties = { 'status-code': status };
      const answer = { body: 'x', correlation_id: message?.message_id, application_properties };
      session?.find_sender(() => true)?.send(answer as never);
    });
  });
  const client = startClient(peer.port, { attach: { retry: { baseDelayMs: 1, throttledBaseDelayMs: 1 } } });
  await client.handle.request('node', { body: 'x', message_id: 'mine' }, { idempotent: true });
  expect(times).toBe(2);
});
