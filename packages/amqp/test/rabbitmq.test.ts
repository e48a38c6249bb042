import type { Delivery, EventContext } from 'rhea';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QUICK, startClient, until } from './support/client.ts';
import { type Rabbitmq, rabbitmqPath, startRabbitmq } from './support/rabbitmq.ts';

if (!rabbitmqPath) console.log('skipped: rabbitmq-server is not installed');

describe.skipIf(!rabbitmqPath)('RabbitMQ with its AMQP 1.0 plugin', () => {
  let broker: Rabbitmq;
  beforeAll(async () => {
    broker = await startRabbitmq();
  }, 90_000);
  afterAll(() => broker?.stop(), 30_000);

  const guest = { username: 'guest', password: 'guest' };
  const client = (attach: object = {}, connection: object = guest) =>
    startClient(broker.port, { connection, attach: { reconnect: QUICK, retry: { baseDelayMs: 1 }, ...attach } });

  it('sends, receives, settles', async () => {
    const { connection, handle, faults, container } = client();
    const sender = connection.open_sender('/amq/queue/open');
    await Promise.all(Array.from({ length: 100 }, (_, n) => handle.send(sender, { body: n })));
    const deliveries: Delivery[] = [];
    container.on('message', ({ delivery }: EventContext) => deliveries.push(delivery as Delivery));
    connection.open_receiver({ source: '/amq/queue/open', autoaccept: false } as never);
    await until(() => deliveries.length === 100);
    await Promise.all(deliveries.map((delivery) => handle.settle(delivery, 'accepted')));
    expect(faults).toEqual([]);
  });

  it('an address that is not there: it ends the session, and says why', async () => {
    const { connection, handle, faults } = client();
    const sending = handle.send(connection.open_sender('/exchange/missing/key'), { body: 1 });
    await expect(sending).rejects.toMatchObject({ category: 'not-found', scope: 'session', executed: 'no' });
    expect(faults).toHaveLength(1);
    expect(connection.is_open()).toBe(true);
  });

  it('a queue that may not be read: the same', async () => {
    const { connection, faults, heard } = client();
    connection.open_receiver('/amq/queue/closed');
    await until(() => heard.includes('session_close'));
    expect(faults).toHaveLength(1);
    expect(faults[0]?.error).toMatchObject({ category: 'unauthorized', scope: 'session' });
  });

  it('a wrong password: one fault, fresh credentials, the same connection', async () => {
    const { connection, handle, faults } = client(
      { credentials: () => ({ password: 'guest' }), creditTimeoutMs: 15_000 },
      { username: 'guest', password: 'wrong' },
    );
    // It answers a refusal after three seconds only.
    await handle.send(connection.open_sender('/amq/queue/open'), { body: 1 });
    expect(faults).toHaveLength(1);
    expect(faults[0]?.error).toMatchObject({ category: 'unauthorized', scope: 'connection' });
  });
});
