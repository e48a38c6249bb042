import { parseObject } from './body.ts';
import type { Operation } from './types.ts';

const start: Operation['handle'] = (request, { cloud }) => {
  const { blobName } = parseObject(request.body);
  cloud.throttles.take('upload');
  return { status: 200, body: cloud.uploads.start(request.params.deviceId ?? '', blobName) };
};

const report: Operation['handle'] = (request, { cloud }) => {
  const input = parseObject(request.body);
  cloud.throttles.take('upload');
  cloud.uploads.report(request.params.deviceId ?? '', {
    correlationId: request.params.correlationId ?? String(input.correlationId ?? ''),
    isSuccess: input.isSuccess as boolean,
    statusCode: Number(input.statusCode ?? 0),
    statusDescription: String(input.statusDescription ?? ''),
  });
  return { status: 204 };
};

const notifications: Operation['handle'] = (_request, { cloud }) => {
  const next = cloud.uploads.notifications.shift();
  return next ? { status: 200, body: next } : { status: 204 };
};

/** File uploads by name. */
export const uploads = {
  start: { name: 'upload-start', access: 'self', shape: 'new', handle: start },
  report: { name: 'upload-report', access: 'self', shape: 'new', handle: report },
  notifications: { name: 'file-notifications', access: 'service', shape: 'old', handle: notifications },
} as const satisfies Record<string, Operation>;
