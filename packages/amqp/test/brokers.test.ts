import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Delivery, EventContext } from 'rhea';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../test/support/ports.ts';
import { type Rabbitmq, rabbitmqPath, startRabbitmq } from '../../../test/support/rabbitmq.ts';
import { QUICK, startClient, until } from './support/client.ts';

const here = dirname(fileURLToPath(import.meta.url));

/** A python that has qpid-proton's binding; Debian installs it for its own. */
const python = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import proton'], { stdio: 'ignore' }).status === 0,
);
if (!rabbitmqPath) console.log('skipped: rabbitmq-server is not installed');

// It starts slowly: meanwhile the tests on qpid-proton run.
let starting: Promise<Rabbitmq> | undefined;
beforeAll(() => {
  starting = rabbitmqPath ? startRabbitmq() : undefined;
  starting?.catch(() => {}); // told by who waits for it
});
afterAll(async () => (await starting)?.stop(), 90_000);

if (!python) console.log('skipped: qpid-proton (package python3-qpid-proton) is not installed');

describe.skipIf(!python)('qpid-proton, an engine of its own, as the peer', () => {
  let peer: ChildProcess;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    peer = spawn(python as string, [join(here, 'support/proton_peer.py'), String(port)]);
    peer.stderr?.on('data', (data) => console.log(`proton: ${data}`));
    await new Promise((resolve) => peer.stdout?.once('data', resolve));
  });

  afterAll(() => peer?.kill());

  const client = (connection?: object) =>
    startClient(port, {
      ...(connection && { connection }),
      attach: { retry: { baseDelayMs: 1, throttledBaseDelayMs: 1 }, attemptTimeoutMs: 500, reconnect: QUICK },
    });

  it('accepted, and accepted but not settled', async () => {
    const { connection, handle, faults } = client();
    for (const address of ['accept', 'unsettled']) {
      const sender = connection.open_sender(address);
      const sent = await Promise.all(Array.from({ length: 200 }, (_, n) => handle.send(sender, { body: n })));
      expect(sent).toHaveLength(200);
    }
    expect(faults).toEqual([]);
  });

  it('rejected, released, modified', async () => {
    const { connection, handle, faults } = client();
    await expect(handle.send(connection.open_sender('reject'), { body: 1 })).rejects.toMatchObject({
      condition: 'amqp:link:message-size-exceeded',
      executed: 'no',
      scope: 'delivery',
    });
    await handle.send(connection.open_sender('release'), { body: 1 });
    await expect(handle.send(connection.open_sender('modify'), { body: 1 })).rejects.toMatchObject({
      reason: 'modified',
      executed: 'unknown',
    });
    expect(faults.map(({ error }) => error.reason)).toEqual([
      'amqp:link:message-size-exceeded',
      'released',
      'modified',
    ]);
  });

  it('withheld: a time-out of unknown outcome', async () => {
    const { connection, handle } = client();
    await expect(handle.send(connection.open_sender('withhold'), { body: 1 })).rejects.toMatchObject({
      category: 'timeout',
      executed: 'unknown',
    });
  });

  it('a refused link: the success that precedes it is none', async () => {
    const { connection, handle, faults, heard } = client();
    const sending = handle.send(connection.open_sender('refuse'), { body: 1 });
    await expect(sending).rejects.toMatchObject({ category: 'not-found', condition: 'amqp:not-found' });
    expect(faults).toHaveLength(1);
    expect(heard).toContain('sender_open');
  });

  it.each(['forced', 'detach', 'end'])('%s: an idempotent send arrives all the same', async (address) => {
    const { connection, handle, faults } = client();
    await handle.send(connection.open_sender(address), { body: 1 }, { idempotent: true });
    expect(faults).toHaveLength(1);
  });

  it('a receiver that is detached for a passing reason is attached again, and receives', async () => {
    const { connection, container, faults } = client();
    const bodies: unknown[] = [];
    container.on('message', ({ message }: EventContext) => bodies.push(message?.body));
    const receiver = connection.open_receiver('moved');
    await until(() => bodies.length === 1);
    expect([bodies[0], receiver.is_open()]).toEqual(['here', true]);
    expect(faults).toHaveLength(1);
  });

  it('stolen: never attached again', async () => {
    const { connection, handle, faults } = client();
    const sender = connection.open_sender('stolen');
    for (const executed of ['unknown', 'no'])
      await expect(handle.send(sender, { body: 1 }, { idempotent: true })).rejects.toMatchObject({
        category: 'conflict',
        executed,
      });
    expect(faults).toHaveLength(1);
  });

  it('a connection refused by open and close', async () => {
    const { faults, recovered } = client({ hostname: 'refused' });
    await until(() => faults.length >= 1);
    expect(faults[0]?.error).toMatchObject({ category: 'unauthorized', scope: 'connection', detail: 'no such device' });
    expect(recovered).toEqual([]);
  });

  it('put-token', async () => {
    const { handle } = client();
    const token = (body: string) => ({ application_properties: { operation: 'put-token', name: 'hub' }, body });
    await handle.request('$cbs', token('right'));
    await expect(handle.request('$cbs', token('wrong'))).rejects.toMatchObject({
      category: 'unauthorized',
      scope: 'cbs',
    });
  });

  it('an idle connection is closed with the condition of a quota, which is none', async () => {
    const { connection, faults } = client();
    await until(() => connection.is_open());
    // Not heard any more, though it still hears.
    connection.socket.write = () => true;
    await until(() => faults.length === 1);
    expect(faults[0]?.error).toMatchObject({ category: 'timeout', condition: 'amqp:resource-limit-exceeded' });
  });
});

