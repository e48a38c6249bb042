import type { Clock } from './clock.ts';
import { CloudFault } from './fault.ts';
import type { Identity } from './identity.ts';

export type JobType = 'scheduleUpdateTwin' | 'scheduleDeviceMethod';
export type JobStatus = 'scheduled' | 'running' | 'completed' | 'failed' | 'cancelled';

export interface JobInput {
  readonly jobId: string;
  readonly type: JobType;
  /** When to begin, in ms since the epoch; the past is now. */
  readonly startsAt: number;
  readonly maxExecutionTimeInSeconds: number;
  readonly queryCondition: string;
  /** What is done to each device, as it was asked for: for the answers. */
  readonly task: object;
  /** Devices it concerns, looked up when it begins. */
  readonly find: () => Identity[];
  /** Do it to one device; rejects where it fails. */
  readonly run: (identity: Identity) => Promise<unknown>;
}

export interface JobRecord extends JobInput {
  status: JobStatus;
  readonly createdAt: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
  found: number;
  succeeded: number;
  failed: number;
  cancel: () => void;
}

/** At most this many jobs are kept. */
const LIMIT = 1_000;

/** Scheduled jobs over many devices; each runs once, device by device. */
export class Jobs {
  readonly #clock: Clock;
  readonly #jobs = new Map<string, JobRecord>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws CloudFault job-already-exists */
  create(input: JobInput): JobRecord {
    if (this.#jobs.has(input.jobId)) throw new CloudFault('job-already-exists', { target: input.jobId });
    const oldest = this.#jobs.keys().next().value;
    if (this.#jobs.size >= LIMIT && oldest !== undefined) this.#jobs.delete(oldest);
    const job: JobRecord = {
      ...input,
      status: 'scheduled',
      createdAt: this.#clock.now(),
      startedAt: undefined,
      endedAt: undefined,
      found: 0,
      succeeded: 0,
      failed: 0,
      cancel: () => {},
    };
    this.#jobs.set(job.jobId, job);
    job.cancel = this.#clock.after(Math.max(0, input.startsAt - this.#clock.now()), () => void this.#run(job));
    return job;
  }

  /** @throws CloudFault job-not-found */
  get(jobId: string): JobRecord {
    const job = this.#jobs.get(jobId);
    if (!job) throw new CloudFault('job-not-found', { target: jobId });
    return job;
  }

  list(): JobRecord[] {
    return [...this.#jobs.values()];
  }

  /** What runs at a device is not called back. @throws CloudFault job-not-found */
  cancel(jobId: string): JobRecord {
    const job = this.get(jobId);
    if (job.status === 'scheduled' || job.status === 'running') {
      job.cancel();
      job.status = 'cancelled';
      job.endedAt = this.#clock.now();
    }
    return job;
  }

  async #run(job: JobRecord): Promise<void> {
    job.status = 'running';
    job.startedAt = this.#clock.now();
    const devices = job.find();
    job.found = devices.length;
    for (const identity of devices) {
      const ran = await job.run(identity).then(
        () => true,
        () => false,
      );
      if (ran) job.succeeded += 1;
      else job.failed += 1;
      if (isOver(job)) return;
    }
    job.status = job.failed > 0 ? 'failed' : 'completed';
    job.endedAt = this.#clock.now();
  }
}

/** Cancelled while a device was at work. */
function isOver(job: JobRecord): boolean {
  return job.status === 'cancelled';
}
