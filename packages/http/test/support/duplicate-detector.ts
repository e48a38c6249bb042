import type { Socket } from 'node:net';
import { type Served, serveRaw } from './servers.ts';

/** Where in the exchange the fault strikes, and whether the request was executed before it. */
export const FAULTS = [
  // Nothing was executed.
  'reset-at-head',
  'fin-at-head',
  'reset-at-body',
  'silent-unexecuted',
  '429',
  '429-hint',
  '503-refused',
  '401',
  '404',
  // It was, and the client may not learn of it.
  'executed-reset',
  'executed-fin',
  'executed-half-head',
  'executed-half-body-fin',
  'executed-half-body-reset',
  'executed-silent',
  'executed-500',
  'executed-503',
  'executed-504',
  'executed-garbage',
  'executed-bad-gzip',
  // It was, and the client learns of it; then the pooled connection is closed.
  'ok-then-close',
  'ok',
] as const;

export type Fault = (typeof FAULTS)[number];

/** Counts executions by request id, across connections and attempts. */
export interface DuplicateDetector extends Served {
  /** What strikes at each attempt of a request; beyond its end: `ok`. */
  plan(id: string, faults: readonly Fault[]): void;
  executions(id: string): number;
  requests(id: string): number;
}

/** @param random - uniform in [0, 1): some connections are reset before a byte is read */
export async function duplicateDetector(random: () => number): Promise<DuplicateDetector> {
  const plans = new Map<string, readonly Fault[]>();
  const requests = new Map<string, number>();
  const executions = new Map<string, number>();
  const bump = (map: Map<string, number>, id: string) => map.set(id, (map.get(id) ?? 0) + 1).get(id) as number;

  const served = await serveRaw((socket) => {
    if (random() < 0.02) return void socket.resetAndDestroy();
    let head: { id: string; length: number; fault: Fault } | undefined;
    let buffered = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      for (;;) {
        if (!head) {
          const end = buffered.indexOf('\r\n\r\n');
          if (end < 0) return;
          const text = buffered.subarray(0, end).toString();
          buffered = buffered.subarray(end + 4);
          const id = /^x-id: (.*)$/im.exec(text)?.[1] ?? '';
          const attempt = bump(requests, id) - 1;
          head = {
            id,
            length: Number(/^content-length: (\d+)$/im.exec(text)?.[1] ?? 0),
            fault: plans.get(id)?.[attempt] ?? 'ok',
          };
          if (head.fault === 'reset-at-head') return void socket.resetAndDestroy();
          if (head.fault === 'fin-at-head') return void socket.end();
        }
        if (buffered.length < head.length) return;
        buffered = buffered.subarray(head.length);
        const { id, fault } = head;
        head = undefined;
        if (fault.startsWith('executed') || fault.startsWith('ok')) bump(executions, id);
        answer(socket, fault);
      }
    });
  });
  return Object.assign(served, {
    plan: (id: string, faults: readonly Fault[]) => void plans.set(id, faults),
    executions: (id: string) => executions.get(id) ?? 0,
    requests: (id: string) => requests.get(id) ?? 0,
  });
}

function answer(socket: Socket, fault: Fault): void {
  const say = (status: string, headers = '') =>
    socket.write(`HTTP/1.1 ${status}\r\n${headers}content-length: 2\r\n\r\n{}`);
  switch (fault) {
    case 'reset-at-body':
    case 'executed-reset':
      return void socket.resetAndDestroy();
    case 'executed-fin':
      return void socket.end();
    case 'silent-unexecuted':
    case 'executed-silent':
      return;
    case '429':
      return void say('429 Too Many Requests');
    case '429-hint':
      return void say('429 Too Many Requests', 'retry-after-ms: 2\r\n');
    case '503-refused':
    case 'executed-503':
      return void say('503 Service Unavailable');
    case '401':
      return void say('401 Unauthorized');
    case '404':
      return void say('404 Not Found', 'iothub-errorcode: DeviceNotFound\r\n');
    case 'executed-half-head':
      return void socket.end('HTTP/1.1 200 OK\r\ncontent-le');
    case 'executed-half-body-fin':
      return void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
    case 'executed-half-body-reset':
      return void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () =>
        setTimeout(() => socket.resetAndDestroy(), 2),
      );
    case 'executed-500':
      return void say('500 Internal Server Error');
    case 'executed-504':
      return void say('504 Gateway Timeout');
    case 'executed-garbage':
      return void socket.end('this is not HTTP\r\n\r\n');
    case 'executed-bad-gzip':
      return void say('200 OK', 'content-encoding: gzip\r\n');
    case 'ok-then-close':
      return void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}', () => socket.end());
    default:
      return void say('200 OK');
  }
}
