import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { Script } from './support/peer.ts';
import { outcome, setStage } from './support/stage.ts';

const planted = {
  password: 'planted-password-4711',
  key: 'planted-key-0815',
  signature: 'planted%2Fsig%3D',
  will: 'planted-will',
  payload: 'planted-payload',
  token: 'planted-token',
};
const sas = `SharedAccessSignature sr=hub%2Fdevices%2Fd&sig=${planted.signature}&se=1`;

/** Servers that fail in ways that bring an error near a secret, or repeat one. */
const scripts: readonly Script[] = [
  { connect: (link) => link.connack(link.version === 5 ? 0x86 : 5, { properties: { reasonString: `bad: ${sas}` } }) },
  { connect: (link) => link.fin() },
  { publish: (link) => link.reset() },
  {
    publish: (link, { messageId }) =>
      link.send({ cmd: 'puback', messageId, reasonCode: 0x87, properties: { reasonString: sas } }),
  },
];

/** Everything said while one of them fails us. */
async function listen(script: Script, level: 4 | 5): Promise<unknown[]> {
  const stage = await setStage({
    level,
    peer: { script },
    client: {
      username: `hub/d/?SharedAccessKey=${planted.key}`,
      password: level === 4 ? sas : planted.password,
      will: { topic: 'w', payload: Buffer.from(planted.will), qos: 0, retain: false },
    },
    attach: {
      reconnect: { baseDelayMs: 1, onPermanentFault: 'stop' },
      credentials: () => ({ password: planted.token }),
    },
  });
  const topic = `devices/d/messages/events/token=${planted.token}&b=c`;
  const ended = await outcome(stage.client.publishAsync(topic, planted.payload, { qos: 1 }), 300);
  const said = [...stage.told, ...(ended !== 'pending' && 'error' in ended ? [ended] : [])];
  await stage.close();
  return said;
}

function texts(said: unknown): string[] {
  const { error } = said as { error: Error };
  return [inspect(said, { depth: 9 }), JSON.stringify(said), String(error), inspect(error.cause, { depth: 9 })];
}

test('no secret leaves through an error or an event', async () => {
  const all = await Promise.all(scripts.flatMap((script) => [listen(script, 4), listen(script, 5)]));
  // 3.1.1 has no refused acknowledgement; everything else is told.
  expect(all.filter((said) => said.length > 0)).toHaveLength(7);
  const text = all.flat().flatMap(texts).join('\n');
  for (const [name, secret] of Object.entries(planted)) expect(text.includes(secret), name).toBe(false);
});
