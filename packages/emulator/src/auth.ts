import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Cloud } from './state/cloud.ts';
import type { Identity } from './state/identity.ts';

/** What a shared access policy may do. */
export type Right = 'registry-read' | 'registry-write' | 'service' | 'device';

export interface Policy {
  readonly name: string;
  /** Base64. */
  readonly key: string;
  readonly rights: readonly Right[];
}

/** Who a valid token speaks for. */
export type Principal =
  | { readonly kind: 'device'; readonly identity: Identity; readonly expiresAt: number }
  | { readonly kind: 'service'; readonly policy: Policy; readonly resource: string; readonly expiresAt: number }
  | { readonly kind: 'registration'; readonly registrationId: string; readonly expiresAt: number };

/** Why a token was refused; none of it is told to the client beyond the documented text. */
export type Refusal =
  | 'missing'
  | 'malformed'
  | 'expired'
  | 'wrong-signature'
  | 'unknown-policy'
  | 'unknown-device'
  | 'unknown-enrollment'
  | 'device-disabled'
  | 'wrong-authentication-type';

export type AuthResult =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly why: Refusal };

interface TokenParts {
  /** `sr` exactly as written: it is what was signed. */
  readonly resource: string;
  readonly signature: string;
  readonly expiry: string;
  readonly policy: string | undefined;
}

const PREFIX = 'SharedAccessSignature ';

/** Take a token apart; nothing when it is not one. */
export function parseToken(token: string): TokenParts | undefined {
  if (!token.startsWith(PREFIX) || token.length > 8192) return undefined;
  const parts = new Map<string, string>();
  for (const pair of token.slice(PREFIX.length).split('&')) {
    const at = pair.indexOf('=');
    if (at > 0) parts.set(pair.slice(0, at).trim(), pair.slice(at + 1));
  }
  const resource = parts.get('sr');
  const signature = decode(parts.get('sig'));
  const expiry = parts.get('se');
  const policy = decode(parts.get('skn'));
  if (!resource || !signature || !expiry || !/^\d{1,15}$/.test(expiry)) return undefined;
  return { resource, signature, expiry, policy: policy || undefined };
}

/** Resources of Event Hubs are urls, for instance `sb://{host}/{hub}`; still url-encoded here. */
const EVENT_HUB = /^[a-z]+%3a%2f%2f/i;

/**
 * HMAC-SHA256 of `resource + "\n" + expiry`, base64. The hub takes a key for the base64 it is, the
 * Event Hub behind its built-in endpoint the same key for text (event-hubs, authenticate-shared-access-signature).
 */
function sign(key: string, resource: string, expiry: string): string {
  return createHmac('sha256', EVENT_HUB.test(resource) ? key : Buffer.from(key, 'base64'))
    .update(`${resource}\n${expiry}`)
    .digest('base64');
}

export interface TokenSpec {
  /** Not yet url-encoded, for instance `localhost/devices/d1`. */
  readonly resource: string;
  /** Base64. */
  readonly key: string;
  /** When it expires, in s since the epoch. */
  readonly expiresS: number;
  readonly policy?: string | undefined;
}

/** Make a token, for tests and examples. */
export function createToken(spec: TokenSpec): string {
  const resource = encodeURIComponent(spec.resource);
  const expiry = String(Math.trunc(spec.expiresS));
  const signature = encodeURIComponent(sign(spec.key, resource, expiry));
  const policy = spec.policy === undefined ? '' : `&skn=${encodeURIComponent(spec.policy)}`;
  return `${PREFIX}sr=${resource}&sig=${signature}${policy}&se=${expiry}`;
}

/** A token taken apart, and the key its signature was found to be of. */
interface Known {
  readonly parts: TokenParts;
  /** `sr`, decoded. */
  readonly resource: string;
  readonly subject: Subject;
  readonly expiresAt: number;
  signedWith: string | undefined;
}

/** At most this many tokens are remembered: parsing and hashing are the costliest steps of a small request. */
const CACHE_LIMIT = 1_000;

/** Checks tokens against the state and the policies. */
export class Authority {
  readonly policies: readonly Policy[];
  /** `false`: every request is allowed, as whom it says. */
  readonly required: boolean;
  readonly #cloud: Cloud;
  readonly #known = new Map<string, Known>();

  constructor(cloud: Cloud, policies: readonly Policy[], required = true) {
    this.#cloud = cloud;
    this.policies = policies;
    this.required = required;
  }

  /**
   * Whom does a token speak for? Host names in it are not compared: clients reach an emulator by
   * many names.
   *
   * @param skewMs - how far the cloud's clock shall be ahead for this one check
   */
  verify(token: string | undefined, skewMs = 0): AuthResult {
    if (!token) return refuse('missing');
    const known = this.#known.get(token) ?? this.#parse(token);
    if (!known) return refuse('malformed');
    const { parts, subject } = known;
    if (parts.policy !== undefined && parts.policy !== 'registration') return this.#verifyPolicy(known, skewMs);
    if ('registrationId' in subject) return this.#verifyRegistration(known, subject.registrationId, skewMs);
    if ('deviceId' in subject) return this.#verifyDevice(known, subject, skewMs);
    return refuse('unknown-policy');
  }

