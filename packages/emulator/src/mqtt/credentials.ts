import type { Refusal } from '../auth.ts';
import { REASON } from '../forms/mqtt.ts';
import type { ListenerContext } from '../listener.ts';
import type { Subject } from './topics.ts';

/** A CONNECT that may go on, or the code to refuse it with (3.1.1 and 5). */
export type ConnectResult =
  | { readonly ok: true; readonly subject: Subject; readonly expiresAt: number }
  | { readonly ok: false; readonly returnCode: number; readonly reasonCode: number; readonly why: string };

/** What comes with a CONNECT besides the packet. */
export interface ConnectSetup {
  readonly context: ListenerContext;
  readonly thumbprints: readonly string[];
  /** How far the cloud's clock shall be ahead for this one check, in ms. */
  readonly skewMs: number;
}

const CODES = {
  version: { returnCode: 1, reasonCode: REASON.unsupportedVersion },
  clientId: { returnCode: 2, reasonCode: REASON.clientIdInvalid },
  unavailable: { returnCode: 3, reasonCode: REASON.serverUnavailable },
  malformed: { returnCode: 4, reasonCode: REASON.badCredentials },
  refused: { returnCode: 5, reasonCode: REASON.notAuthorized },
  // MQTT 5 only [MQTT-4.12.0-1].
  method: { returnCode: 5, reasonCode: REASON.badAuthenticationMethod },
} as const;

export function refuse(code: keyof typeof CODES, why: string): ConnectResult {
  return { ok: false, ...CODES[code], why };
}

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

export function refuseFor(why: Refusal): ConnectResult {
  return refuse(BY_REFUSAL[why], why);
}

/** Let in, or not, by the certificate of the TLS connection. */
export function byCertificate(subject: Subject, { context, thumbprints }: ConnectSetup): ConnectResult {
  const { authority } = context;
  const result =
    subject.kind === 'device'
      ? authority.verifyThumbprint(subject.identity, thumbprints)
      : authority.verifyRegistrationThumbprint(subject.registrationId, thumbprints);
  return result.ok ? { ok: true, subject, expiresAt: Number.POSITIVE_INFINITY } : refuseFor(result.why);
}
