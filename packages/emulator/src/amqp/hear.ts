import type { Container, Receiver, Sender } from './engine.ts';
import type { AmqpMessage, Incoming, OutcomeName, Outgoing } from './link.ts';
import type { Peer } from './peer.ts';

interface EngineEvent {
  readonly sender?: Sender;
  readonly receiver?: Receiver;
  readonly session?: unknown;
  readonly message?: AmqpMessage;
  readonly delivery?: unknown;
  readonly format?: number;
}

/** Tell a peer what happens on its connection. Every event that rhea raises unheard is heard: one would end the process. */
export function hear(engine: Container, peer: Peer): void {
  const on = (name: string, handler: (event: EngineEvent) => void) => engine.on(name, handler as never);
  on('connection_open', () => peer.opened());
  on('sender_open', ({ sender }) => sender && peer.attached(sender));
  on('receiver_open', ({ receiver }) => receiver && peer.attached(receiver));
  on('message', ({ receiver, message, delivery, format }) => {
    if (delivery) peer.linkOf(receiver)?.received(message ?? {}, delivery as Incoming, format ?? 0);
  });
  on('sendable', ({ sender }) => peer.linkOf(sender)?.credited());
  for (const outcome of ['accepted', 'rejected', 'released', 'modified'] as const) {
    on(outcome, ({ delivery }) => settled(peer, outcome, delivery as Outgoing));
  }
  on('settled', ({ delivery }) => settled(peer, 'none', delivery as Outgoing));
  for (const name of ['sender_close', 'receiver_close', 'sender_error', 'receiver_error']) {
    on(name, ({ sender, receiver }) => peer.linkOf(sender ?? receiver)?.closed());
  }
  for (const name of ['session_close', 'session_error']) on(name, ({ session }) => peer.sessionClosed(session));
  for (const name of ['connection_close', 'connection_error']) on(name, () => peer.closedByClient());
  // rhea ends the socket itself after these two.
  on('protocol_error', () => peer.close({ condition: 'amqp:connection:framing-error', description: NOT_AMQP }));
  on('error', () => peer.close({ condition: 'amqp:decode-error', description: UNDECODABLE }));
  on('disconnected', () => {});
}

/** An outcome comes first, and once more with the settlement: the link takes the first word. */
function settled(peer: Peer, outcome: OutcomeName, delivery: Outgoing | undefined): void {
  if (delivery) peer.linkOf(delivery.link)?.settled(outcome, delivery);
}

const NOT_AMQP = 'What came is no AMQP 1.0.';
const UNDECODABLE = 'A frame could not be decoded.';
