import { createHmac, X509Certificate } from 'node:crypto';
import provisioning from 'azure-iot-provisioning-device';
import provisioningAmqp from 'azure-iot-provisioning-device-amqp';
import provisioningHttp from 'azure-iot-provisioning-device-http';
import provisioningMqtt from 'azure-iot-provisioning-device-mqtt';
import symmetricKey from 'azure-iot-security-symmetric-key';
import x509 from 'azure-iot-security-x509';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DPS, HUB, type Lab, startLab } from './lab.ts';

const KEY = Buffer.from('a key of the enrolment').toString('base64');
const WRONG_KEY = Buffer.from('a key of another one').toString('base64');
const GROUP_KEY = Buffer.from('a key of the whole group').toString('base64');
const FAILURE = { errorCode: 400209, errorMessage: 'Custom allocation failed with status code: 500' };

const transports = {
  mqtt: provisioningMqtt.Mqtt,
  'mqtt-ws': provisioningMqtt.MqttWs,
  amqp: provisioningAmqp.Amqp,
  'amqp-ws': provisioningAmqp.AmqpWs,
  http: provisioningHttp.Http,
} as const;

type Name = keyof typeof transports;
const names = Object.keys(transports) as Name[];

const connack = { message: 'Connection refused: Not authorized', code: 5 };
// The client takes no notice of the outcome of SASL, and finds the connection gone.
const sasl = { name: 'NotConnectedError' };

/** What is raised for credentials that do not hold. */
const REFUSED: Record<Name, object> = {
  mqtt: connack,
  'mqtt-ws': connack,
  amqp: sasl,
  'amqp-ws': sasl,
  http: { name: 'UnauthorizedError', responseBody: expect.stringContaining('"errorCode":401002') },
};

const topic = { name: 'DeviceNotFoundError', result: { errorCode: 404201 } };
const rejected = { condition: 'amqp:not-found', description: expect.stringContaining('"errorCode":404201') };

/** What is raised for 404201. */
const GONE: Record<Name, object> = {
  mqtt: topic,
  'mqtt-ws': topic,
  amqp: rejected,
  'amqp-ws': rejected,
  http: { message: 'Not found', responseBody: expect.stringContaining('"errorCode":404201') },
};

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

let lab: Lab;
const certificates = new Map<string, Certificate>();

beforeAll(async () => {
  const byCertificate = await Promise.all(
    names.map(async (name) => {
      const registrationId = `cert-${name}`;
      const { cert, private: key } = await generate([{ name: 'commonName', value: registrationId }], { keyType: 'ec' });
      certificates.set(registrationId, { cert, key });
      return { registrationId, x509Thumbprint: new X509Certificate(cert).fingerprint256 };
    }),
  );
  const byKey = names.flatMap((name) => [
    { registrationId: `key-${name}` },
    { registrationId: `refused-${name}` },
    { registrationId: `busy-${name}` },
    { registrationId: `gone-${name}` },
    { registrationId: `failing-${name}`, fails: FAILURE },
    { registrationId: `disabled-${name}`, disabled: true },
  ]);
  lab = await startLab({
    devices: [],
    enrollments: [...byKey.map((one) => ({ ...one, symmetricKey: KEY })), ...byCertificate],
    enrollmentGroupKey: GROUP_KEY,
    registrationPolls: 1,
    registrationRetryAfterS: 1,
  });
});

afterAll(() => lab.stop());

/** What `register()` comes to: the state, or the error. */
async function register(name: Name, security: unknown): Promise<unknown> {
  const transport = new transports[name]();
  const client = provisioning.ProvisioningDeviceClient.create(
    DPS,
    '0ne00000001',
    transport as never,
    security as never,
  );
  try {
    return await client.register();
  } catch (error) {
    return error;
  }
}

const withKey = (registrationId: string, key = KEY) => new symmetricKey.SymmetricKeySecurityClient(registrationId, key);