  #parse(token: string): Known | undefined {
    const parts = parseToken(token);
    const resource = decode(parts?.resource);
    const subject = resource === undefined ? undefined : subjectOf(resource);
    if (!parts || resource === undefined || !subject) return undefined;
    const expiresAt = Number(parts.expiry) * 1000;
    const known: Known = { parts, resource, subject, expiresAt, signedWith: undefined };
    if (this.#known.size >= CACHE_LIMIT) this.#known.clear();
    this.#known.set(token, known);
    return known;
  }

  /** A client certificate's SHA-1 or SHA-256 thumbprint against that of the device. */
  verifyThumbprint(identity: Identity, thumbprints: readonly string[]): AuthResult {
    const record = this.#cloud.identities.find(identity);
    if (!record) return refuse('unknown-device');
    if (record.status === 'disabled') return refuse('device-disabled');
    if (record.authenticationType !== 'selfSigned') return refuse('wrong-authentication-type');
    if (!isAmong([record.primaryThumbprint, record.secondaryThumbprint], thumbprints)) return refuse('wrong-signature');
    return accept({ kind: 'device', identity, expiresAt: Number.POSITIVE_INFINITY });
  }

  /** The same of a registration with the provisioning service. */
  verifyRegistrationThumbprint(registrationId: string, thumbprints: readonly string[]): AuthResult {
    const { enrollments } = this.#cloud;
    if (!enrollments.isEnrolled(registrationId)) return refuse('unknown-enrollment');
    const known = enrollments.thumbprintFor(registrationId);
    if (known === undefined) return refuse('wrong-authentication-type');
    if (!isAmong([known], thumbprints)) return refuse('wrong-signature');
    return accept({ kind: 'registration', registrationId, expiresAt: Number.POSITIVE_INFINITY });
  }

  #verifyDevice(known: Known, identity: Identity, skewMs: number): AuthResult {
    const record = this.#cloud.identities.find(identity);
    if (!record) return refuse('unknown-device');
    if (record.authenticationType !== 'sas') return refuse('wrong-authentication-type');
    const why = this.#check(known, [record.primaryKey, record.secondaryKey], skewMs);
    if (why) return refuse(why);
    if (record.status === 'disabled') return refuse('device-disabled');
    return accept({ kind: 'device', identity, expiresAt: known.expiresAt });
  }

  #verifyPolicy(known: Known, skewMs: number): AuthResult {
    const { parts, resource, subject, expiresAt } = known;
    const policy = this.policies.find((one) => one.name === parts.policy);
    if (!policy) return refuse('unknown-policy');
    const why = this.#check(known, [policy.key], skewMs);
    if (why) return refuse(why);
    if ('deviceId' in subject && policy.rights.includes('device')) {
      if (!this.#cloud.identities.find(subject)) return refuse('unknown-device');
      return accept({ kind: 'device', identity: subject, expiresAt });
    }
    return accept({ kind: 'service', policy, resource, expiresAt });
  }

  #verifyRegistration(known: Known, registrationId: string, skewMs: number): AuthResult {
    const key = this.#cloud.enrollments.keyFor(registrationId);
    if (!key) return refuse('unknown-enrollment');
    const why = this.#check(known, [key], skewMs);
    return why ? refuse(why) : accept({ kind: 'registration', registrationId, expiresAt: known.expiresAt });
  }

  #check(known: Known, keys: readonly string[], skewMs: number): Refusal | undefined {
    if (known.signedWith === undefined || !keys.includes(known.signedWith)) {
      known.signedWith = keys.find((key) => matches(known.parts, key));
      if (known.signedWith === undefined) return 'wrong-signature';
    }
    return known.expiresAt <= this.#cloud.clock.now() + skewMs ? 'expired' : undefined;
  }
}

function matches(parts: TokenParts, key: string): boolean {
  const given = Buffer.from(parts.signature);
  const own = Buffer.from(sign(key, parts.resource, parts.expiry));
  return given.length === own.length && timingSafeEqual(given, own);
}

type Subject = Identity | { readonly registrationId: string } | { readonly host: string };

/** `HOST/devices/ID[/modules/MID]`, `SCOPE/registrations/REG`, else the hub itself. */
function subjectOf(resource: string): Subject | undefined {
  const segments = resource.split('/');
  if (segments[1] === 'devices' && segments[2]) {
    const deviceId = decode(segments[2]) ?? '';
    const moduleId = segments[3] === 'modules' && segments[4] ? decode(segments[4]) : undefined;
    return moduleId === undefined ? { deviceId } : { deviceId, moduleId };
  }
  if (segments[1] === 'registrations' && segments[2]) return { registrationId: decode(segments[2]) ?? '' };
  return segments[0] ? { host: segments[0] } : undefined;
}

/** Is one of the known thumbprints given? The case of the digits and colons between them do not count. */
function isAmong(known: readonly (string | null)[], given: readonly string[]): boolean {
  const plain = (text: string | null) => (text ?? '').replaceAll(':', '').toUpperCase();
  const wanted = known.map(plain).filter(Boolean);
  return given.some((one) => wanted.includes(plain(one)));
}

function decode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a broken escape
  }
}

function refuse(why: Refusal): AuthResult {
  return { ok: false, why };
}

function accept(principal: Principal): AuthResult {
  return { ok: true, principal };
}
