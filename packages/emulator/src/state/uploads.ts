import { randomUUID } from 'node:crypto';
import type { Clock } from './clock.ts';
import { CloudFault } from './fault.ts';
import type { Identities } from './identities.ts';

/** A place in storage, as the cloud hands it out. There is no storage behind it. */
export interface Upload {
  readonly correlationId: string;
  readonly hostName: string;
  readonly containerName: string;
  readonly blobName: string;
  readonly sasToken: string;
}

export interface UploadReport {
  readonly correlationId: string;
  readonly isSuccess: boolean;
  readonly statusCode: number;
  readonly statusDescription: string;
}

/** What a service reads about finished uploads. */
export interface FileNotification {
  readonly deviceId: string;
  readonly blobUri: string;
  readonly blobName: string;
  readonly lastUpdatedTime: string;
  readonly blobSizeInBytes: number;
  readonly enqueuedTimeUtc: string;
}

/** Uploads a device may have open at a time (devguide-file-upload). */
const LIMIT = 10;

/** File uploads: opened by a device, closed by its report. */
export class Uploads {
  readonly notifications: FileNotification[] = [];
  readonly #clock: Clock;
  readonly #identities: Identities;
  readonly #open = new Map<string, Map<string, Upload>>();

  constructor(clock: Clock, identities: Identities) {
    this.#clock = clock;
    this.#identities = identities;
    identities.ended.on(({ identity, why }) => {
      if (why === 'removed') this.#open.delete(identity.deviceId);
    });
  }

  /** @throws CloudFault upload-limit at the eleventh open one, argument-invalid */
  start(deviceId: string, blobName: unknown): Upload {
    this.#identities.get({ deviceId });
    if (typeof blobName !== 'string' || blobName === '' || blobName.length > 1024) {
      throw new CloudFault('argument-invalid', { text: 'blobName is missing or too long' });
    }
    const open = this.#open.get(deviceId) ?? new Map<string, Upload>();
    if (open.size >= LIMIT) throw new CloudFault('upload-limit', { target: deviceId });
    const upload: Upload = {
      correlationId: randomUUID(),
      hostName: 'storage.emulator.invalid',
      containerName: 'uploads',
      blobName: `${deviceId}/${blobName}`,
      sasToken: '?sv=2021-04-12&sr=b&sig=emulated&sp=rw',
    };
    this.#open.set(deviceId, open.set(upload.correlationId, upload));
    return upload;
  }

  /** @throws CloudFault upload-unknown, upload-status-invalid */
  report(deviceId: string, report: UploadReport): void {
    const open = this.#open.get(deviceId);
    const upload = open?.get(report.correlationId);
    if (!open || !upload) throw new CloudFault('upload-unknown', { target: deviceId });
    if (typeof report.isSuccess !== 'boolean') throw new CloudFault('upload-status-invalid', { target: deviceId });
    open.delete(report.correlationId);
    if (!report.isSuccess) return;
    const now = new Date(this.#clock.now()).toISOString();
    this.notifications.push({
      deviceId,
      blobUri: `https://${upload.hostName}/${upload.containerName}/${upload.blobName}`,
      blobName: upload.blobName,
      lastUpdatedTime: now,
      blobSizeInBytes: 0,
      enqueuedTimeUtc: now,
    });
  }

  open(deviceId: string): number {
    return this.#open.get(deviceId)?.size ?? 0;
  }
}
