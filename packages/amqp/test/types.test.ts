import { attachAmqp } from '@faultmap/amqp';
import rhea, { type Delivery, type Message } from 'rhea';
import { expectTypeOf, it } from 'vitest';

it('what is misspelt or of another type does not compile', () => {
  const connect = () => rhea.create_container().create_connection();
  void function never() {
    const connection = connect();
    // @ts-expect-error: recconect
    attachAmqp(connection, { recconect: {} });
    // @ts-expect-error: a number
    attachAmqp(connection, { creditTimeoutMs: '10 s' });
    // @ts-expect-error: not a connection
    attachAmqp({});
    const handle = attachAmqp(connection, { credentials: () => ({ cbs: { name: 'a', token: 'b' } }) });
    // @ts-expect-error: no such event
    handle.on('error', () => {});
    // @ts-expect-error: no such outcome
    handle.settle({} as Delivery, 'done');
  };
  type Handle = ReturnType<typeof attachAmqp>;
  expectTypeOf<Handle['send']>().returns.resolves.toEqualTypeOf<Delivery>();
  expectTypeOf<Handle['request']>().returns.resolves.toEqualTypeOf<Message>();
});