function statusesOf(registrationId: string, operation: string): (number | undefined)[] {
  return lab.emulator.log.requests({ operation, deviceId: registrationId }).map(({ status }) => status);
}

// Together: most of the time is the seconds that the service asks its clients to wait.
describe.concurrent.each(names)('azure-iot-provisioning-device over %s', (name) => {
  it('registers with a key, polling while it is being assigned', async () => {
    const state = await register(name, withKey(`key-${name}`));
    expect(state).toMatchObject({ assignedHub: HUB, deviceId: `key-${name}`, status: 'assigned' });
    expect(statusesOf(`key-${name}`, 'dps-status')).toHaveLength(2);
    expect(lab.emulator.log.executions('dps-register', `key-${name}`)).toBe(1);
    const made = lab.emulator.state.identities.get({ deviceId: `key-${name}` });
    expect(made).toMatchObject({ authenticationType: 'sas', primaryKey: KEY });
  });

  it('registers with a certificate, which the device goes on with', async () => {
    const registrationId = `cert-${name}`;
    const certificate = certificates.get(registrationId);
    const state = await register(name, new x509.X509Security(registrationId, certificate as never));
    expect(state).toMatchObject({ assignedHub: HUB, deviceId: registrationId, status: 'assigned' });
    const { authenticationType } = lab.emulator.state.identities.get({ deviceId: registrationId });
    expect(authenticationType).toBe('selfSigned');
  });

  it('registers as one of a group, with the key that is derived for it', async () => {
    const registrationId = `grouped-${name}`;
    const key = createHmac('sha256', Buffer.from(GROUP_KEY, 'base64')).update(registrationId).digest('base64');
    expect(await register(name, withKey(registrationId, key))).toMatchObject({ status: 'assigned' });
    expect(lab.emulator.state.identities.get({ deviceId: registrationId }).primaryKey).toBe(key);
  });

  it('is told that a key is wrong, and that nobody enrolled it', async () => {
    const enrolled = await register(name, withKey(`refused-${name}`, WRONG_KEY));
    const unknown = await register(name, withKey(`nobody-${name}`));
    for (const error of [enrolled, unknown]) expect(error).toMatchObject(REFUSED[name]);
    expect(lab.emulator.log.executions('dps-register', `refused-${name}`)).toBe(0);
  });

  it('is told that a registration failed, and that one is disabled', async () => {
    const [failed, disabled] = await Promise.all([
      register(name, withKey(`failing-${name}`)),
      register(name, withKey(`disabled-${name}`)),
    ]);
    const registrationState = { status: 'failed', ...FAILURE };
    expect(failed).toMatchObject({ name: 'ProvisioningRegistrationFailedError', result: { registrationState } });
    // The client knows no such status.
    expect(disabled).toMatchObject({ name: 'SyntaxError', result: { registrationState: { status: 'disabled' } } });
  });

  it('comes again after the wait when it is throttled (over HTTP it gives up)', async () => {
    const registrationId = `busy-${name}`;
    const match = { operation: 'dps-register', deviceId: registrationId };
    lab.emulator.inject({ match, fault: 429001, retryAfterS: 1 });
    const outcome = await register(name, withKey(registrationId));
    if (name === 'http') expect(outcome).toMatchObject({ name: 'ThrottlingError' });
    else expect(outcome).toMatchObject({ status: 'assigned', deviceId: registrationId });
    const asked = lab.emulator.log.requests({ operation: 'dps-register', deviceId: registrationId });
    expect(asked.map(({ outcome: one }) => one)).toEqual(name === 'http' ? ['429001'] : ['429001', 'ok']);
  });

  it('is told of an error of the service', async () => {
    const registrationId = `gone-${name}`;
    lab.emulator.inject({ match: { operation: 'dps-register', deviceId: registrationId }, fault: 404201 });
    expect(await register(name, withKey(registrationId))).toMatchObject(GONE[name]);
  });
});
