import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { Client } from './support/amqp.ts';
import { message, useBench } from './support/bench.ts';

/* Five polls in ten seconds per device (iot-dps-limits); the answer says how long to wait, in the spelling of each transport. */

const bench = useBench();
const REG = 'scope1/registrations/reg1';

async function make() {
  const clock = handClock(Date.now());
  const options = { clock, enrollments: ['reg1'], registrationPolls: 20, registrationRetryAfterS: 4 };
  const made = await bench({ ...options, transports: ['http', 'mqtt', 'amqp'] });
  return { ...made, clock, token: made.emulator.registrationToken('scope1', 'reg1') };
}

/** Statuses of six polls at once, and of one after ten seconds. */
async function sevenPolls(poll: (n: number) => Promise<unknown>, clock: { pass(ms: number): void }) {
  const seen = [];
  for (let n = 0; n < 6; n += 1) seen.push(await poll(n));
  clock.pass(10_001);
  seen.push(await poll(6));
  return seen;
}

test('over HTTP in a header', async () => {
  const { clock, token, service } = await make();
  const config = { headers: { authorization: token } };
  const { data } = await service('PUT', `/${REG}/register`, {}, config);
  const seen = await sevenPolls(async () => {
    const { status, headers } = await service('GET', `/${REG}/operations/${data.operationId}`, undefined, config);
    return [status, headers['retry-after']];
  }, clock);
  expect(seen).toEqual([...Array(5).fill([202, '4']), [429, '4'], [202, '4']]);
});

test('over MQTT in the topic', async () => {
  const { clock, token, mqtt } = await make();
  const username = `${REG}/api-version=2019-03-31`;
  const client = await mqtt({ clientId: 'reg1', username, password: token, keepalive: 0 });
  await client.subscribeAsync('$dps/registrations/res/#');
  const ask = async (topic: string) => {
    const answer = message(client, '$dps/registrations/res/');
    client.publish(topic, '{}');
    return answer;
  };
  const { operationId } = JSON.parse((await ask('$dps/registrations/PUT/iotdps-register/?$rid=r')).payload);
  const topic = (n: number) =>
    `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${n}&operationId=${operationId}`;
  const seen = await sevenPolls(async (n) => (await ask(topic(n))).topic, clock);
  expect(seen).toEqual(
    [202, 202, 202, 202, 202, 429, 202].map((status, n) => `$dps/registrations/res/${status}/?$rid=${n}&retry-after=4`),
  );
});

test('over AMQP in the info of a rejected delivery', async () => {
  const { clock, token, emulator } = await make();
  const client = Client.to(emulator, { username: REG, password: token } as never);
  const operation = { 'iotdps-operation-type': 'iotdps-register' };
  const answer = await client.request(REG, { correlation_id: 'r', application_properties: operation, body: '' });
  const { operationId } = JSON.parse(String((answer.body as { content: Buffer }).content));
  const sender = client.connection.open_sender(REG);
  const seen = await sevenPolls(async () => {
    const properties = { 'iotdps-operation-type': 'iotdps-get-operationstatus', 'iotdps-operation-id': operationId };
    const { outcome, error } = await client.send(sender, { application_properties: properties, body: '' });
    return error ? [outcome, error.condition, error.info?.['retry-after']] : outcome;
  }, clock);
  const throttled = ['rejected', 'com.microsoft:device-container-throttled', 4];
  expect(seen).toEqual([...Array(5).fill('accepted'), throttled, 'accepted']);
  await client.close();
});

test('nothing of the kind where throttling is switched off', async () => {
  const { emulator } = await bench({
    enrollments: ['reg1'],
    registrationPolls: 20,
    throttle: false,
    transports: ['http'],
  });
  const { operationId } = emulator.state.register('reg1');
  for (let n = 0; n < 20; n += 1)
    expect(emulator.state.registrationStatus('reg1', operationId).status).toBe('assigning');
});
