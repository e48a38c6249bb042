/* What a program gives as fresh credentials, and it is not what is expected. */
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { startClient, until } from './support/client.ts';
import { startPeer } from './support/server.ts';

const token = 'SharedAccessSignature sr=hub&sig=c2VjcmV0c2VjcmV0&se=1';
const object = 'an object { username?, password?, token?, cbs? }';

it.each([
  ['a string', token, `${object}, got a string`],
  ['other fields', { sasToken: token }, `${object}, got an object with none of these`],
  ['a token as cbs', { cbs: token }, 'an object { name, token, type? } of strings as cbs, got a string'],
  ['a cbs without its name', { cbs: { token } }, 'an object { name, token, type? } of strings as cbs, got an object'],
])('%s is a fault that says so, and nothing connects with the stale ones', async (_, given, expected) => {
  let asked = 0;
  const peer = await startPeer({
    plain: (_username, password) => {
      asked++;
      return password === 'fresh';
    },
  });
  let answer: unknown = given;
  const client = startClient(peer.port, {
    connection: { username: 'pump-7', password: 'stale' },
    attach: { credentials: () => answer as never },
  });
  await until(() => client.faults.some(({ operation }) => operation === 'credentials'), 'the fault');
  const error = client.faults.find(({ operation }) => operation === 'credentials')?.error;
  expect(error).toMatchObject({ reason: 'CredentialsUnavailable', advice: 'backoff', executed: 'no' });
  expect(error?.detail).toBe(`attachAmqp: option credentials: expected it to give ${expected}`);
  expect(inspect(client.faults) + inspect(error?.cause)).not.toContain('c2VjcmV0');
  expect(asked).toBe(1);
  answer = { password: 'fresh' };
  await until(() => client.connection.is_open(), 'it connects with what is right');
  expect(asked).toBe(2);
});