describe.skipIf(!rabbitmqPath)('RabbitMQ with its AMQP 1.0 plugin', () => {
  let broker: Rabbitmq;
  beforeAll(async () => {
    broker = (await starting) as Rabbitmq;
  }, 90_000);

  const guest = { username: 'guest', password: 'guest' };
  const client = (attach: object = {}, connection: object = guest) =>
    startClient(broker.amqpPort, { connection, attach: { reconnect: QUICK, retry: { baseDelayMs: 1 }, ...attach } });

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

  it('a send that nobody waits for any more leaves the session alone', async () => {
    const { connection, handle, faults } = client();
    const sender = connection.open_sender('/amq/queue/open');
    await handle.send(sender, { body: 1 });
    const abort = new AbortController();
    const sending = handle.send(sender, { body: 2 }, { signal: abort.signal });
    // Written, and not yet answered: RabbitMQ ends the session for a sender that settles first.
    setImmediate(() => abort.abort());
    await expect(sending).rejects.toThrow(/aborted/);
    await handle.send(sender, { body: 3 });
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

  // Both take it three seconds: at once.
  it('is silent for a full queue and drops the connection; refuses a wrong password late', async () => {
    const full = async () => {
      const { connection, handle, faults } = client();
      const sender = connection.open_sender('/amq/queue/full');
      await handle.send(sender, { body: 1 });
      const error = await handle.send(sender, { body: 2 }).catch((reason) => reason);
      expect(error).toMatchObject({ executed: 'unknown', stopped: 'not-idempotent' });
      expect(faults).toHaveLength(1);
    };
    const refused = async () => {
      const { connection, handle, faults } = client(
        { credentials: () => ({ password: 'guest' }), creditTimeoutMs: 15_000 },
        { username: 'guest', password: 'wrong' },
      );
      // Fresh credentials, the same connection.
      await handle.send(connection.open_sender('/amq/queue/open'), { body: 1 });
      expect(faults).toHaveLength(1);
      expect(faults[0]?.error).toMatchObject({ category: 'unauthorized', scope: 'connection' });
    };
    await Promise.all([full(), refused()]);
  });
});
