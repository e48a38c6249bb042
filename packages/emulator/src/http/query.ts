import { type DeviceTest, parseQuery } from '../query/parse.ts';
import type { Cloud } from '../state/cloud.ts';
import { CloudFault } from '../state/fault.ts';
import type { IdentityRecord } from '../state/identities.ts';
import type { JsonObject } from '../state/json.ts';
import { parseObject } from './body.ts';
import { twinDocument } from './documents.ts';
import type { Operation } from './types.ts';

const PAGE = 100;

const query: Operation['handle'] = (request, { cloud }) => {
  const input = parseObject(request.body);
  if (typeof input.query !== 'string') throw new CloudFault('argument-invalid', { text: 'query is missing' });
  cloud.throttles.take('query');
  const parsed = parseQuery(input.query);
  const found = findTwins(cloud, parsed.from, parsed.test);
  if (parsed.count) return { status: 200, body: [{ [parsed.count]: found.length }] };
  const size = Math.min(1_000, Math.max(1, Number(request.headers['x-ms-max-item-count']) || PAGE));
  const start = startOf(request.headers['x-ms-continuation']);
  const next = start + size < found.length ? { 'x-ms-continuation': tokenOf(start + size) } : {};
  return {
    status: 200,
    headers: { 'x-ms-item-type': 'Twin', ...next },
    body: found.slice(start, start + size),
  };
};

/** Twins that pass a test, as a service reads them. */
export function findTwins(cloud: Cloud, from: 'devices' | 'modules', test: DeviceTest): JsonObject[] {
  const devices = cloud.identities.devices();
  const records: IdentityRecord[] =
    from === 'devices' ? devices : devices.flatMap((device) => cloud.identities.modules(device.deviceId));
  return records.map((record) => twinDocument(record, cloud.twins.get(record), cloud)).filter(test);
}

const tokenOf = (start: number) => Buffer.from(JSON.stringify({ start })).toString('base64');

function startOf(token: string | readonly string[] | undefined): number {
  if (typeof token !== 'string' || token === '') return 0;
  const start = Number(/^\{"start":(\d{1,9})\}$/.exec(Buffer.from(token, 'base64').toString())?.[1]);
  if (Number.isNaN(start)) throw new CloudFault('argument-invalid', { text: 'The continuation token is not valid' });
  return start;
}

/** Queries by name. */
export const queries = {
  devices: { name: 'query', access: 'registry-read', shape: 'old', handle: query },
} as const satisfies Record<string, Operation>;
