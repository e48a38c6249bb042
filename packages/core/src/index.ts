// For users.

export { dps } from './catalogue/dps.ts';
export { iotHub } from './catalogue/iot-hub.ts';
export type { KnownReason } from './catalogue/known.ts';
export { type LookedUp, lookup } from './catalogue/lookup.ts';
export type { Catalogue, CodeRow, CodeTexts } from './catalogue/types.ts';
export type { Advice, AppliesTo, Category, Executed, FaultScope, Transport } from './categories.ts';
export { type ClassifyContext, classify } from './classify.ts';
export type { Clock } from './clock.ts';
export { DeviceCloudError, type ErrorFields, type ErrorJson, isDeviceCloudError, type Stopped } from './error.ts';
export { fromJSON } from './error-json.ts';
export {
  type AnyDeviceCloudError,
  BadRequestError,
  ConflictError,
  DeviceOfflineError,
  NetworkError,
  NotFoundError,
  OperationCancelledError,
  PreconditionFailedError,
  ProtocolViolationError,
  QuotaExceededError,
  ServerError,
  ThrottledError,
  TimeoutExpiredError,
  UnauthorizedError,
  UnknownCloudError,
} from './errors.ts';
export type { FaultEvent, FaultEventName, FaultListener } from './events.ts';
export { createPacer } from './pacer/create-pacer.ts';
export type { Pacer, PacerChange, PacerListener, PacerOptions, PacerState } from './pacer/types.ts';
export type { Attempt, Operation, RetryContext, RetryOptions } from './retry/options.ts';
export { type RetryCallOptions, retry } from './retry/retry.ts';
