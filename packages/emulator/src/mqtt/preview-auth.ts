import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IAuthPacket, IConnectPacket, UserProperties } from 'mqtt-packet';
import { byCertificate, type ConnectResult, type ConnectSetup, refuse } from './credentials.ts';
import type { Subject } from './topics.ts';

/*
 * Authentication of the cloud's MQTT 5 preview (iot-hub-mqtt-5@3063533f, "Authentication"): the
 * method and its data are properties of the packet, and what is signed are five lines from it.
 */

/** What a client brings to prove who it is, in a CONNECT or an AUTH. */
interface Proof {
  readonly method: string | undefined;
  readonly data: Buffer | undefined;
  readonly host: string;
  readonly policy: string;
  readonly at: string;
  readonly expiry: string;
}

/** Check the credentials of a CONNECT that names an Authentication Method. */
export function checkPreview(packet: IConnectPacket, subject: Subject, setup: ConnectSetup): ConnectResult {
  return check(proofOf(packet), packet.clientId, subject, setup);
}

/**
 * Check an AUTH on a connection that is open: by the method it was opened with, and for SAS by the
 * same policy or by the device's own keys again ("Reauthentication").
 */
export function checkReauthentication(
  packet: IAuthPacket,
  connect: IConnectPacket,
  subject: Subject,
  setup: ConnectSetup,
): ConnectResult {
  const first = proofOf(connect);
  const now = proofOf(packet);
  if (now.method !== first.method) return refuse('refused', 'another authentication method');
  if (now.policy !== '' && now.policy !== first.policy) return refuse('refused', 'another policy');
  return check({ ...now, host: first.host, policy: first.policy }, connect.clientId, subject, setup);
}

function proofOf({ properties }: Pick<IConnectPacket | IAuthPacket, 'properties'>): Proof {
  const given = (name: string) => text(properties?.userProperties, name);
  return {
    method: properties?.authenticationMethod,
    data: properties?.authenticationData,
    host: given('host'),
    policy: given('sas-policy'),
    at: given('sas-at'),
    expiry: given('sas-expiry'),
  };
}

function check(proof: Proof, clientId: string, subject: Subject, setup: ConnectSetup): ConnectResult {
  if (subject.kind !== 'device') return refuse('clientId', 'client id');
  if (proof.method === 'X509') return byCertificate(subject, setup);
  if (proof.method !== 'SAS') return refuse('method', 'authentication method');
  if (!proof.data || !/^\d{1,16}$/.test(proof.expiry)) return refuse('malformed', 'authentication data');
  const { cloud, authority } = setup.context;
  const record = cloud.identities.find(subject.identity);
  if (!record) return refuse('refused', 'unknown-device');
  const own = proof.policy === '';
  if (own && record.authenticationType !== 'sas') return refuse('refused', 'wrong-authentication-type');
  const policy = authority.policies.find((one) => one.name === proof.policy && one.rights.includes('device'));
  const keys = own ? [record.primaryKey, record.secondaryKey] : [policy?.key];
  const signed = `${proof.host}\n${clientId}\n${proof.policy}\n${proof.at}\n${proof.expiry}\n`;
  const { data } = proof;
  if (!keys.some((key) => key !== undefined && signs(key, signed, data))) return refuse('refused', 'wrong-signature');
  if (record.status === 'disabled') return refuse('unavailable', 'device-disabled');
  if (Number(proof.expiry) <= cloud.clock.now() + setup.skewMs) return refuse('refused', 'expired');
  return { ok: true, subject, expiresAt: Number(proof.expiry) };
}

/** The data is the raw hash; its base64 text is taken too. */
function signs(key: string, signed: string, given: Buffer): boolean {
  const hash = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest();
  const raw = given.length === hash.length ? given : Buffer.from(given.toString(), 'base64');
  return raw.length === hash.length && timingSafeEqual(raw, hash);
}

/** The first value of a user property; empty when it is not there. */
export function text(properties: UserProperties | undefined, name: string): string {
  const value = properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
