import type { IConnectPacket } from 'mqtt-packet';
import type { Identity } from '../state/identity.ts';
import { byCertificate, type ConnectResult, type ConnectSetup, refuse, refuseFor } from './credentials.ts';
import { checkPreview } from './preview-auth.ts';
import type { Subject } from './topics.ts';

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
  if (token === undefined && setup.thumbprints.length > 0) return byCertificate(subject, setup);
  const result = setup.context.authority.verify(token, setup.skewMs);
  if (!result.ok) return refuseFor(result.why);
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
      : context.cloud.enrollments.isEnrolled(subject.registrationId);
  return known ? { ok: true, subject, expiresAt: Number.POSITIVE_INFINITY } : refuse('refused', 'unknown');
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
