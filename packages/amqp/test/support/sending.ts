import type { Container, Delivery, EventContext } from 'rhea';
import { type ClientOptions, startClient, until } from './client.ts';
import { type PeerOptions, startPeer } from './server.ts';

export const FORCED = { condition: 'amqp:link:detach-forced', description: 'moved' };
export const RETRY = { baseDelayMs: 1, throttledBaseDelayMs: 1 } as const;

/** A client with an open sender, at a peer that settles by hand. */
export async function start(
  script: (container: Container) => void,
  options: ClientOptions = {},
  peerOptions: PeerOptions = {},
) {
  const peer = await startPeer({ accept: false, ...peerOptions }, script);
  const client = startClient(peer.port, { ...options, attach: { retry: RETRY, ...options.attach } });
  const sender = client.connection.open_sender('/devices/d1/messages/events');
  await until(() => sender.is_open());
  return { peer, client, sender };
}

/** Do one after the other with the messages that come, the last for all others. */
export function each(container: Container, ...steps: ((delivery: Delivery, context: EventContext) => void)[]) {
  const bodies: unknown[] = [];
  container.on('message', (context: EventContext) => {
    const step = steps[Math.min(bodies.length, steps.length - 1)];
    bodies.push(context.message?.body);
    step?.(context.delivery as Delivery, context);
  });
  return bodies;
}

export const accept = (delivery: Delivery) => delivery.accept();
