import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { AuthResult, Principal } from '../auth.ts';
import type { ListenerContext } from '../listener.ts';
import { CloudFault } from '../state/fault.ts';
import { identityIn, type Route } from './types.ts';

/**
 * May this request do that? The header's token, else the client certificate of a TLS connection.
 *
 * @throws CloudFault unauthorized, device-disabled
 */
export function authorize(
  request: IncomingMessage,
  route: Route,
  context: ListenerContext,
  skewMs: number,
): Principal | undefined {
  const { authority } = context;
  if (!authority.required) return undefined;
  const token = request.headers.authorization;
  const result = token === undefined ? byCertificate(request, route, context) : authority.verify(token, skewMs);
  if (!result.ok) {
    if (result.why === 'device-disabled')
      throw new CloudFault('device-disabled', { target: route.params.deviceId ?? '' });
    throw new CloudFault('unauthorized', { target: result.why });
  }
  if (!covers(result.principal, route)) throw new CloudFault('unauthorized', { target: 'not covered' });
  return result.principal;
}

/** A token is good for its own resource only. */
function covers(principal: Principal, route: Route): boolean {
  const { access } = route.operation;
  if (principal.kind === 'registration') {
    return access === 'registration' && principal.registrationId === route.params.registrationId;
  }
  if (principal.kind === 'service') {
    const { rights } = principal.policy;
    if (access === 'registration') return false;
    // The service APIs of twins and methods ask for service rights, the registry's for registry ones.
    return rights.includes(access === 'self' ? 'device' : access);
  }
  if (access !== 'self') return false;
  const { deviceId, moduleId } = identityIn(route.params);
  return principal.identity.deviceId === deviceId && principal.identity.moduleId === moduleId;
}

function byCertificate(request: IncomingMessage, route: Route, context: ListenerContext): AuthResult {
  const thumbprints = thumbprintsOf(request.socket);
  if (thumbprints.length === 0) return { ok: false, why: 'missing' };
  const { registrationId } = route.params;
  if (registrationId !== undefined) return context.authority.verifyRegistrationThumbprint(registrationId, thumbprints);
  return context.authority.verifyThumbprint(identityIn(route.params), thumbprints);
}

/** SHA-1 and SHA-256 of a client's certificate, in hex; none when there is no certificate. */
export function thumbprintsOf(socket: Socket): string[] {
  const raw = (socket as Partial<TLSSocket>).getPeerCertificate?.()?.raw;
  if (!raw) return [];
  return ['sha1', 'sha256'].map((algorithm) => createHash(algorithm).update(raw).digest('hex'));
}
