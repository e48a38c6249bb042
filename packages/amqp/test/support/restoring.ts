/* A receiver that the peer may take away, and everything that came by it. */
import type { FaultEvent } from '@faultmap/core';
import type { Container, EventContext, Message, Sender } from 'rhea';
import { type ClientOptions, startClient, until } from './client.ts';
import { type Peer, startPeer } from './server.ts';

export const FORCED = { condition: 'amqp:link:detach-forced', description: 'moved' };
export const C2D = '/devices/d1/messages/devicebound';

/**
 * A client with an open receiver, at a peer that sends one message on each of its links, or refuses
 * all but the first.
 */
export async function startReceiving(
  options: ClientOptions = {},
  script: (container: Container) => void = () => {},
  refuse: () => boolean = () => false,
  name?: string,
) {
  const attached: Sender[] = [];
  const peer = await startPeer({}, (container) => {
    container.on('sender_open', ({ sender }) => {
      attached.push(sender);
      if (attached.length > 1 && refuse()) sender.close(FORCED);
      else sender.send({ body: attached.length } as Message);
    });
    script(container);
  });
  const client = startClient(peer.port, options);
  const bodies: unknown[] = [];
  client.container.on('message', ({ message }: EventContext) => bodies.push(message?.body));
  const receiver = client.connection.open_receiver({
    source: C2D,
    properties: { api: '1' },
    ...(name && { name }),
  } as never);
  await until(() => bodies.length === 1);
  return { peer, client, receiver, bodies, attached };
}

export const operations = (events: readonly FaultEvent[]) => events.map(({ operation }) => operation);
export const ended = (peer: Peer, condition: string) => {
  const sender = peer.connection.find_sender(() => true);
  sender?.close({ condition });
};
