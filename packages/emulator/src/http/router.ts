import { jobs } from './jobs.ts';
import { messages } from './messages.ts';
import { methods } from './methods.ts';
import { provisioning } from './provisioning.ts';
import { queries } from './query.ts';
import { registry } from './registry.ts';
import { twins } from './twins.ts';
import type { Operation, Route, RouteParams } from './types.ts';
import { uploads } from './uploads.ts';

/** Methods by pattern; `:name` is a segment that becomes a parameter. */
const TABLE: readonly (readonly [method: string, pattern: string, operation: Operation])[] = [
  ['GET', 'devices', registry.list],
  ['POST', 'devices', registry.bulk],
  ['POST', 'devices/query', queries.devices],
  ['GET', 'devices/:deviceId', registry.get],
  ['PUT', 'devices/:deviceId', registry.create],
  ['DELETE', 'devices/:deviceId', registry.remove],
  ['GET', 'devices/:deviceId/modules', registry.listModules],
  ['GET', 'devices/:deviceId/modules/:moduleId', registry.get],
  ['PUT', 'devices/:deviceId/modules/:moduleId', registry.create],
  ['DELETE', 'devices/:deviceId/modules/:moduleId', registry.remove],
  ['GET', 'statistics/devices', registry.statistics],
  ['GET', 'statistics/service', registry.serviceStatistics],
  ['GET', 'twins/:deviceId', twins.get],
  ['PATCH', 'twins/:deviceId', twins.patch],
  ['PUT', 'twins/:deviceId', twins.replace],
  ['GET', 'twins/:deviceId/modules/:moduleId', twins.get],
  ['PATCH', 'twins/:deviceId/modules/:moduleId', twins.patch],
  ['PUT', 'twins/:deviceId/modules/:moduleId', twins.replace],
  ['POST', 'twins/:deviceId/methods', methods.invoke],
  ['POST', 'twins/:deviceId/modules/:moduleId/methods', methods.invoke],
  ['POST', 'messages/devicebound', messages.send],
  ['GET', 'messages/servicebound/feedback', messages.feedback],
  ['GET', 'messages/servicebound/filenotifications', uploads.notifications],
  ['DELETE', 'devices/:deviceId/commands', messages.purge],
  ['POST', 'devices/:deviceId/messages/events', messages.sendEvent],
  ['POST', 'devices/:deviceId/modules/:moduleId/messages/events', messages.sendEvent],
  ['POST', 'devices/:deviceId/messages/devicebound', messages.send],
  ['GET', 'devices/:deviceId/messages/devicebound', messages.receive],
  ['DELETE', 'devices/:deviceId/messages/devicebound/:lockToken', messages.settle],
  ['POST', 'devices/:deviceId/messages/devicebound/:lockToken/abandon', messages.abandon],
  ['POST', 'devices/:deviceId/files', uploads.start],
  ['POST', 'devices/:deviceId/files/notifications', uploads.report],
  // azure-iot-device file_upload_api.js has the correlation id in the path.
  ['POST', 'devices/:deviceId/files/notifications/:correlationId', uploads.report],
  ['PUT', 'jobs/v2/:jobId', jobs.create],
  ['GET', 'jobs/v2/query', jobs.list],
  ['GET', 'jobs/v2/:jobId', jobs.get],
  ['POST', 'jobs/v2/:jobId/cancel', jobs.cancel],
  ['PUT', ':scope/registrations/:registrationId/register', provisioning.register],
  ['GET', ':scope/registrations/:registrationId/operations/:operationId', provisioning.status],
  ['POST', ':scope/registrations/:registrationId', provisioning.lookup],
];

interface Node {
  readonly fixed: Map<string, Node>;
  any: { readonly name: string; readonly node: Node } | undefined;
  readonly operations: Map<string, Operation>;
}

const newNode = (): Node => ({ fixed: new Map(), any: undefined, operations: new Map() });

const root = newNode();
for (const [method, pattern, operation] of TABLE) {
  let node = root;
  for (const segment of pattern.split('/')) {
    if (segment.startsWith(':')) {
      node.any ??= { name: segment.slice(1), node: newNode() };
      node = node.any.node;
    } else {
      const next = node.fixed.get(segment) ?? newNode();
      node.fixed.set(segment, next);
      node = next;
    }
  }
  node.operations.set(method, operation);
}

/** Longest path there is has six segments. */
const DEPTH = 8;

/**
 * Find the operation of a path. Fixed segments are compared without case, as the SDKs differ
 * (`serviceBound`), and come before parameters; a trailing slash does not count.
 *
 * @returns `path` when nothing is there, `method` when something is for other methods
 */
export function route(method: string, path: string, hasIfMatch: boolean): Place {
  const key = `${hasIfMatch ? '=' : ''}${method} ${path}`;
  const known = KNOWN.get(key);
  if (known) return known;
  const place = { route: find(method, path, hasIfMatch), target: `${method} ${path}` };
  if (KNOWN.size >= KNOWN_LIMIT) KNOWN.clear();
  KNOWN.set(key, place);
  return place;
}

export interface Place {
  readonly route: Found;
  /** Method and path, for the log. */
  readonly target: string;
}

export type Found = Route | 'path' | 'method';

/** Paths looked up before; programs ask for the same ones again and again. */
const KNOWN = new Map<string, Place>();
const KNOWN_LIMIT = 1_000;

function find(method: string, path: string, hasIfMatch: boolean): Found {
  const segments = path.split('/', DEPTH + 1).filter((segment) => segment !== '');
  const params: Record<string, string> = {};
  const node = walk(root, segments, 0, params);
  if (!node || node.operations.size === 0) return 'path';
  const operation = node.operations.get(method);
  if (!operation) return 'method';
  return {
    operation: operation === registry.create && hasIfMatch ? registry.update : operation,
    params: params as RouteParams,
  };
}

function walk(node: Node, segments: readonly string[], at: number, params: Record<string, string>): Node | undefined {
  const segment = segments[at];
  if (segment === undefined) return node;
  const fixed = node.fixed.get(segment) ?? node.fixed.get(segment.toLowerCase());
  const found = fixed && walk(fixed, segments, at + 1, params);
  if (found && found.operations.size > 0) return found;
  if (!node.any) return undefined;
  const value = decode(segment);
  if (value === undefined) return undefined;
  params[node.any.name] = value;
  return walk(node.any.node, segments, at + 1, params);
}

function decode(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // a broken escape names nothing
  }
}
