import type { Category } from './categories.ts';
import { DeviceCloudError, type ErrorFields } from './error.ts';
import { fill, type Words, wordsOf } from './error-parts.ts';

/*
 * One class per category. The static `category` lets `instanceof` hold across copies of the
 * package; `name` is a literal, so that minifiers do not change it.
 */

/** The request is malformed, too large or not allowed as it is: 400004, 413001. Mend it. */
export class BadRequestError extends DeviceCloudError {
  static readonly category = 'bad-request';
  declare readonly category: 'bad-request';
  constructor(fields: ErrorFields) {
    super('bad-request', fields);
  }
  override get name(): 'BadRequestError' {
    return 'BadRequestError';
  }
}

/** Credentials are missing, wrong, expired or not sufficient: 401002, 401003, CONNACK 4 and 5. Renew them. */
export class UnauthorizedError extends DeviceCloudError {
  static readonly category = 'unauthorized';
  declare readonly category: 'unauthorized';
  constructor(fields: ErrorFields) {
    super('unauthorized', fields);
  }
  override get name(): 'UnauthorizedError' {
    return 'UnauthorizedError';
  }
}

/** A quota is used up: of the day (403002, `resetAt`), of a queue (403004), of open uploads (403006). */
export class QuotaExceededError extends DeviceCloudError {
  static readonly category = 'quota';
  declare readonly category: 'quota';
  constructor(fields: ErrorFields) {
    super('quota', fields);
  }
  override get name(): 'QuotaExceededError' {
    return 'QuotaExceededError';
  }
}

/** The device, hub or address does not exist (404001), or has moved (`serverReference`). */
export class NotFoundError extends DeviceCloudError {
  static readonly category = 'not-found';
  declare readonly category: 'not-found';
  constructor(fields: ErrorFields) {
    super('not-found', fields);
  }
  override get name(): 'NotFoundError' {
    return 'NotFoundError';
  }
}

/** The device exists but is not connected: 404103, 404104. */
export class DeviceOfflineError extends DeviceCloudError {
  static readonly category = 'offline';
  declare readonly category: 'offline';
  constructor(fields: ErrorFields) {
    super('offline', fields);
  }
  override get name(): 'DeviceOfflineError' {
    return 'DeviceOfflineError';
  }
}

/** Something of that name is there already (409001), or a newer connection took over (400027). */
export class ConflictError extends DeviceCloudError {
  static readonly category = 'conflict';
  declare readonly category: 'conflict';
  constructor(fields: ErrorFields) {
    super('conflict', fields);
  }
  override get name(): 'ConflictError' {
    return 'ConflictError';
  }
}

/** An ETag (412001) or a message lock (412002) no longer holds. Read again. */
export class PreconditionFailedError extends DeviceCloudError {
  static readonly category = 'precondition';
  declare readonly category: 'precondition';
  constructor(fields: ErrorFields) {
    super('precondition', fields);
  }
  override get name(): 'PreconditionFailedError' {
    return 'PreconditionFailedError';
  }
}

/** The cloud asks to slow down (`retryAfterMs` where it says how long): 429001, 503008. Nothing ran. */
export class ThrottledError extends DeviceCloudError {
  static readonly category = 'throttled';
  declare readonly category: 'throttled';
  constructor(fields: ErrorFields) {
    super('throttled', fields);
  }
  override get name(): 'ThrottledError' {
    return 'ThrottledError';
  }
}

/** A fault inside the cloud, or a gateway before it: 500xxx, 503xxx. It may have run. */
export class ServerError extends DeviceCloudError {
  static readonly category = 'server';
  declare readonly category: 'server';
  constructor(fields: ErrorFields) {
    super('server', fields);
  }
  override get name(): 'ServerError' {
    return 'ServerError';
  }
}

/** A time limit ran out: of the cloud (504101), of the connection, of the operation itself. It may have run. */
export class TimeoutExpiredError extends DeviceCloudError {
  static readonly category = 'timeout';
  declare readonly category: 'timeout';
  constructor(fields: ErrorFields) {
    super('timeout', fields);
  }
  override get name(): 'TimeoutExpiredError' {
    return 'TimeoutExpiredError';
  }
}

/** Socket, DNS or TLS. */
export class NetworkError extends DeviceCloudError {
  static readonly category = 'network';
  declare readonly category: 'network';
  constructor(fields: ErrorFields) {
    super('network', fields);
  }
  override get name(): 'NetworkError' {
    return 'NetworkError';
  }
}

/** What came is not the protocol that was spoken. */
export class ProtocolViolationError extends DeviceCloudError {
  static readonly category = 'protocol';
  declare readonly category: 'protocol';
  constructor(fields: ErrorFields) {
    super('protocol', fields);
  }
  override get name(): 'ProtocolViolationError' {
    return 'ProtocolViolationError';
  }
}

/** The cloud cancelled the operation. A cancellation by the caller passes through untouched. */
export class OperationCancelledError extends DeviceCloudError {
  static readonly category = 'cancelled';
  declare readonly category: 'cancelled';
  constructor(fields: ErrorFields) {
    super('cancelled', fields);
  }
  override get name(): 'OperationCancelledError' {
    return 'OperationCancelledError';
  }
}

/** Nothing to go by; `candidates` where some codes look alike. */
export class UnknownCloudError extends DeviceCloudError {
  static readonly category = 'unknown';
  declare readonly category: 'unknown';
  constructor(fields: ErrorFields) {
    super('unknown', fields);
  }
  override get name(): 'UnknownCloudError' {
    return 'UnknownCloudError';
  }
}

/** All errors of ours: switch over `category`. */
export type AnyDeviceCloudError =
  | BadRequestError
  | UnauthorizedError
  | QuotaExceededError
  | NotFoundError
  | DeviceOfflineError
  | ConflictError
  | PreconditionFailedError
  | ThrottledError
  | ServerError
  | TimeoutExpiredError
  | NetworkError
  | ProtocolViolationError
  | OperationCancelledError
  | UnknownCloudError;

const CLASSES: { readonly [C in Category]: new (fields: ErrorFields) => AnyDeviceCloudError } = {
  'bad-request': BadRequestError,
  unauthorized: UnauthorizedError,
  quota: QuotaExceededError,
  'not-found': NotFoundError,
  offline: DeviceOfflineError,
  conflict: ConflictError,
  precondition: PreconditionFailedError,
  throttled: ThrottledError,
  server: ServerError,
  timeout: TimeoutExpiredError,
  network: NetworkError,
  protocol: ProtocolViolationError,
  cancelled: OperationCancelledError,
  unknown: UnknownCloudError,
};

/**
 * Make the error of a category, for a fault that only the adapter knows of. What there is evidence
 * for is rather given to `classify`.
 *
 * @param fields - `reason`, `detail` and `operation` are masked and a `cause` is made safe to print; the
 *   others are kept as they are
 */
export function makeError(category: Category, fields: ErrorFields): AnyDeviceCloudError {
  const words = wordsOf(fields);
  const { message, cause } = words;
  return dress(cause === undefined ? new Error(message) : new Error(message, { cause }), category, fields, words);
}

/**
 * Make a plain error one of ours. Not by `new` of its class: V8 would walk the stack past each
 * constructor first. For the same reason who is in a hurry makes the plain one near its caller.
 */
export function dress(plain: Error, category: Category, fields: ErrorFields, words: Words): AnyDeviceCloudError {
  return fill(
    Object.setPrototypeOf(plain, CLASSES[category].prototype) as AnyDeviceCloudError,
    category,
    fields,
    words,
  );
}
