import type { IncomingMessage, ServerResponse } from 'node:http';
import { eventHubConnectionString } from '../amqp/services/events.ts';
import { hasBody, NO_BYTES, readBody } from '../http/body.ts';
import { send } from '../http/send.ts';
import type { HandlerAnswer } from '../http/types.ts';
import type { ListenerContext } from '../listener.ts';
import type { LogFilter } from '../log.ts';
import { CloudFault } from '../state/fault.ts';
import { isJsonObject } from '../state/json.ts';
import { faultSpecToJson, parseFaultSpec } from './parse.ts';
import { streamEvents } from './stream.ts';

/** Where the endpoint lives: no path of the cloud begins so. */
export const CONTROL_PREFIX = '/$emulator';

/** Entries of the log in one answer, newest last. */
const MOST_ENTRIES = 1_000;

/** Serve a request to the control endpoint. Never throws. */
export function control(request: IncomingMessage, response: ServerResponse, context: ListenerContext): void {
  if (!isLocal(request, context)) {
    send(response, { status: 403, body: { error: 'Only programs on this machine may control the emulator' } });
    return;
  }
  const [place = '', search] = (request.url ?? '').split('?', 2);
  const path = place.slice(CONTROL_PREFIX.length).replace(/^\/|\/$/g, '');
  if (request.method === 'GET' && path === 'events') {
    streamEvents(response, context.cloud);
    return;
  }
  const serve = (body: Buffer | CloudFault) => {
    const query = new URLSearchParams(search);
    send(response, answerOrError(request.method ?? 'GET', { path, query, body }, context));
  };
  if (hasBody(request)) readBody(request, serve);
  else serve(NO_BYTES);
}

function answerOrError(method: string, asked: ControlRequest, context: ListenerContext): HandlerAnswer {
  try {
    return answer(method, asked, context);
  } catch (thrown) {
    const status =
      thrown instanceof CloudFault ? 413 : thrown instanceof TypeError || thrown instanceof SyntaxError ? 400 : 500;
    return { status, body: { error: thrown instanceof Error ? thrown.message : String(thrown) } };
  }
}

interface ControlRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer | CloudFault;
}

function answer(method: string, { path, query, body }: ControlRequest, context: ListenerContext): HandlerAnswer {
  if (body instanceof CloudFault) throw body;
  const { cloud, faults } = context;
  const [place = '', id] = path.split('/');
  switch (`${method} ${place}`) {
    case 'GET ':
      return { status: 200, body: describe(context) };
    case 'GET faults':
      return {
        status: 200,
        body: faults
          .pending()
          .map((one) => ({ ...one, spec: faultSpecToJson(one.spec), remaining: many(one.remaining) })),
      };
    case 'POST faults': {
      const injected = faults.inject(parseFaultSpec(JSON.parse(body.toString())));
      return { status: 201, body: { id: injected.id, remaining: many(injected.remaining) } };
    }
    case 'DELETE faults':
      if (id === undefined) faults.clear();
      else if (!faults.remove(Number(id))) return { status: 404, body: { error: `No fault has the id ${id}` } };
      return { status: 204 };
    case 'GET log':
      return { status: 200, body: cloud.log.requests(filterOf(query)).slice(-MOST_ENTRIES) };
    case 'GET executions':
      return {
        status: 200,
        body: { executions: cloud.log.executionsOf(query.get('id') ?? '', query.get('operation') ?? undefined) },
      };
    case 'PUT clock': {
      const given: unknown = JSON.parse(body.toString());
      cloud.clock.skewMs = (isJsonObject(given) ? given.skewMs : given) as number; // checked there
      return { status: 204 };
    }
    default:
      return { status: 404, body: { error: `No such control: ${method} ${path}` } };
  }
}

/** Every field of an entry but these is text. */
function filterOf(query: URLSearchParams): LogFilter {
  const typed = [...query].map(([name, value]) => {
    if (name === 'status' || name === 'connection') return [name, Number(value)];
    return [name, name === 'scripted' ? value === 'true' : value];
  });
  return Object.fromEntries(typed);
}

const many = (count: number) => (count === Number.POSITIVE_INFINITY ? 'always' : count);

function describe({ cloud, authority, urls }: ListenerContext): object {
  const owner = authority.policies.find((policy) => policy.name === 'iothubowner');
  return {
    urls,
    hostName: cloud.hostName,
    serviceConnectionString:
      owner && `HostName=${cloud.hostName};SharedAccessKeyName=${owner.name};SharedAccessKey=${owner.key}`,
    eventHubConnectionString: owner && eventHubConnectionString(cloud.hostName, owner),
    devices: cloud.identities.devices().map((record) => ({
      deviceId: record.deviceId,
      connectionString: `HostName=${cloud.hostName};DeviceId=${record.deviceId};SharedAccessKey=${record.primaryKey}`,
      connected: cloud.connections.current(record) !== undefined,
    })),
  };
}

/** No page of a browser, by its own request or by a name that was bound to this address. */
function isLocal(request: IncomingMessage, context: ListenerContext): boolean {
  const { origin, host = '' } = request.headers;
  if (origin !== undefined || request.headers['sec-fetch-site'] !== undefined) return false;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return ['localhost', '127.0.0.1', '[::1]', context.host, context.cloud.hostName].includes(name);
}
