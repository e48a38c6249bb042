import { beforeEach, expect, it } from 'vitest';
import { type Emulator, type FaultSpec, startEmulator } from '../src/index.ts';
import { bodyText, Client, useClients } from './support/amqp.ts';
import { eventually } from './support/eventually.ts';

/* Registration over AMQP, as azure-iot-provisioning-device-amqp (amqp.ts#L22-L37, #L332-L385) asks and reads it. */

const ADDRESS = '0ne00000001/registrations/reg1';
let emulator: Emulator;
const { open } = useClients(() => emulator);

beforeEach(async () => {
  emulator = await startEmulator({ devices: [], enrollments: ['reg1', 'reg2'], registrationPolls: 1 });
});

function registrant(user = ADDRESS): Client {
  const password = emulator.registrationToken('0ne00000001', 'reg1');
  return open({ username: user, password } as never);
}

const request = (correlationId: string, properties: object, body = '') => ({
  correlation_id: correlationId,
  application_properties: properties as Record<string, unknown>,
  body,
});

const register = (correlationId: string) =>
  request(correlationId, { 'iotdps-operation-type': 'iotdps-register', 'iotdps-forceRegistration': false });

function onRegister(fault: FaultSpec['fault'], more: Partial<FaultSpec> = {}): void {
  emulator.inject({ transport: 'amqp', match: { operation: 'dps-register' }, fault, ...more });
}

it('answers on the other link: assigning with a wait, then the result without one', async () => {
  const client = registrant();
  const first = await client.request(ADDRESS, register('c1'));
  expect(first).toMatchObject({ correlation_id: 'c1', application_properties: { 'retry-after': 3 } });
  const { operationId, ...rest } = JSON.parse(bodyText(first));
  expect(rest).toEqual({ status: 'assigning' });
  const poll = (id: string) =>
    client.request(
      ADDRESS,
      request(id, { 'iotdps-operation-type': 'iotdps-get-operationstatus', 'iotdps-operation-id': operationId }),
    );
  expect(JSON.parse(bodyText(await poll('c2')))).toEqual({ operationId, status: 'assigning' });
  const last = await poll('c3');
  expect(last.application_properties?.['retry-after']).toBeUndefined();
  expect(JSON.parse(bodyText(last))).toMatchObject({
    operationId,
    status: 'assigned',
    registrationState: { deviceId: 'reg1', assignedHub: '127.0.0.1', substatus: 'initialAssignment' },
  });
  const lookup = await client.request(ADDRESS, request('c4', { 'iotdps-operation-type': 'iotdps-get-registration' }));
  expect(JSON.parse(bodyText(lookup))).toEqual(JSON.parse(bodyText(last)).registrationState);
});

it('rejects with the body of the service in the description, and the wait in the info', async () => {
  const client = registrant();
  const sender = client.connection.open_sender(ADDRESS);
  onRegister(429001, { retryAfterS: 7 });
  const { outcome, error } = await client.send(sender, register('c1'));
  expect(outcome).toBe('rejected');
  expect(error).toMatchObject({ condition: 'com.microsoft:device-container-throttled', info: { 'retry-after': 7 } });
  expect(JSON.parse(error?.description ?? '')).toMatchObject({
    errorCode: 429001,
    trackingId: expect.any(String),
    timestampUtc: expect.any(String),
  });
  onRegister({ condition: 'amqp:not-allowed', description: 'as given' });
  const given = await client.send(sender, register('c2'));
  expect(given.error).toMatchObject({ condition: 'amqp:not-allowed', description: 'as given' });
  const unknown = await client.send(sender, request('c3', { 'iotdps-operation-type': 'iotdps-nothing' }));
  expect(JSON.parse(unknown.error?.description ?? '')).toMatchObject({ errorCode: 400004 });
  const operation = { 'iotdps-operation-type': 'iotdps-get-operationstatus', 'iotdps-operation-id': 'none' };
  const missing = await client.send(sender, request('c4', operation));
  expect(JSON.parse(missing.error?.description ?? '')).toMatchObject({ errorCode: 404201 });
});

it('lets a registration open its own links only, and nothing of the hub', async () => {
  const client = registrant();
  for (const address of ['0ne00000001/registrations/reg2', '/devices/reg1/messages/events', '/messages/devicebound']) {
    const refused = client.next('sender_error');
    client.connection.open_sender(address);
    expect((await refused).sender?.error).toHaveProperty('condition');
  }
  const other = registrant('0ne00000001/registrations/reg2');
  expect((await other.next('connection_error')).error).toMatchObject({ condition: 'amqp:unauthorized-access' });
});

it('answers twice, or never, where the script says so: it ran once', async () => {
  const client = registrant();
  const answers: unknown[] = [];
  await client.request(ADDRESS, register('c0'));
  client.answers(ADDRESS, (message) => answers.push(message?.correlation_id));
  onRegister('duplicate');
  await client.request(ADDRESS, register('c1'));
  await eventually(() => answers).toEqual(['c1', 'c1']);
  onRegister('lost-ack');
  void client.request(ADDRESS, register('c2'));
  await eventually(() => emulator.log.executions('dps-register', 'reg1')).toBe(3);
  await client.request(ADDRESS, register('c3'));
  expect(answers).toEqual(['c1', 'c1', 'c3']);
});

it('keeps token and key out of the log and out of the errors', async () => {
  const client = registrant();
  await client.request(ADDRESS, register('c1'));
  const sender = client.connection.open_sender(ADDRESS);
  onRegister(401002);
  const { error } = await client.send(sender, register('c2'));
  const wrong = Client.to(emulator, {
    username: ADDRESS,
    password: 'SharedAccessSignature sr=x&sig=planted&se=1',
  } as never);
  const { error: refused } = await wrong.next('connection_error');
  const written = JSON.stringify([emulator.requests, error, String(refused)]);
  expect(written).toContain('dps-register');
  for (const secret of ['SharedAccessSignature', 'planted', emulator.state.enrollments.keyFor('reg1') ?? '']) {
    expect(written).not.toContain(secret);
  }
});
