import rhea, { type Container, type EventContext, type Message } from 'rhea';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, QUICK, quiet, startClient, until } from './support/client.ts';
import { startPeer } from './support/server.ts';

type Reply = Partial<Message> | 'none' | ((context: EventContext) => void);

/** A peer with a node that answers each request with the next reply, the last one for ever. */
async function answering(replies: readonly Reply[], options: ClientOptions = {}) {
  const requests: Message[] = [];
  const attached: EventContext[] = [];
  const peer = await startPeer({}, (container: Container) => {
    container.on('receiver_open', (context: EventContext) => attached.push(context));
    container.on('sender_open', (context: EventContext) => attached.push(context));
    container.on('message', (context: EventContext) => {
      const request = context.message as Message;
      const reply = replies[Math.min(requests.length, replies.length - 1)] as Reply;
      requests.push(request);
      if (reply === 'none') return;
      if (typeof reply === 'function') return reply(context);
      const answer = context.session?.find_sender(() => true);
      answer?.send({
        body: undefined,
        correlation_id: request.correlation_id ?? request.message_id,
        ...reply,
      } as Message);
    });
  });
  const client = startClient(peer.port, {
    ...options,
    attach: { retry: { baseDelayMs: 1, throttledBaseDelayMs: 1 }, ...options.attach },
  });
  return { peer, client, requests, attached };
}

const TOKEN = 'SharedAccessSignature sr=hub&sig=c2VjcmV0c2VjcmV0&se=1';
const putToken = (): Message => ({
  application_properties: { operation: 'put-token', type: 'servicebus.windows.net:sastoken', name: 'hub/devices/d1' },
  body: TOKEN,
});
const status = (code: number, description = 'because', spelling = 'status-code'): Reply => ({
  application_properties: {
    [spelling]: code,
    [spelling === 'status-code' ? 'status-description' : 'statusDescription']: description,
  },
});
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );

describe('put-token at $cbs', () => {
  it.each(['status-code', 'statusCode'])(
    'succeeds by %s, and asks as the cloud wants to be asked',
    async (spelling) => {
      const { client, requests } = await answering([status(200, 'OK', spelling)]);
      const answer = await client.handle.request('$cbs', putToken());
      expect(answer.application_properties?.[spelling]).toBe(200);
      expect(requests[0]).toMatchObject({ to: '$cbs', reply_to: 'cbs', body: TOKEN });
      expect(typeof requests[0]?.message_id).toBe('string');
      expect(client.faults).toEqual([]);
    },
  );

  it.each(['status-code', 'statusCode'])(
    'a 401 by %s is an UnauthorizedError of scope cbs, without the token',
    async (spelling) => {
      const { client, requests } = await answering([
        status(401, 'The specified SAS token has an invalid signature.', spelling),
      ]);
      const error = await caught(client.handle.request('$cbs', putToken()));
      expect(error).toMatchObject({
        category: 'unauthorized',
        scope: 'cbs',
        stopped: 'not-transient',
        operation: 'request $cbs',
      });
      expect(requests).toHaveLength(1);
      expect(client.faults).toHaveLength(1);
      const { inspect } = await import('node:util');
      expect(
        inspect(error, { depth: 9 }) + JSON.stringify(error) + inspect((error as Error).cause, { depth: 9 }),
      ).not.toContain('c2VjcmV0');
    },
  );

  it('429 and 5xx are repeated: a token put twice is the same token', async () => {
    const { client, requests } = await answering([status(429), status(500), status(503), status(200)]);
    await client.handle.request('$cbs', putToken());
    expect(requests).toHaveLength(4);
    expect(new Set(requests.map(({ message_id }) => message_id)).size).toBe(4);
    expect(client.faults.map(({ error }) => error.category)).toEqual(['throttled', 'server', 'server']);
    expect(client.recovered).toHaveLength(1);
  });
});

