import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IConnectPacket, UserProperties } from 'mqtt-packet';
import type { Refusal } from '../auth.ts';
import { REASON } from '../forms/mqtt.ts';
import type { ListenerContext } from '../listener.ts';
import type { Identity } from '../state/identity.ts';
import type { Subject } from './topics.ts';

/** A CONNECT that may go on, or the code to refuse it with (3.1.1 and 5). */
export type ConnectResult =
  | { readonly ok: true; readonly subject: Subject; readonly expiresAt: number }
  | { readonly ok: false; readonly returnCode: number; readonly reasonCode: number; readonly why: string };

const CODES = {
  version: { returnCode: 1, reasonCode: REASON.unsupportedVersion },
  clientId: { returnCode: 2, reasonCode: REASON.clientIdInvalid },
  unavailable: { returnCode: 3, reasonCode: REASON.serverUnavailable },
  malformed: { returnCode: 4, reasonCode: REASON.badCredentials },
  refused: { returnCode: 5, reasonCode: REASON.notAuthorized },
} as const;

/** How each refusal of a token looks: 4 for what is no token, 3 for a disabled device (azure-iot-sdk-c#314), else 5. */
const BY_REFUSAL: Record<Refusal, keyof typeof CODES> = {
  missing: 'refused',
  malformed: 'malformed',
  expired: 'refused',
  'wrong-signature': 'refused',
  'unknown-policy': 'refused',
  'unknown-device': 'refused',
  'unknown-enrollment': 'refused',
  'device-disabled': 'unavailable',
  'wrong-authentication-type': 'refused',
};

/** What comes with a CONNECT besides the packet. */
export interface ConnectSetup {
  readonly context: ListenerContext;
  readonly thumbprints: readonly string[];
  /** How far the cloud's clock shall be ahead for this one check, in ms. */
  readonly skewMs: number;
}

/** Check version, client id, user name and credentials of a CONNECT. */
export function checkConnect(packet: IConnectPacket, setup: ConnectSetup): ConnectResult {
  if (packet.protocolVersion !== 4 && packet.protocolVersion !== 5) return refuse('version', 'protocol version');
  const named = subjectOf(packet);
  if (!named) return refuse('clientId', 'client id');
  if (setup.context.authority.required && !fits(packet, named)) return refuse('malformed', 'user name');
  const subject = named;
  if (!setup.context.authority.required) return checkKnown(subject, setup);
  if (packet.protocolVersion === 5 && packet.properties?.authenticationMethod !== undefined) {
    return checkPreview(packet, subject, setup);
  }
  const token = packet.password?.toString();
  if (token === undefined && subject.kind === 'device' && setup.thumbprints.length > 0) {
    return byCertificate(subject, setup);
  }
  const result = setup.context.authority.verify(token, setup.skewMs);
  if (!result.ok) return refuse(BY_REFUSAL[result.why], result.why);
  const { principal } = result;
  const covered =
    principal.kind === 'registration'
      ? subject.kind === 'registration' && principal.registrationId === subject.registrationId
      : subject.kind === 'device' &&
        (principal.kind === 'service' ? maySpeakForAll(principal) : same(principal.identity, subject.identity));
  return covered ? { ok: true, subject, expiresAt: principal.expiresAt } : refuse('refused', 'not covered');
}

function maySpeakForAll(principal: { policy: { rights: readonly string[] } }): boolean {
  return principal.policy.rights.includes('device');
}

function checkKnown(subject: Subject, { context }: ConnectSetup): ConnectResult {
  const known =
    subject.kind === 'device'
      ? context.cloud.identities.find(subject.identity) !== undefined
      : context.cloud.enrollments.keyFor(subject.registrationId) !== undefined;
  return known ? { ok: true, subject, expiresAt: Number.POSITIVE_INFINITY } : refuse('refused', 'unknown');
}

