import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Emulator, FaultSpec } from '@faultmap/emulator';

/** The running control endpoint of an emulator. */
export interface Control {
  readonly url: string;
  stop(): Promise<void>;
}

const LARGEST_BODY = 1_048_576;
const MOST_ENTRIES = 1_000;

/** A route's answer: a status, and JSON, text or nothing. */
interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
}

type Route = (emulator: Emulator, body: unknown, query: URLSearchParams) => Answer;

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /': (emulator) => ({
    status: 200,
    json: {
      urls: emulator.urls,
      connections: emulator.connections,
      faults: emulator.faults,
      routes: Object.keys(ROUTES),
    },
  }),
  'GET /faults': (emulator) => ({ status: 200, json: emulator.faults }),
  'POST /faults': (emulator, body) => ({ status: 201, json: emulator.inject(withPatterns(body)) }),
  'DELETE /faults': (emulator) => {
    emulator.clearFaults();
    return { status: 204 };
  },
  'GET /requests': (emulator, _body, query) => {
    const wanted = Number(query.get('limit') ?? 100);
    const limit = Number.isInteger(wanted) && wanted > 0 ? Math.min(wanted, MOST_ENTRIES) : 100;
    return { status: 200, json: emulator.requests.slice(-limit) };
  },
  'DELETE /requests': (emulator) => {
    emulator.log.clear();
    return { status: 204 };
  },
  'PUT /clock': (emulator, body) => {
    const { skewMs } = body as { skewMs?: unknown };
    if (typeof skewMs !== 'number' || !Number.isFinite(skewMs)) throw new TypeError('skewMs: expected a number');
    emulator.setClockSkew(skewMs);
    return { status: 204 };
  },
  'GET /ca': (emulator) =>
    emulator.ca === undefined
      ? { status: 404, json: { error: 'started without TLS' } }
      : { status: 200, text: emulator.ca },
};

/**
 * An HTTP endpoint beside the emulator, to inject faults and see what clients did while it runs.
 *
 * | request | does |
 * |---|---|
 * | `GET /` | endpoints, connections, faults still to come |
 * | `POST /faults` | inject one: the JSON form of `emulator.inject(…)`; `{ "pattern": … }` in `match` is one |
 * | `GET /faults`, `DELETE /faults` | list, take back |
 * | `GET /requests?limit=100`, `DELETE /requests` | what clients did last; forget it |
 * | `PUT /clock` | `{ "skewMs": 600000 }`: set the cloud's clock off |
 * | `GET /ca` | certificate to trust, PEM |
 */
export async function startControl(emulator: Emulator, at: { host: string; port: number }): Promise<Control> {
  const server = createServer((request, response) => {
    serve(emulator, request, response).catch((error: unknown) => {
      // What is wrong with a fault is said by the emulator, as a TypeError.
      reply(response, { status: 400, json: { error: error instanceof Error ? error.message : String(error) } });
    });
  });
  await listen(server, at);
  const { address, port } = server.address() as AddressInfo;
  const host = address.includes(':') ? `[${address}]` : address;
  return { url: `http://${host}:${port}`, stop: () => close(server) };
}

async function serve(emulator: Emulator, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://control.invalid');
  const name = `${request.method} ${url.pathname}`;
  // A page in a browser could reach this port; programs send no Origin.
  if (request.headers.origin !== undefined)
    return reply(response, { status: 403, json: { error: 'not from a browser' } });
  const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  if (!route)
    return reply(response, {
      status: 404,
      json: { error: `no such route; there are ${Object.keys(ROUTES).join(', ')}` },
    });
  reply(response, route(emulator, await bodyOf(request), url.searchParams));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (request.method === 'GET' || request.method === 'DELETE') return undefined;
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > LARGEST_BODY) throw new TypeError('the body is larger than 1 MiB');
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new TypeError('the body is not JSON');
  }
}

/** JSON has no patterns: in `match`, `{ "pattern": "^twin-" }` stands for one. */
function withPatterns(body: unknown): FaultSpec {
  if (typeof body !== 'object' || body === null) throw new TypeError('expected a fault as a JSON object');
  const { match } = body as { match?: unknown };
  if (typeof match !== 'object' || match === null) return body as FaultSpec;
  const entries = Object.entries(match).map(([key, value]) => [key, patternIn(value) ?? value]);
  return { ...body, match: Object.fromEntries(entries) } as FaultSpec;
}

function patternIn(value: unknown): RegExp | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { pattern } = value as { pattern?: unknown };
  if (typeof pattern !== 'string' || pattern.length > 200)
    throw new TypeError('pattern: expected up to 200 characters');
  return new RegExp(pattern);
}

function reply(response: ServerResponse, { status, json, text }: Answer): void {
  if (response.headersSent) return void response.destroy();
  const body = text ?? (json === undefined ? '' : `${JSON.stringify(json)}\n`);
  const type = text === undefined ? 'application/json' : 'application/x-pem-file';
  response.writeHead(status, body === '' ? {} : { 'content-type': type });
  response.end(body);
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
