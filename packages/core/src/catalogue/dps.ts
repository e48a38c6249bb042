import { dpsTexts } from './dps.texts.ts';
import type { Catalogue, CodeRow, Judgement } from './types.ts';

/*
 * Azure IoT Hub Device Provisioning Service. Its six-digit numbers are published nowhere as a table:
 * these were seen. Any other is judged by its first three digits, as every client does; a three-digit
 * one is a status.
 */

const ALL = ['http', 'mqtt', 'amqp'] as const;
const HTTP = ['http'] as const;
const bad = { category: 'bad-request', advice: 'never', executed: 'no', scope: 'device' } as const;
const login = { category: 'unauthorized', advice: 'renew-credentials', executed: 'no', scope: 'device' } as const;
const missing = { category: 'not-found', advice: 'never', executed: 'no', scope: 'device' } as const;
// A registration may have been accepted: look its status up before registering again.
const server = { category: 'server', advice: 'backoff', executed: 'unknown', scope: 'hub' } as const;

export const dpsRows = [
  // Registration is running: a client that takes "not 200" for an error fails every registration.
  {
    code: 202,
    reason: 'Accepted',
    category: 'unknown',
    advice: 'backoff',
    executed: 'yes',
    httpStatus: 202,
    transports: ALL,
    scope: 'device',
    notAFault: true,
  },
  { code: 400, reason: 'BadRequest', aliases: ['Bad Format'], ...bad, httpStatus: 400, transports: ALL },
  // In TPM attestation the first 401 is the challenge, no fault.
  { code: 401, reason: 'Unauthorized', ...login, httpStatus: 401, transports: ALL },
  { code: 403, reason: 'Forbidden', ...login, advice: 'never', httpStatus: 403, transports: ALL, listedOnly: true },
  { code: 404, reason: 'NotFound', ...missing, httpStatus: 404, transports: ALL },
  { code: 405, reason: 'MethodNotAllowed', ...bad, httpStatus: 405, transports: HTTP, listedOnly: true },
  {
    code: 409,
    reason: 'Conflict',
    category: 'conflict',
    advice: 'never',
    executed: 'unknown',
    httpStatus: 409,
    transports: HTTP,
    scope: 'device',
    listedOnly: true,
  },
  // Also where one identity registers twice at the same time.
  {
    code: 412,
    reason: 'PreconditionFailed',
    category: 'precondition',
    advice: 'never',
    executed: 'no',
    httpStatus: 412,
    transports: ALL,
    scope: 'device',
  },
  { code: 415, reason: 'UnsupportedMediaType', ...bad, httpStatus: 415, transports: HTTP, listedOnly: true },
  {
    code: 429,
    reason: 'TooManyRequests',
    category: 'throttled',
    advice: 'throttled',
    executed: 'no',
    httpStatus: 429,
    transports: ALL,
    scope: 'hub',
  },
  { code: 500, reason: 'InternalServerError', ...server, httpStatus: 500, transports: ALL, listedOnly: true },
  { code: 502, reason: 'BadGateway', ...server, httpStatus: 502, transports: ALL, listedOnly: true },
  { code: 503, reason: 'ServiceUnavailable', ...server, httpStatus: 503, transports: ALL, listedOnly: true },
  {
    code: 504,
    reason: 'GatewayTimeout',
    ...server,
    category: 'timeout',
    httpStatus: 504,
    transports: ALL,
    listedOnly: true,
  },

  // Inside an answer 200 whose status is `failed`; what separates the two is documented nowhere.
  { code: 400207, reason: 'CustomAllocationFailed', ...bad, httpStatus: 200, transports: ALL },
  { code: 400209, reason: 'CustomAllocationFailed', ...bad, httpStatus: 200, transports: ALL },
  { code: 401002, reason: 'IotHubUnauthorizedAccess', ...login, httpStatus: 401, transports: ALL },
  // The name is inferred from what it is for.
  { code: 404201, reason: 'EnrollmentNotFound', ...missing, httpStatus: 404, transports: ALL },
  // One report; which not-found it is, is documented nowhere.
  { code: 404202, reason: 'RegistrationNotFound', ...missing, httpStatus: 404, transports: ALL },
] as const satisfies readonly CodeRow[];

/**
 * The codes of the Device Provisioning Service, as they were seen: no table of them is published. The
 * `source` of each row is among its texts. Searched by `classify` and `lookup` by themselves.
 */
export const dps: Catalogue = {
  name: 'azure-iot-dps',
  rows: dpsRows,
  // Made when first read: classifying needs no texts.
  get texts() {
    return dpsTexts();
  },
};

/** What the `status` of a registration says, whatever the status of the answer it is in. */
export const registrationStatuses = {
  unassigned: 'pending',
  assigning: 'pending',
  // As one client sends it on.
  registering: 'pending',
  assigned: 'done',
  failed: { category: 'unknown', reason: 'RegistrationFailed', advice: 'never', executed: 'no' },
  disabled: { category: 'unauthorized', reason: 'RegistrationDisabled', advice: 'never', executed: 'no' },
} as const satisfies Record<string, 'pending' | 'done' | Judgement>;