function byCertificate(subject: Subject & { kind: 'device' }, { context, thumbprints }: ConnectSetup): ConnectResult {
  const result = context.authority.verifyThumbprint(subject.identity, thumbprints);
  if (!result.ok) return refuse(BY_REFUSAL[result.why], result.why);
  return { ok: true, subject, expiresAt: Number.POSITIVE_INFINITY };
}

const REGISTRATION_USER = /^[^/]+\/registrations\/([^/]+)\//;

/** Whom a CONNECT is from: `device` or `device/module` by client id, a registration by user name. */
function subjectOf(packet: IConnectPacket): Subject | undefined {
  const registration = REGISTRATION_USER.exec(packet.username ?? '')?.[1];
  if (registration !== undefined) {
    return packet.clientId === registration ? { kind: 'registration', registrationId: registration } : undefined;
  }
  const [deviceId, moduleId, more] = packet.clientId.split('/');
  if (!deviceId || more !== undefined || moduleId === '') return undefined;
  return { kind: 'device', identity: moduleId === undefined ? { deviceId } : { deviceId, moduleId } };
}

/** `HOST/ID/?api-version=…`, `HOST/ID/MID/?…`; older clients leave out the question mark. */
function fits(packet: IConnectPacket, subject: Subject): boolean {
  if (subject.kind === 'registration') return true;
  if (packet.properties?.authenticationMethod !== undefined) return true; // the preview has no user name
  const parts = (packet.username ?? '').split('/');
  const { deviceId, moduleId } = subject.identity;
  const names = moduleId === undefined ? [deviceId] : [deviceId, moduleId];
  return parts[0] !== '' && names.every((name, index) => parts[index + 1] === name);
}

function same(a: Identity, b: Identity): boolean {
  return a.deviceId === b.deviceId && a.moduleId === b.moduleId;
}

/**
 * Credentials of the MQTT 5 preview: the signature is the Authentication Data, what was signed
 * are five lines from the packet (iot-hub-mqtt-5@3063533f, "SAS").
 */
export function checkPreview(
  packet: Pick<IConnectPacket, 'clientId' | 'properties'>,
  subject: Subject,
  setup: ConnectSetup,
): ConnectResult {
  const method = packet.properties?.authenticationMethod;
  if (subject.kind !== 'device') return refuse('clientId', 'client id');
  if (method === 'X509') return byCertificate(subject, setup);
  const given = (name: string) => text(packet.properties?.userProperties, name);
  const expiry = given('sas-expiry');
  const signature = packet.properties?.authenticationData;
  if (method !== 'SAS' || !signature || !/^\d{1,16}$/.test(expiry)) return refuse('malformed', 'authentication method');
  const { cloud, authority } = setup.context;
  const record = cloud.identities.find(subject.identity);
  const policy = authority.policies.find((one) => one.name === given('sas-policy') && one.rights.includes('device'));
  const keys = given('sas-policy') === '' ? [record?.primaryKey, record?.secondaryKey] : [policy?.key];
  const signed = `${given('host')}\n${packet.clientId}\n${given('sas-policy')}\n${given('sas-at')}\n${expiry}\n`;
  if (!record) return refuse('refused', 'unknown-device');
  if (!keys.some((key) => key !== undefined && signs(key, signed, signature)))
    return refuse('refused', 'wrong-signature');
  if (record.status === 'disabled') return refuse('unavailable', 'device-disabled');
  if (Number(expiry) <= cloud.clock.now() + setup.skewMs) return refuse('refused', 'expired');
  return { ok: true, subject, expiresAt: Number(expiry) };
}

/** The data is the raw hash; its base64 text is taken too. */
function signs(key: string, signed: string, given: Buffer): boolean {
  const hash = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest();
  const raw = given.length === hash.length ? given : Buffer.from(given.toString(), 'base64');
  return raw.length === hash.length && timingSafeEqual(raw, hash);
}

export function text(properties: UserProperties | undefined, name: string): string {
  const value = properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

function refuse(code: keyof typeof CODES, why: string): ConnectResult {
  return { ok: false, ...CODES[code], why };
}
