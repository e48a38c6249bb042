import type { IncomingHttpHeaders } from 'node:http';
import type { Principal, Right } from '../auth.ts';
import type { BodyShape } from '../forms/http.ts';
import type { ListenerContext } from '../listener.ts';
import type { Identity } from '../state/identity.ts';

/** A request as handlers see it. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly params: RouteParams;
  /** Whom the token speaks for; nothing when the emulator checks none. */
  readonly principal: Principal | undefined;
}

/** Names in the path, decoded. */
export interface RouteParams {
  readonly deviceId?: string;
  readonly moduleId?: string;
  readonly lockToken?: string;
  readonly jobId?: string;
  readonly registrationId?: string;
  readonly correlationId?: string;
  readonly operationId?: string;
}

/** What a handler answers; an object is sent as JSON. */
export interface HandlerAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string | object;
}

export type Handler = (request: HttpRequest, context: ListenerContext) => HandlerAnswer | Promise<HandlerAnswer>;

/** Who may call: a service with that right, the device itself, a registration, or nobody checks. */
export type Access = Right | 'self' | 'registration';

export interface Operation {
  /** Name for faults and the log. */
  readonly name: string;
  readonly access: Access;
  readonly shape: BodyShape;
  readonly handle: Handler;
}

export interface Route {
  readonly operation: Operation;
  readonly params: RouteParams;
}

/** The identity a path names. */
export function identityIn(params: RouteParams): Identity {
  const deviceId = params.deviceId ?? '';
  return params.moduleId === undefined ? { deviceId } : { deviceId, moduleId: params.moduleId };
}
