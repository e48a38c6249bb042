import { readAmqp } from '@faultmap/amqp';
import { classify } from '@faultmap/core';
import fc from 'fast-check';
import rhea from 'rhea';
import { describe, expect, it } from 'vitest';

const read = (input: unknown) => classify(input, { readers: [readAmqp] });

/** An unconnected connection of rhea, for the shapes of its objects. */
function ends() {
  const connection = rhea.create_container().create_connection({ reconnect: false } as never);
  const sender = connection.open_sender('/devices/d1/messages/events');
  const receiver = sender.session.open_receiver('/messages/events');
  return { connection, sender, receiver };
}

const detach = (link: object, error: object) => Object.assign(link, { remote: { detach: { error } } });

describe('readAmqp', () => {
  it('reads the error of a link from a context and from a sighting, with its place', () => {
    const { connection, sender } = ends();
    detach(sender, { condition: 'amqp:link:stolen', description: 'newer', info: {} });
    for (const input of [
      { connection, sender },
      { event: 'sender_error', payload: { sender } },
    ])
      expect(readAmqp(input)).toMatchObject({
        transport: 'amqp',
        scope: 'link',
        direction: 'send',
        address: '/devices/d1/messages/events',
        side: 'device',
        condition: 'amqp:link:stolen',
        text: 'newer',
      });
  });

  it('keeps a copy of the record: the next attach overwrites it', () => {
    const { sender } = ends();
    const record = { condition: 'amqp:not-found', description: 'gone', info: undefined };
    detach(sender, record);
    const seen = readAmqp({ event: 'sender_error', payload: { sender } });
    expect(seen?.cause).toEqual(record);
    expect(seen?.cause).not.toBe(record);
  });

  it('tells the quota of a device from the queue of a service by the link', () => {
    const { sender, receiver } = ends();
    const over = { condition: 'amqp:resource-limit-exceeded', description: 'too much' };
    detach(sender, over);
    detach(receiver, over);
    expect(read({ event: 'sender_error', payload: { sender } }).code).toBe(403002);
    expect(read({ event: 'receiver_error', payload: { receiver } }).code).toBe(403004);
  });

  it('reads a forced close, a silent one, and what this side found out', () => {
    const { connection } = ends();
    expect(read({ event: 'disconnected', payload: { connection } })).toMatchObject({ scope: 'connection' });
    expect(read({ event: 'disconnected', expired: 'idle' })).toMatchObject({ category: 'timeout' });
    expect(read({ event: 'disconnected', expired: 'connect' })).toMatchObject({ category: 'timeout', executed: 'no' });
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
    expect(read({ event: 'disconnected', payload: { connection, error: refused } })).toMatchObject({
      category: 'network',
      reason: 'ECONNREFUSED',
      transport: 'amqp',
    });
    expect(
      read({ event: 'protocol_error', payload: Object.assign(new Error('x'), { name: 'ProtocolError' }) }),
    ).toMatchObject({ category: 'protocol' });
  });

  it('keeps passwords of the connection out of errors', () => {
    const { connection } = ends();
    Object.assign(connection.options, { username: 'dev', password: 'hunter2' });
    const error = read({
      event: 'connection_error',
      payload: { connection, error: { condition: 'amqp:internal-error' } },
    });
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  it('says nothing of what is not rhea’s, and never throws', () => {
    for (const input of [undefined, null, 7, 'text', {}, new Error('x'), { event: 'unheard-of' }, { status: 404 }])
      expect(readAmqp(input)).toBeUndefined();
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('mine');
        },
      },
    );
    expect(readAmqp(hostile)).toBeUndefined();
    const names = [
      'connection_error',
      'disconnected',
      'sender_close',
      'receiver_error',
      'session_close',
      'rejected',
      'error',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.anything({ withNullPrototype: true }), (event, payload) => {
        readAmqp({ event, payload });
        readAmqp(payload);
      }),
    );
  });
});
