import type { ListenerContext } from '../listener.ts';
import { parseCondition } from '../query/parse.ts';
import type { Cloud } from '../state/cloud.ts';
import { CloudFault } from '../state/fault.ts';
import type { Identity } from '../state/identity.ts';
import type { JobInput, JobRecord } from '../state/jobs.ts';
import { isJsonObject, type JsonObject } from '../state/json.ts';
import { parseObject } from './body.ts';
import { methodInput } from './methods.ts';
import { findTwins } from './query.ts';
import type { HttpRequest, Operation } from './types.ts';

const create: Operation['handle'] = (request, { cloud }) => {
  const input = parseObject(request.body);
  cloud.throttles.take('jobs');
  return { status: 200, body: document(cloud.jobs.create(jobOf(request, input, cloud))) };
};

const get: Operation['handle'] = (request, { cloud }) => {
  cloud.throttles.take('jobs');
  return { status: 200, body: document(cloud.jobs.get(request.params.jobId ?? '')) };
};

const cancel: Operation['handle'] = (request, { cloud }) => ({
  status: 200,
  body: document(cloud.jobs.cancel(request.params.jobId ?? '')),
});

const list: Operation['handle'] = (request, { cloud }: ListenerContext) => {
  const query = new URLSearchParams(request.query);
  const [type, status] = [query.get('jobType'), query.get('jobStatus')];
  const jobs = cloud.jobs.list().filter((job) => (!type || job.type === type) && (!status || job.status === status));
  return { status: 200, body: jobs.map(document) };
};

/** Jobs by name. */
export const jobs = {
  create: { name: 'job-create', access: 'registry-write', shape: 'old', handle: create },
  get: { name: 'job-get', access: 'registry-read', shape: 'old', handle: get },
  cancel: { name: 'job-cancel', access: 'registry-write', shape: 'old', handle: cancel },
  list: { name: 'job-list', access: 'registry-read', shape: 'old', handle: list },
} as const satisfies Record<string, Operation>;

/** @throws CloudFault argument-invalid */
function jobOf(request: HttpRequest, input: JsonObject, cloud: Cloud): JobInput {
  const condition = typeof input.queryCondition === 'string' ? input.queryCondition : '*';
  const test = condition.trim() === '*' || condition.trim() === '' ? () => true : parseCondition(condition);
  const startsAt = typeof input.startTime === 'string' ? Date.parse(input.startTime) : cloud.clock.now();
  if (Number.isNaN(startsAt)) throw new CloudFault('argument-invalid', { text: 'startTime is not a time' });
  return {
    jobId: request.params.jobId ?? '',
    startsAt,
    maxExecutionTimeInSeconds: Number(input.maxExecutionTimeInSeconds ?? 3_600),
    queryCondition: condition,
    find: () => findTwins(cloud, 'devices', test).map((twin) => ({ deviceId: String(twin.deviceId) })),
    ...taskOf(input, cloud),
  };
}

function taskOf(input: JsonObject, cloud: Cloud): Pick<JobInput, 'type' | 'task' | 'run'> {
  const { updateTwin, cloudToDeviceMethod } = input;
  if (input.type === 'scheduleUpdateTwin' && isJsonObject(updateTwin)) {
    const properties = isJsonObject(updateTwin.properties) ? updateTwin.properties : {};
    const change = { tags: updateTwin.tags, desired: properties.desired };
    const run = async (identity: Identity) => cloud.twins.change(identity, change);
    return { type: input.type, task: { updateTwin }, run };
  }
  if (input.type === 'scheduleDeviceMethod' && isJsonObject(cloudToDeviceMethod)) {
    const method = methodInput(cloudToDeviceMethod);
    const run = (identity: Identity) => cloud.methods.invoke(identity, method);
    return { type: input.type, task: { cloudToDeviceMethod }, run };
  }
  throw new CloudFault('argument-invalid', { text: 'The type of the job is not known, or what it does is missing' });
}

const timeOf = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());

function document(job: JobRecord): JsonObject {
  const { jobId, type, status, found, succeeded, failed } = job;
  return {
    jobId,
    type,
    status,
    createdTime: timeOf(job.createdAt),
    startTime: timeOf(job.startedAt ?? job.startsAt),
    endTime: timeOf(job.endedAt),
    maxExecutionTimeInSeconds: job.maxExecutionTimeInSeconds,
    queryCondition: job.queryCondition,
    ...job.task,
    deviceJobStatistics: {
      deviceCount: found,
      failedCount: failed,
      succeededCount: succeeded,
      runningCount: status === 'running' ? 1 : 0,
      pendingCount: Math.max(0, found - succeeded - failed - (status === 'running' ? 1 : 0)),
    },
  };
}
