import type { Category, Executed } from '@faultmap/core';

/** What faultmap is to do about a row. */
export type Did = 'thrown' | 'retried' | 'held' | 'reported';

export interface Expected {
  /** Codes the answer may carry: some rows arrive under a sibling's number. */
  readonly codes: readonly number[];
  readonly reason: string;
  readonly category: Category;
  readonly executed: Executed;
  readonly did: Did;
  /** Why the row is scripted where no behaviour of a cloud is known to produce it. */
  readonly scripted?: string;
}

/**
 * The 17 rows of the cloud's table of common error codes, as its documentation means them; written
 * by hand and compared with what came out, so that the demo cannot grade itself.
 */
export const EXPECTED = {
  '400004': { codes: [400004], reason: 'ArgumentInvalid', category: 'bad-request', executed: 'no', did: 'thrown' },
  '400027': {
    codes: [400027],
    reason: 'ConnectionForcefullyClosedOnNewConnection',
    category: 'conflict',
    executed: 'unknown',
    did: 'held',
  },
  '401003': {
    codes: [401003],
    reason: 'IotHubUnauthorized',
    category: 'unauthorized',
    executed: 'no',
    did: 'thrown',
    scripted: 'seen in logs only; answers say 401002',
  },
  '403002': { codes: [403002], reason: 'IotHubQuotaExceeded', category: 'quota', executed: 'no', did: 'thrown' },
  '403004': {
    codes: [403004],
    reason: 'DeviceMaximumQueueDepthExceeded',
    category: 'quota',
    executed: 'no',
    did: 'thrown',
  },
  '403006': {
    codes: [403006],
    reason: 'DeviceMaximumActiveFileUploadLimitExceeded',
    category: 'quota',
    executed: 'no',
    did: 'thrown',
  },
  '404001': { codes: [404001], reason: 'DeviceNotFound', category: 'not-found', executed: 'no', did: 'thrown' },
  '404103': { codes: [404103], reason: 'DeviceNotOnline', category: 'offline', executed: 'no', did: 'thrown' },
  '404104': {
    codes: [404104],
    reason: 'DeviceConnectionClosedRemotely',
    category: 'offline',
    executed: 'unknown',
    did: 'retried',
    scripted: 'seen in logs only',
  },
  '409001': {
    codes: [409001],
    reason: 'DeviceAlreadyExists',
    category: 'conflict',
    executed: 'unknown',
    did: 'thrown',
  },
  '409002': {
    codes: [409002],
    reason: 'LinkCreationConflict',
    category: 'conflict',
    executed: 'unknown',
    did: 'reported',
  },
  '412001': {
    codes: [412001],
    reason: 'PreconditionFailed',
    category: 'precondition',
    executed: 'no',
    did: 'thrown',
  },
  '412002': {
    codes: [412002],
    reason: 'DeviceMessageLockLost',
    category: 'precondition',
    executed: 'yes',
    did: 'thrown',
  },
  '429001': { codes: [429001], reason: 'ThrottlingException', category: 'throttled', executed: 'no', did: 'retried' },
  '500xxx': {
    codes: [500001, 500008],
    reason: 'ServerError',
    category: 'server',
    executed: 'unknown',
    did: 'retried',
  },
  '503003': {
    codes: [503003],
    reason: 'PartitionNotFound',
    category: 'server',
    executed: 'unknown',
    did: 'retried',
    scripted: 'doubtful: gone from the 2026 documentation',
  },
  '504101': { codes: [504101], reason: 'GatewayTimeout', category: 'timeout', executed: 'unknown', did: 'thrown' },
} as const satisfies Record<string, Expected>;

export type RowKey = keyof typeof EXPECTED;