describe('other nodes', () => {
  it('management: condition and tracking id of the answer; a write of 500 is not repeated', async () => {
    const { client, requests } = await answering([
      {
        application_properties: {
          statusCode: 500,
          statusDescription: 'Oops. TrackingId:199d4ef5701b45dd9f64a6fc9fcde7f4_G28, SystemTracker:x, Timestamp:2025',
          errorCondition: 'com.microsoft:timeout',
        },
      },
    ]);
    const error = await caught(
      client.handle.request('hub/$management', { application_properties: { operation: 'CREATE' }, body: 1 }),
    );
    expect(error).toMatchObject({
      scope: 'management',
      condition: 'com.microsoft:timeout',
      executed: 'unknown',
      stopped: 'not-idempotent',
    });
    expect((error as { trackingId?: string }).trackingId).toMatch(/^199d4ef5701b45dd9f64a6fc9fcde7f4/);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.reply_to).toBeDefined();
  });

  it('a twin: pre-settled links with one channel id; the annotation status decides', async () => {
    const get = (): Message => ({ message_annotations: { operation: 'GET' }, correlation_id: 'get:1', body: ' ' });
    const body = rhea.message.data_section(Buffer.from('{"desired":{"$version":1}}'));
    const { client, requests, attached } = await answering([
      { message_annotations: { status: 429 }, body: '' },
      { message_annotations: { status: 200 }, body },
    ]);
    const answer = await client.handle.request('/devices/d1/twin', get());
    expect(answer.body.content.toString()).toBe('{"desired":{"$version":1}}');
    expect(requests).toHaveLength(2);
    expect(client.faults.map(({ error }) => error.category)).toEqual(['throttled']);
    const ids = attached.map(
      ({ receiver, sender }) => (receiver ?? sender)?.properties['com.microsoft:channel-correlation-id'],
    );
    expect(ids[0]).toMatch(/^twin:/);
    expect(ids[0]).toBe(ids[1]);
    expect(attached.find(({ receiver }) => receiver)?.receiver?.snd_settle_mode).toBe(1);
  });

  it('a twin that fails: the number in the body comes first', async () => {
    const body = rhea.message.data_section(
      Buffer.from('{"errorCode":404001,"trackingId":"0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1","message":"no device"}'),
    );
    const { client } = await answering([{ message_annotations: { status: 404 }, body }]);
    const error = await caught(
      client.handle.request('/devices/d1/twin', { message_annotations: { operation: 'GET' }, body: ' ' }),
    );
    expect(error).toMatchObject({
      category: 'not-found',
      code: 404001,
      trackingId: '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:1',
    });
  });

  it.each([
    ['a number', 7],
    ['text', 'Abc'],
    ['uuid bytes', Buffer.from('0a1b2c3d4e5f60718293a4b5c6d7e8f9', 'hex')],
  ])('an id that is %s finds its answer, and no annotation at all is a success', async (_what, id) => {
    const { client } = await answering([{ body: 'yes' }]);
    const answer = await client.handle.request('node', { message_id: id, body: 1 });
    expect(answer.body).toBe('yes');
  });

  it('many at once, answered out of order', async () => {
    const waiting: (() => void)[] = [];
    const { client } = await answering([
      ({ message, session }) => {
        const answer = session?.find_sender(() => true);
        waiting.push(() => answer?.send({ body: message?.body, correlation_id: message?.message_id } as Message));
        if (waiting.length === 20) for (const send of waiting.reverse()) send();
      },
    ]);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => client.handle.request('node', { body: n })));
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it("the application's own listeners hear nothing of these links", async () => {
    const { client } = await answering([{ body: 'yes' }]);
    const messages: unknown[] = [];
    client.container.on('message', (context) => messages.push(context));
    await client.handle.request('node', { body: 1 });
    expect(messages).toEqual([]);
    expect(client.heard.filter((name) => !name.startsWith('connection'))).toEqual([]);
  });

  it('a node that sends answers to an address of its own choice (dynamic source)', async () => {
    const { client, requests } = await answering([{ body: 'yes' }]);
    await client.handle.request('node', { body: 1 }, { replyTo: 'elsewhere' });
    expect(requests[0]?.reply_to).toBe('elsewhere');
  });
});

describe('a request that gets no answer', () => {
  it('ends by its time-out, and says it may have run', async () => {
    const { client } = await answering(['none'], { attach: { attemptTimeoutMs: 20 } });
    const error = await caught(client.handle.request('node', { body: 1 }));
    expect(error).toMatchObject({ category: 'timeout', executed: 'unknown', stopped: 'not-idempotent' });
    expect(client.faults).toHaveLength(1);
  });

  it('ends by the deadline and by an abort', async () => {
    const { client } = await answering(['none']);
    const late = await caught(client.handle.request('node', { body: 1 }, { retry: { deadlineMs: 30 } }));
    expect(late).toMatchObject({ category: 'timeout', stopped: 'deadline' });
    const abort = new AbortController();
    const waiting = caught(client.handle.request('node', { body: 1 }, { signal: abort.signal }));
    await quiet(10);
    abort.abort(new Error('enough'));
    expect(await waiting).toEqual(new Error('enough'));
  });

  const gone = {
    'the answer link is detached': ({ session }: EventContext) =>
      session?.find_sender(() => true)?.close({ condition: 'amqp:link:detach-forced' }),
    'the session ends': ({ session }: EventContext) => session?.close({ condition: 'amqp:internal-error' }),
    'the connection is closed': ({ connection }: EventContext) =>
      connection.close({ condition: 'amqp:internal-error' }),
    'the socket is reset': ({ connection }: EventContext) => connection.socket.resetAndDestroy(),
  };

  it.each(Object.entries(gone))('%s: all who wait are rejected with that fault as the cause', async (_what, end) => {
    let seen = 0;
    const { client } = await answering([
      (context) => {
        if (++seen === 3) end(context);
      },
    ]);
    const errors = await Promise.all([1, 2, 3].map((body) => caught(client.handle.request('node', { body }))));
    expect(client.faults).toHaveLength(1);
    for (const error of errors) {
      expect(error).toMatchObject({ executed: 'unknown', stopped: 'not-idempotent' });
      expect((error as Error).cause).toBe(client.faults[0]?.error);
    }
  });

  it.each(Object.entries(gone))('%s: an idempotent request is answered on new links', async (_what, end) => {
    const { client, requests } = await answering([end, { body: 'yes' }]);
    const answer = await client.handle.request('node', { body: 1 }, { idempotent: true });
    expect(answer.body).toBe('yes');
    expect(requests).toHaveLength(2);
  });

  it('the links are refused: nothing was sent', async () => {
    const peer = await startPeer({}, (container) => {
      container.on('sender_open', ({ sender }) =>
        sender.close({ condition: 'amqp:not-found', description: 'no node' }),
      );
    });
    const client = startClient(peer.port);
    const error = await caught(client.handle.request('nowhere', { body: 1 }));
    expect(error).toMatchObject({ category: 'not-found', executed: 'no' });
  });

  it('there is no connection, and none soon', async () => {
    const peer = await startPeer({ plain: () => false });
    const client = startClient(peer.port, {
      connection: { username: 'dev', password: 'wrong' },
      attach: { reconnect: { ...QUICK, onPermanentFault: 'stop' } },
    });
    await until(() => client.givenUp.length === 1);
    const error = await caught(client.handle.request('node', { body: 1 }));
    expect(error).toMatchObject({ category: 'unauthorized', executed: 'no', attempts: 0 });
  });
});
