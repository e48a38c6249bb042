import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { HttpRetryOptions } from '@faultmap/http';
import { type Served, serve } from './servers.ts';

export interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the server does with one request: a status (with headers), or anything. */
export type Step =
  | number
  | readonly [status: number, headers: Record<string, string>, body?: string]
  | ((response: ServerResponse, request: IncomingMessage) => void);

export interface Scripted extends Served {
  /** The requests, bodies read to their end. */
  readonly seen: readonly Seen[];
}

/** A server that answers step by step; the last step is for all that follow. */
export async function script(...steps: readonly Step[]): Promise<Scripted> {
  const seen: Seen[] = [];
  const served = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const step = steps[Math.min(seen.length, steps.length - 1)];
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    if (typeof step === 'function') step(response, request);
    else if (typeof step === 'number') response.writeHead(step).end(step === 204 ? undefined : '{}');
    else if (step) response.writeHead(step[0], step[1]).end(step[2] ?? '{}');
  });
  return Object.assign(served, { seen });
}

export const reset: Step = (_, request) => void request.socket.resetAndDestroy();

/** Waits that nobody notices, and no pace shared with other tests. */
export const FAST: HttpRetryOptions = {
  baseDelayMs: 1,
  maxDelayMs: 2,
  throttledBaseDelayMs: 1,
  throttledMaxDelayMs: 2,
  pacer: false,
};

/** What a promise rejects with; a failure when it does not. */
export async function rejection(pending: Promise<unknown>): Promise<Record<string, unknown> & Error> {
  try {
    await pending;
  } catch (error) {
    return error as Record<string, unknown> & Error;
  }
  throw new Error('it succeeded');
}
