import type { Container, Delivery, EventContext } from 'rhea';
import { type ClientOptions, startClient, until } from './client.ts';
import { startPeer } from './server.ts';

/** A peer that sends one message on each link; the client keeps the deliveries. */
export async function receiving(
  script: (container: Container) => void = () => {},
  options: ClientOptions & { receiver?: object; sender?: object } = {},
) {
  const sent: Delivery[] = [];
  const peerOptions = {
    connection: { sender_options: { autosettle: true, ...options.sender } },
    ...(options.connection && { plain: () => true }),
  };
  const peer = await startPeer(peerOptions, (container) => {
    container.on('sendable', ({ sender }) => {
      if (sender.sentOne) return;
      sender.sentOne = true;
      sent.push(sender.send({ body: 'hello' }));
    });
    script(container);
  });
  const client = startClient(peer.port, options);
  const deliveries: Delivery[] = [];
  client.container.on('message', ({ delivery }: EventContext) => deliveries.push(delivery as Delivery));
  const receiver = client.connection.open_receiver({
    source: '/devices/d1/messages/devicebound',
    autoaccept: false,
    ...options.receiver,
  } as never);
  await until(() => deliveries.length === 1);
  return { peer: Object.assign(peer, { sent }), client, receiver, deliveries, delivery: deliveries[0] as Delivery };
}

/** What a promise is rejected with. */
export const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
