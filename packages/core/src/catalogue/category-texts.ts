import type { Category } from '../categories.ts';
import type { Stopped } from '../error.ts';
import type { CodeTexts } from './types.ts';

/*
 * What to say of a fault that has no code, or one no catalogue lists: by its reason where that tells
 * more than its category.
 */

/** By category. */
export const categoryTexts = {
  'bad-request': {
    summary: 'The request is malformed, too large or not allowed as it is.',
    fix: 'Correct the request: the same one will fail again.',
  },
  unauthorized: {
    summary: 'The credentials are missing, wrong, expired or not sufficient.',
    fix: 'Renew the credentials and try once: the option `credentials` of an attachment does. Check key, policy, certificate, the right to do this and the clock.',
  },
  quota: {
    summary: 'A quota is used up: of the day, of a queue, of things open at once.',
    fix: 'Free what is held or raise the limit, then repeat; seconds of backoff do not help.',
  },
  'not-found': {
    summary: 'The device, hub or address does not exist here, or has moved.',
    fix: 'Check id, address and hub; where a server reference is given, go there.',
  },
  offline: {
    summary: 'The device exists but is not connected.',
    fix: 'Repeat when the device is back, or leave it a message that waits for it.',
  },
  conflict: {
    summary: 'Something of that name is there already, or a newer connection took over.',
    fix: 'Read the present state, then decide. Let one owner hold an identity: reconnecting at once starts a duel.',
  },
  precondition: {
    summary: 'An ETag, a lock or another condition of the request no longer holds.',
    fix: 'Read again, merge, and send with the new ETag; a message whose lock is lost is delivered once more.',
  },
  throttled: {
    summary: 'Requests come faster than the cloud allows.',
    fix: 'Wait as long as it asks, else a longer backoff with jitter, and lower the rate.',
  },
  server: {
    summary: 'A fault inside the cloud or a gateway before it.',
    fix: "Repeat with backoff if the operation is idempotent; check the service's health if it stays.",
  },
  timeout: {
    summary: 'A time limit ran out; the operation may have taken effect.',
    fix: 'Repeat it if it is idempotent, else find out first; give it more time if it happens often.',
  },
  network: {
    summary: 'The connection failed: socket, name resolution or TLS.',
    fix: 'Repeat with backoff; check network, address and port if it stays.',
  },
  protocol: {
    summary: 'What came is not the protocol that was spoken.',
    fix: 'Check that address and port are those of the service, protocol versions, and proxies in between.',
  },
  cancelled: {
    summary: 'The cloud cancelled the operation.',
    fix: 'Repeat it if it is idempotent; whether it took effect is not known.',
  },
  unknown: {
    summary: 'Nothing tells the cause.',
    fix: "Look at the candidates, if any, and at the cloud's own logs around the time stamp or tracking id.",
  },
} as const satisfies Readonly<Record<Category, CodeTexts>>;

