import { CloudFault } from '../state/fault.ts';
import { keyOf } from '../state/identity.ts';
import { isJsonObject, type JsonObject } from '../state/json.ts';
import { parseJson, parseObject } from './body.ts';
import { bulk } from './bulk.ts';
import { identityDocument, identityText, settingsIn } from './documents.ts';
import { JSON_TYPE } from './send.ts';
import { type HandlerAnswer, type HttpRequest, identityIn, type Operation } from './types.ts';

const quoted = (etag: string) => `"${etag}"`;

/** PUT of a device or module: creates without If-Match, updates with it. */
const put: Operation['handle'] = (request, { cloud }) => {
  const identity = identityIn(request.params);
  const document = parseObject(request.body);
  checkIds(document, request);
  cloud.throttles.take('registry');
  const ifMatch = ifMatchOf(request);
  const settings = settingsIn(document);
  const record =
    ifMatch === undefined
      ? cloud.identities.create(identity, settings)
      : cloud.identities.update(identity, settings, ifMatch);
  cloud.log.executed(ifMatch === undefined ? 'device-create' : 'device-update', keyOf(identity));
  return { status: 200, headers: { etag: quoted(record.etag) }, body: identityDocument(record, cloud) };
};

const get: Operation['handle'] = (request, { cloud }) => {
  cloud.throttles.take('registry');
  const record = cloud.identities.get(identityIn(request.params));
  const headers = { etag: quoted(record.etag), 'content-type': JSON_TYPE };
  return { status: 200, headers, body: identityText(record, cloud) };
};

const remove: Operation['handle'] = (request, { cloud }) => {
  const identity = identityIn(request.params);
  cloud.throttles.take('registry');
  cloud.identities.remove(identity, ifMatchOf(request));
  cloud.log.executed('device-delete', keyOf(identity));
  return { status: 204 };
};

const list: Operation['handle'] = (request, { cloud }): HandlerAnswer => {
  cloud.throttles.take('registry');
  const top = Math.min(1_000, Math.max(1, Number(new URLSearchParams(request.query).get('top')) || 1_000));
  const devices = cloud.identities.devices().slice(0, top);
  return { status: 200, body: devices.map((record) => identityDocument(record, cloud)) };
};

const listModules: Operation['handle'] = (request, { cloud }) => {
  cloud.throttles.take('registry');
  const { deviceId } = cloud.identities.get(identityIn(request.params));
  return { status: 200, body: cloud.identities.modules(deviceId).map((record) => identityDocument(record, cloud)) };
};

const bulkDevices: Operation['handle'] = (request, { cloud }) => {
  const entries = parseJson(request.body);
  if (!Array.isArray(entries) || !entries.every(isJsonObject)) {
    throw new CloudFault('argument-invalid', { text: 'The request body is not an array of devices' });
  }
  return bulk(entries, cloud);
};

const statistics: Operation['handle'] = (_request, { cloud }) => {
  const devices = cloud.identities.devices();
  const enabled = devices.filter((record) => record.status === 'enabled').length;
  return {
    status: 200,
    body: {
      totalDeviceCount: devices.length,
      enabledDeviceCount: enabled,
      disabledDeviceCount: devices.length - enabled,
    },
  };
};

const serviceStatistics: Operation['handle'] = (_request, { cloud }) => ({
  status: 200,
  body: { connectedDeviceCount: cloud.connections.size },
});

/** Registry operations by name. */
export const registry = {
  create: { name: 'device-create', access: 'registry-write', shape: 'old', handle: put },
  update: { name: 'device-update', access: 'registry-write', shape: 'old', handle: put },
  get: { name: 'device-get', access: 'registry-read', shape: 'old', handle: get },
  remove: { name: 'device-delete', access: 'registry-write', shape: 'old', handle: remove },
  list: { name: 'device-list', access: 'registry-read', shape: 'old', handle: list },
  bulk: { name: 'devices-bulk', access: 'registry-write', shape: 'old', handle: bulkDevices },
  listModules: { name: 'module-list', access: 'registry-read', shape: 'old', handle: listModules },
  statistics: { name: 'statistics', access: 'registry-read', shape: 'old', handle: statistics },
  serviceStatistics: { name: 'statistics', access: 'registry-read', shape: 'old', handle: serviceStatistics },
} as const satisfies Record<string, Operation>;

/** The If-Match condition, where one is given. */
export function ifMatchOf(request: HttpRequest): string | undefined {
  return request.headers['if-match'];
}

/** The ids in the body must be those of the path. @throws CloudFault argument-invalid */
function checkIds(document: JsonObject, request: HttpRequest): void {
  for (const name of ['deviceId', 'moduleId'] as const) {
    const given = document[name];
    if (given !== undefined && given !== null && given !== request.params[name]) {
      throw new CloudFault('argument-invalid', { text: `${name} of the body is not that of the path` });
    }
  }
}
