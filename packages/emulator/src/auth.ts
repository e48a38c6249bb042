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

/** HMAC-SHA256 of `resource + "\n" + expiry` under the base64 key, base64. */
function sign(key: string, resource: string, expiry: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(`${resource}\n${expiry}`).digest('base64');
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

/** At most this many verified tokens are remembered. */
const CACHE_LIMIT = 1_000;

/** Checks tokens against the state and the policies. */
export class Authority {
  readonly policies: readonly Policy[];
  /** `false`: every request is allowed, as whom it says. */
  readonly required: boolean;
  readonly #cloud: Cloud;
  /** Signature checks are the costliest step of a small request: token + key → matched. */
  readonly #matched = new Map<string, boolean>();

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
    const parts = parseToken(token);
    if (!parts) return refuse('malformed');
    const subject = subjectOf(decode(parts.resource) ?? '');
    if (!subject) return refuse('malformed');
    const expiresAt = Number(parts.expiry) * 1000;
    if (parts.policy !== undefined && parts.policy !== 'registration')
      return this.#verifyPolicy(parts, subject, expiresAt, skewMs);
    if ('registrationId' in subject) return this.#verifyRegistration(parts, subject.registrationId, expiresAt, skewMs);
    if ('deviceId' in subject) return this.#verifyDevice(parts, subject, expiresAt, skewMs);
    return refuse('unknown-policy');
  }

  /** A client certificate's SHA-1 or SHA-256 thumbprint against that of the device. */
  verifyThumbprint(identity: Identity, thumbprints: readonly string[]): AuthResult {
    const record = this.#cloud.identities.find(identity);
    if (!record) return refuse('unknown-device');
    if (record.status === 'disabled') return refuse('device-disabled');
    if (record.authenticationType !== 'selfSigned') return refuse('wrong-authentication-type');
    const known = [record.primaryThumbprint, record.secondaryThumbprint].map(plainThumbprint).filter(Boolean);
    if (!thumbprints.some((one) => known.includes(plainThumbprint(one)))) return refuse('wrong-signature');
    return accept({ kind: 'device', identity, expiresAt: Number.POSITIVE_INFINITY });
  }

  #verifyDevice(parts: TokenParts, identity: Identity, expiresAt: number, skewMs: number): AuthResult {
    const record = this.#cloud.identities.find(identity);
    if (!record) return refuse('unknown-device');
    if (record.authenticationType !== 'sas') return refuse('wrong-authentication-type');
    const why = this.#check(parts, [record.primaryKey, record.secondaryKey], expiresAt, skewMs);
    if (why) return refuse(why);
    if (record.status === 'disabled') return refuse('device-disabled');
    return accept({ kind: 'device', identity, expiresAt });
  }

  #verifyPolicy(parts: TokenParts, subject: Subject, expiresAt: number, skewMs: number): AuthResult {
    const policy = this.policies.find((one) => one.name === parts.policy);
    if (!policy) return refuse('unknown-policy');
    const why = this.#check(parts, [policy.key], expiresAt, skewMs);
    if (why) return refuse(why);
    if ('deviceId' in subject && policy.rights.includes('device')) {
      if (!this.#cloud.identities.find(subject)) return refuse('unknown-device');
      return accept({ kind: 'device', identity: subject, expiresAt });
    }
    return accept({ kind: 'service', policy, resource: decode(parts.resource) ?? '', expiresAt });
  }

  #verifyRegistration(parts: TokenParts, registrationId: string, expiresAt: number, skewMs: number): AuthResult {
    const key = this.#cloud.enrollments.keyFor(registrationId);
    if (!key) return refuse('unknown-enrollment');
    const why = this.#check(parts, [key], expiresAt, skewMs);
    return why ? refuse(why) : accept({ kind: 'registration', registrationId, expiresAt });
  }

  #check(parts: TokenParts, keys: readonly string[], expiresAt: number, skewMs: number): Refusal | undefined {
    if (!keys.some((key) => this.#matches(parts, key))) return 'wrong-signature';
    return expiresAt <= this.#cloud.clock.now() + skewMs ? 'expired' : undefined;
  }

  #matches(parts: TokenParts, key: string): boolean {
    const cacheKey = `${key}\n${parts.resource}\n${parts.expiry}\n${parts.signature}`;
    const known = this.#matched.get(cacheKey);
    if (known !== undefined) return known;
    const given = Buffer.from(parts.signature);
    const own = Buffer.from(sign(key, parts.resource, parts.expiry));
    const equal = given.length === own.length && timingSafeEqual(given, own);
    if (this.#matched.size >= CACHE_LIMIT) this.#matched.clear();
    this.#matched.set(cacheKey, equal);
    return equal;
  }
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

function plainThumbprint(text: string | null): string {
  return (text ?? '').replaceAll(':', '').toUpperCase();
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
