/* What a program gives as fresh credentials, and it is not what is expected. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { quick, setStage, until } from './support/stage.ts';

const token = 'SharedAccessSignature sr=hub&sig=c2VjcmV0c2VjcmV0&se=1';

test.each([
  ['a string', token, 'an object { username?, password?, clientId? }, got a string'],
  ['other fields', { token }, 'an object { username?, password?, clientId? }, got an object with none of these'],
  ['a number as password', { password: 5 }, 'a string or a Buffer as password, got a number'],
])('%s is a fault that says so, and no CONNECT goes out with the stale ones', async (_, given, expected) => {
  let answer: unknown = given;
  const stage = await setStage({
    client: { username: 'pump-7', password: 'stale' },
    attach: { reconnect: quick, credentials: () => answer as never },
    peer: { script: { connect: (link, { password }) => (String(password) === 'fresh' ? false : link.connack(5)) } },
  });
  try {
    const { error, operation, attempt } = await stage.heard('fault', 2);
    expect(error).toMatchObject({ reason: 'CredentialsUnavailable', advice: 'backoff', executed: 'no' });
    expect(error.detail).toBe(`attachMqtt: option credentials: expected it to give ${expected}`);
    expect({ operation, attempt }).toEqual({ operation: 'mqtt.connect', attempt: 2 });
    expect(inspect(stage.told) + inspect(error.cause)).not.toContain('c2VjcmV0');
    expect(stage.peer.links).toHaveLength(1);
    answer = { password: Buffer.from('fresh') };
    await until(() => stage.client.connected, 'it connects with what is right');
    expect(stage.peer.links).toHaveLength(2);
  } finally {
    await stage.close();
  }
});