/** By reason: a system code, an AMQP condition, a name of MQTT. */
const reasonTexts: Readonly<Record<string, CodeTexts>> = {
  ECONNREFUSED: {
    summary: 'Nothing listens at the address and port; nothing was sent.',
    fix: 'Check host, port and firewall; repeat with backoff if the service is restarting.',
  },
  ENOTFOUND: {
    summary: 'The host name does not resolve; nothing was sent.',
    fix: 'Check the name in the connection string. If it is right, the network or its DNS is not up: repeat with backoff.',
  },
  EAI_AGAIN: {
    summary: 'Name resolution does not answer; nothing was sent.',
    fix: 'Check the network and its DNS; repeat with backoff.',
  },
  ECONNRESET: {
    summary: 'The connection was cut; what was in flight may have taken effect.',
    fix: 'Repeat what is idempotent with backoff.',
  },
  EPIPE: {
    summary: 'The connection was closed while sending.',
    fix: 'Repeat what is idempotent with backoff.',
  },
  ETIMEDOUT: {
    summary: 'The connection or the answer did not come in time.',
    fix: 'Check network and firewall; repeat what is idempotent with backoff.',
  },
  CERT_HAS_EXPIRED: {
    summary: 'A certificate has expired, or the clock of this machine is off.',
    fix: 'Check the clock first, then renew the certificate.',
  },
  CERT_NOT_YET_VALID: {
    summary: 'A certificate is not valid yet: the clock of this machine is most likely off.',
    fix: 'Set the clock.',
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    summary: "The server's certificate is self-signed and not trusted here.",
    fix: 'Give the client that certificate as its CA, or connect to the right server.',
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    summary: 'The chain ends in a CA that is not trusted here, as behind a proxy that inspects TLS.',
    fix: 'Give the client that CA (NODE_EXTRA_CA_CERTS).',
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    summary: 'The server does not send its whole chain, or its CA is not trusted here.',
    fix: 'Send the intermediate certificates, or give the client the CA (NODE_EXTRA_CA_CERTS).',
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    summary: "The CA of the server's certificate is not trusted here.",
    fix: 'Give the client that CA (NODE_EXTRA_CA_CERTS).',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    summary: 'The certificate is for another host name.',
    fix: 'Connect by the name the certificate has, or correct the certificate.',
  },
  EPROTO: {
    summary: 'TLS could not be agreed on; the peer may not speak TLS on this port.',
    fix: 'Check the port, TLS versions and ciphers.',
  },
  'Server unavailable': {
    summary: 'The broker refuses connections now; a disabled device sees the same.',
    fix: 'Repeat with backoff and a limit; look whether the device is enabled.',
  },
  'Session taken over': {
    summary: 'Another connection uses this client id.',
    fix: 'Give every client its own id. Do not reconnect at once: two owners evict each other for ever.',
  },
  ConnectTimeout: {
    summary: 'The connection was not accepted in time; nothing was sent.',
    fix: 'Check host, port and firewall, and whether something in between answers for the service; repeat with backoff.',
  },
  ConnectionClosed: {
    summary: 'The connection was closed without a word.',
    fix: "Reconnect with backoff. Over MQTT 3.1.1 it may stand for a take-over, quota, throttling, an expired token or an oversized message: the candidates and the cloud's logs tell.",
  },
  'amqp:link:redirect': {
    summary: "Not a failure: the link is served elsewhere, as IoT Hub's events endpoint is.",
    fix: 'Attach at the host and address in the info map.',
  },
  'amqp:connection:redirect': {
    summary: 'Not a failure: the connection is served elsewhere.',
    fix: 'Connect to the host in the info map.',
  },
  'amqp:link:stolen': {
    summary: 'Another client attached the same link, or one of a higher epoch.',
    fix: 'Let one owner hold the link. Do not attach again at once: two owners steal it from each other for ever.',
  },
  'amqp:link:detach-forced': {
    summary: 'The peer detached the link: maintenance, idleness or overload.',
    fix: 'Attach again with backoff.',
  },
  'amqp:connection:forced': {
    summary: 'The peer closed the connection on purpose: idleness, shutdown or maintenance.',
    fix: 'Reconnect with backoff; send something within the idle time-out if it was that.',
  },
  'amqp:unauthorized-access': {
    summary: 'The credentials are missing, wrong, expired or not sufficient.',
    fix: 'Renew the credentials and try once: `credentials: () => ({ cbs: { name, token } })` puts a fresh token, also after a reconnect; with SASL it is `{ password }` or `{ token }`. Check key, policy, the right to do this and the clock.',
  },
  'amqp:illegal-state': {
    summary: 'The connection, session or link is not in a state for that: closed already, most of the time.',
    fix: 'Open it (again) before it is used, and close it only when nothing is on its way.',
  },
  'amqp:resource-limit-exceeded': {
    summary: "A limit is reached: the daily quota of a device's link, the full queue of a service's.",
    fix: 'Wait for the next UTC midnight, or let the device receive its messages; backoff helps neither.',
  },
  released: {
    summary: 'The peer did not process the message.',
    fix: 'Send it again: by the specification that is safe.',
  },
  modified: {
    summary: 'The peer did not accept the message and changed it or counted an attempt.',
    fix: 'Send it again if it is idempotent.',
  },
  rejected: {
    summary: 'The peer refuses the message and does not say why.',
    fix: 'Correct the message: the same one will be refused again.',
  },
  BrokenAnswer: {
    summary: 'The answer says success but was cut off or is not what it should be.',
    fix: 'The operation may have run: repeat it if it is idempotent, else read its result first.',
  },
  RegistrationDisabled: {
    summary: 'The enrolment or its record is disabled.',
    fix: 'Have its operator enable it.',
  },
};

/** Texts for a fault without a code of its own, or with one no catalogue lists. */
export function textsWithoutCode(category: Category, reason: string): CodeTexts {
  return (Object.hasOwn(reasonTexts, reason) ? reasonTexts[reason] : undefined) ?? categoryTexts[category];
}

/** Why an operation was not repeated (again), and what would change that. */
export const stoppedTexts = {
  'not-transient': 'It was not repeated: the same operation would fail again.',
  'not-idempotent':
    'It was not repeated because it may have taken effect. If running it twice does no harm, say so with `idempotent: true`.',
  attempts: 'It was repeated as often as `maxAttempts` allows.',
  deadline: 'The next wait would not have fitted `deadlineMs`.',
  'hint-too-long':
    'The cloud asks for a longer wait than `maxRetryAfterMs` (or the deadline) allows; it was not shortened.',
  body: 'It was not repeated: its body is a stream and cannot be sent twice. Give a string or a Buffer.',
  'paced-out': 'It was not sent: as many operations as `maxQueued` of the pacer allows wait for this target.',
  'should-retry': '`shouldRetry` said no.',
  disabled: 'Retries are switched off for it (`retry: false`).',
} as const satisfies Readonly<Record<Stopped, string>>;
