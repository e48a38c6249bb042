import type { FaultName } from '../state/fault.ts';

/**
 * The number each fault by behaviour bears. Sources: REST page "Common error codes" (2020),
 * troubleshoot-error-codes (2026), C# service SDK `ErrorCode.cs`.
 */
export const CODE_OF: Readonly<Record<FaultName, number>> = {
  'argument-invalid': 400004,
  'malformed-json': 400006,
  // The docs' logs say 401003; answers say 401002 (azure-iot-cli-extension, iotedge#6675).
  unauthorized: 401002,
  forbidden: 401002,
  'device-disabled': 403012,
  'device-not-found': 404001,
  'module-not-found': 404010,
  'address-not-found': 404006,
  'enrollment-not-found': 404201,
  'job-not-found': 404002,
  'job-already-exists': 409104,
  'device-already-exists': 409001,
  'module-already-exists': 409301,
  'precondition-failed': 412001,
  'device-not-online': 404103,
  'device-connection-closed': 404104,
  'taken-over': 400027,
  'link-conflict': 409002,
  'method-timeout': 504101,
  'lock-lost': 412002,
  'queue-full': 403004,
  'upload-limit': 403006,
  'upload-unknown': 400015,
  'upload-status-invalid': 400019,
  'quota-exceeded': 403002,
  throttled: 429001,
  'message-too-large': 413001,
  'too-many-devices': 413002,
  'device-repeated': 400011,
  'method-not-allowed': 405000,
  'unsupported-operation': 404013,
  'server-error': 500001,
};
