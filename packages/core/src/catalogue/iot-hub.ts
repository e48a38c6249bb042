import { iotHubTexts } from './iot-hub.texts.ts';
import type { Catalogue, CodeRow } from './types.ts';

/*
 * Azure IoT Hub: every number its documentation, its SDKs or a capture names.
 *
 * The first three digits give the default; where a row differs, a comment says why. The first digit
 * says nothing about repeating: 400021, 400024, 400029, 400030, 404012 and 404104 pass, 500002 does not.
 */

const ALL = ['http', 'mqtt', 'amqp'] as const;

/** What a family says where its row does not say otherwise. No source tells where most codes occur. */
const device = { transports: [], scope: 'device' } as const;
const hub = { transports: [], scope: 'hub' } as const;

const as400 = { category: 'bad-request', advice: 'never', executed: 'no', httpStatus: 400, ...device } as const;
const as401 = {
  category: 'unauthorized',
  advice: 'renew-credentials',
  executed: 'no',
  httpStatus: 401,
  ...device,
} as const;
const as403 = { category: 'unauthorized', advice: 'never', executed: 'no', httpStatus: 403, ...device } as const;
const as404 = { category: 'not-found', advice: 'never', executed: 'no', httpStatus: 404, ...device } as const;
const as405 = { category: 'bad-request', advice: 'never', executed: 'no', httpStatus: 405, ...device } as const;
const as409 = { category: 'conflict', advice: 'never', executed: 'unknown', httpStatus: 409, ...device } as const;
const as412 = { category: 'precondition', advice: 'never', executed: 'no', httpStatus: 412, ...device } as const;
const as413 = { category: 'bad-request', advice: 'never', executed: 'no', httpStatus: 413, ...device } as const;
const as415 = { category: 'bad-request', advice: 'never', executed: 'no', httpStatus: 415, ...device } as const;
const as429 = { category: 'throttled', advice: 'throttled', executed: 'no', httpStatus: 429, ...hub } as const;
const as499 = { category: 'timeout', advice: 'backoff', executed: 'unknown', httpStatus: 499, ...device } as const;
const as500 = { category: 'server', advice: 'backoff', executed: 'unknown', httpStatus: 500, ...hub } as const;
const as502 = { category: 'server', advice: 'backoff', executed: 'unknown', httpStatus: 502, ...hub } as const;
const as503 = { category: 'server', advice: 'backoff', executed: 'unknown', httpStatus: 503, ...hub } as const;
const as504 = { category: 'timeout', advice: 'backoff', executed: 'unknown', httpStatus: 504, ...hub } as const;

/** Of the texts that come with 404103 only one proves that the call was never delivered. */
const onlyIfNeverConnected = { 'waiting for device to connect': 'no', '': 'unknown' } as const;

export const iotHubRows = [
  // A client's placeholder for "none" or "number and name disagree"; decides nothing.
  {
    code: 0,
    reason: 'InvalidErrorCode',
    aliases: ['UnclassifiedErrorCode'],
    category: 'unknown',
    advice: 'never',
    executed: 'unknown',
    httpStatus: null,
    transports: [],
    scope: 'hub',
    notAFault: true,
  },

  // General: the status alone, as one SDK lists it.
  { code: 400, reason: 'BadFormat', aliases: ['BadRequest', 'Bad Format'], ...as400 },
  { code: 401, reason: 'Unauthorized', ...as401 },
  { code: 403, reason: 'Forbidden', ...as403 },
  { code: 404, reason: 'NotFound', ...as404 },
  { code: 409, reason: 'Conflict', ...as409 },
  { code: 412, reason: 'PreconditionFailed', ...as412 },
  { code: 413, reason: 'RequestEntityTooLarge', ...as413 },
  { code: 429, reason: 'ThrottlingException', ...as429 },
  { code: 500, reason: 'InternalServerError', ...as500 },
  { code: 503, reason: 'ServiceUnavailable', ...as503 },

  // 400xxx
  { code: 400000, reason: 'GenericBadRequest', ...as400 },
  { code: 400001, reason: 'InvalidProtocolVersion', ...as400, transports: ALL, scope: 'hub' },
  { code: 400002, reason: 'DeviceInvalidResultCount', ...as400 },
  { code: 400003, reason: 'InvalidOperation', ...as400, transports: ['http', 'amqp'] },
  { code: 400004, reason: 'ArgumentInvalid', ...as400, transports: ALL },
  { code: 400005, reason: 'ArgumentNull', ...as400 },
  { code: 400006, reason: 'IotHubFormatError', ...as400, transports: ['http'] },
  { code: 400007, reason: 'DeviceStorageEntitySerializationError', ...as400 },
  { code: 400008, reason: 'BlobContainerValidationError', ...as400, scope: 'hub' },
  { code: 400009, reason: 'ImportWarningExistsError', ...as400, scope: 'hub' },
  { code: 400010, reason: 'InvalidSchemaVersion', ...as400 },
  { code: 400011, reason: 'DeviceDefinedMultipleTimes', ...as400, transports: ['http'] },
  { code: 400012, reason: 'DeserializationError', ...as400 },
  // Some entries may have been applied.
  { code: 400013, reason: 'BulkRegistryOperationFailure', ...as400, executed: 'unknown', transports: ['http'] },
  { code: 400014, reason: 'DefaultStorageEndpointNotConfigured', ...as400, scope: 'hub', listedOnly: true },
  { code: 400015, reason: 'InvalidFileUploadCorrelationId', ...as400, transports: ['http'], listedOnly: true },
  { code: 400016, reason: 'ExpiredFileUploadCorrelationId', ...as400, transports: ['http'], listedOnly: true },
  { code: 400017, reason: 'InvalidStorageEndpoint', ...as400, scope: 'hub', listedOnly: true },
  { code: 400018, reason: 'InvalidMessagingEndpoint', ...as400, scope: 'hub', listedOnly: true },
  { code: 400019, reason: 'InvalidFileUploadCompletionStatus', ...as400, transports: ['http'], listedOnly: true },
  {
    code: 400020,
    reason: 'InvalidStorageEndpointOrBlob',
    ...as400,
    transports: ['http'],
    scope: 'hub',
    disputedNames: ['IotHubSuspended'],
    listedOnly: true,
  },
  // The cloud cancelled it.
  {
    code: 400021,
    reason: 'RequestCanceled',
    ...as400,
    category: 'cancelled',
    advice: 'backoff',
    executed: 'unknown',
    listedOnly: true,
  },
  { code: 400022, reason: 'InvalidStorageEndpointProperty', ...as400, scope: 'hub', listedOnly: true },
  // A twin of 412001 in another family.
  {
    code: 400023,
    reason: 'EtagDoesNotMatch',
    ...as400,
    category: 'precondition',
    transports: ['http'],
    listedOnly: true,
  },
  // Documented as to be repeated, although a 400.
  {
    code: 400024,
    reason: 'RequestTimedOut',
    ...as400,
    category: 'timeout',
    advice: 'backoff',
    executed: 'unknown',
    listedOnly: true,
  },
  { code: 400025, reason: 'UnsupportedOperationOnReplica', ...as400, scope: 'hub', listedOnly: true },
  { code: 400026, reason: 'NullMessage', ...as400, listedOnly: true },
  // Two owners of one identity evict each other for ever. Callers of direct methods saw it as an HTTP 400.
  {
    code: 400027,
    reason: 'ConnectionForcefullyClosedOnNewConnection',
    ...as400,
    category: 'conflict',
    executed: 'unknown',
    httpStatus: null,
    transports: ALL,
  },
  { code: 400028, reason: 'InvalidDeviceScope', ...as400, listedOnly: true },
  // The hub's own upgrade: an immediate reconnect succeeds.
  {
    code: 400029,
    reason: 'ConnectionForcefullyClosedOnFaultInjection',
    ...as400,
    category: 'server',
    advice: 'now',
    executed: 'unknown',
    scope: 'hub',
    listedOnly: true,
  },
  // The same upgrade: immediate reconnects are refused.
  {
    code: 400030,
    reason: 'ConnectionRejectedOnFaultInjection',
    ...as400,
    category: 'server',
    advice: 'backoff',
    scope: 'hub',
    listedOnly: true,
  },
  { code: 400031, reason: 'InvalidEndpointAuthenticationType', ...as400, scope: 'hub', listedOnly: true },
  { code: 400032, reason: 'ManagedIdentityNotEnabled', ...as400, scope: 'hub', listedOnly: true },
  { code: 400033, reason: 'ContainerDisabled', aliases: ['Container Disabled'], ...as400, scope: 'hub' },
  { code: 400035, reason: 'InvalidPolicyKey', ...as400, scope: 'hub', listedOnly: true },
  // Some keys may be new already.
  { code: 400036, reason: 'BulkRegenerateDeviceKeyOperationFailure', ...as400, executed: 'unknown', listedOnly: true },
  { code: 400100, reason: 'InvalidRouteTestInput', ...as400, scope: 'hub', listedOnly: true },
  { code: 400101, reason: 'InvalidSourceOnRoute', ...as400, scope: 'hub', listedOnly: true },
  { code: 400102, reason: 'RoutingNotEnabled', ...as400, scope: 'hub', listedOnly: true },
  { code: 400103, reason: 'InvalidContentEncodingOrType', ...as400, listedOnly: true },
  { code: 400301, reason: 'CannotRegisterModuleToModule', ...as400, scope: 'module' },
  { code: 400302, reason: 'TenantHubRoutingNotEnabled', ...as400, scope: 'hub', listedOnly: true },
  { code: 400401, reason: 'InvalidConfigurationTargetCondition', ...as400, scope: 'hub', listedOnly: true },
  { code: 400402, reason: 'InvalidConfigurationContent', ...as400, scope: 'hub', listedOnly: true },
  { code: 400403, reason: 'CannotModifyImmutableConfigurationContent', ...as400, scope: 'hub', listedOnly: true },
  { code: 400404, reason: 'InvalidConfigurationCustomMetricsQuery', ...as400, scope: 'hub', listedOnly: true },
  { code: 400501, reason: 'InvalidPnPInterfaceDefinition', ...as400, listedOnly: true },
  { code: 400502, reason: 'InvalidPnPDesiredProperties', ...as400, listedOnly: true },
  { code: 400503, reason: 'InvalidPnPReportedProperties', ...as400, listedOnly: true },
  { code: 400504, reason: 'InvalidPnPWritableReportedProperties', ...as400, listedOnly: true },
  { code: 400505, reason: 'InvalidDigitalTwinJsonPatch', ...as400, listedOnly: true },
  { code: 400506, reason: 'InvalidDigitalTwinPayload', ...as400, listedOnly: true },
  { code: 400507, reason: 'InvalidDigitalTwinPatch', ...as400, listedOnly: true },
  { code: 400508, reason: 'InvalidDigitalTwinPatchPath', ...as400, listedOnly: true },

  // 401xxx
  { code: 401000, reason: 'GenericUnauthorized', ...as401 },
  // Not-found faults inside the 401 family, like 401004.
  { code: 401001, reason: 'IotHubNotFound', ...as401, category: 'not-found', advice: 'never', scope: 'hub' },
  {
    code: 401002,
    reason: 'IotHubUnauthorizedAccess',
    aliases: ['IotHub Unauthorized Access'],
    ...as401,
    transports: ALL,
  },
  // In logs and documentation for what answers label 401002: one class.
  { code: 401003, reason: 'IotHubUnauthorized', ...as401, transports: ALL },
  {
    code: 401004,
    reason: 'ElasticPoolNotFound',
    ...as401,
    category: 'not-found',
    advice: 'never',
    scope: 'hub',
    listedOnly: true,
  },
  { code: 401100, reason: 'SystemModuleModifyUnauthorizedAccess', ...as401, advice: 'never', listedOnly: true },

  // 403xxx
  { code: 403000, reason: 'GenericForbidden', ...as403, scope: 'hub', listedOnly: true },
  { code: 403001, reason: 'IotHubSuspended', ...as403, scope: 'hub', disputedNames: ['JobQuotaExceeded'] },
  // Clears at the next UTC midnight.
  {
    code: 403002,
    reason: 'IotHubQuotaExceeded',
    ...as403,
    category: 'quota',
    advice: 'at-reset',
    transports: ALL,
    scope: 'hub',
  },
  // A limit rather than a right; so are 403005, 403007, 403100, 403101 and 403800.
  { code: 403003, reason: 'JobQuotaExceeded', ...as403, category: 'quota', scope: 'hub' },
  {
    code: 403004,
    reason: 'DeviceMaximumQueueDepthExceeded',
    ...as403,
    category: 'quota',
    transports: ['http', 'amqp'],
  },
  {
    code: 403005,
    reason: 'IotHubMaxCbsTokenExceeded',
    ...as403,
    category: 'quota',
    transports: ['amqp'],
    scope: 'hub',
  },
  {
    code: 403006,
    reason: 'DeviceMaximumActiveFileUploadLimitExceeded',
    ...as403,
    category: 'quota',
    transports: ['http'],
  },
  { code: 403007, reason: 'DeviceMaximumQueueSizeExceeded', ...as403, category: 'quota', listedOnly: true },
  { code: 403008, reason: 'RoutingEndpointResponseForbidden', ...as403, scope: 'hub', listedOnly: true },
  { code: 403009, reason: 'InvalidMessageExpiryTime', ...as403, category: 'bad-request', listedOnly: true },
  { code: 403010, reason: 'OperationNotAvailableInCurrentTier', ...as403, scope: 'hub', listedOnly: true },
  { code: 403011, reason: 'KeyEncryptionKeyRevoked', ...as403, scope: 'hub', listedOnly: true },
  { code: 403012, reason: 'DeviceDisabled', ...as403, listedOnly: true },
  { code: 403100, reason: 'DeviceModelMaxPropertiesExceeded', ...as403, category: 'quota', listedOnly: true },
  { code: 403101, reason: 'DeviceModelMaxIndexablePropertiesExceeded', ...as403, category: 'quota', listedOnly: true },
  {
    code: 403800,
    reason: 'DeviceMaximumInflightMethodExceeded',
    ...as403,
    category: 'quota',
    transports: ['http', 'amqp'],
    listedOnly: true,
  },

  // 404xxx
  { code: 404000, reason: 'GenericNotFound', ...as404, listedOnly: true },
  { code: 404001, reason: 'DeviceNotFound', ...as404, transports: ['http', 'amqp'], misprints: [404104] },
  { code: 404002, reason: 'JobNotFound', ...as404, scope: 'hub' },
  { code: 404004, reason: 'QuotaMetricNotFound', ...as404, scope: 'hub', listedOnly: true },
  { code: 404005, reason: 'SystemPropertyNotFound', ...as404, listedOnly: true },
  { code: 404006, reason: 'AmqpAddressNotFound', ...as404, transports: ['amqp'] },
  { code: 404007, reason: 'RoutingEndpointResponseNotFound', ...as404, scope: 'hub', listedOnly: true },
  { code: 404008, reason: 'CertificateNotFound', ...as404, scope: 'hub', listedOnly: true },
  { code: 404009, reason: 'ElasticPoolTenantHubNotFound', ...as404, scope: 'hub', listedOnly: true },
  { code: 404010, reason: 'ModuleNotFound', ...as404, transports: ['http'], scope: 'module' },
  { code: 404011, reason: 'AzureTableStoreNotFound', ...as404, scope: 'hub', listedOnly: true },
  // A 404 that passes: the hub is failing over.
  {
    code: 404012,
    reason: 'IotHubFailingOver',
    ...as404,
    category: 'server',
    advice: 'backoff',
    executed: 'unknown',
    scope: 'hub',
    listedOnly: true,
  },
  { code: 404013, reason: 'FeatureNotSupported', ...as404, scope: 'hub', listedOnly: true },
  { code: 404014, reason: 'DigitalTwinInterfaceNotFound', ...as404, scope: 'hub', listedOnly: true },
  { code: 404015, reason: 'ContainerNotFound', ...as404, scope: 'hub' },
  // Internal.
  {
    code: 404101,
    reason: 'QueryStoreClusterNotFound',
    ...as404,
    category: 'server',
    advice: 'backoff',
    executed: 'unknown',
    scope: 'hub',
    listedOnly: true,
  },
  {
    code: 404103,
    reason: 'DeviceNotOnline',
    ...as404,
    category: 'offline',
    executedByText: onlyIfNeverConnected,
    transports: ['http'],
    misprints: [404102],
  },
  // A disconnect as the hub sees it; what was in flight is in doubt.
  {
    code: 404104,
    reason: 'DeviceConnectionClosedRemotely',
    ...as404,
    category: 'offline',
    advice: 'backoff',
    executed: 'unknown',
    transports: ['mqtt', 'amqp'],
  },
  { code: 404301, reason: 'ConfigurationNotFound', ...as404, scope: 'hub', listedOnly: true },
  { code: 404302, reason: 'GroupNotFound', ...as404, scope: 'hub', listedOnly: true },
  { code: 404401, reason: 'DigitalTwinModelNotFound', ...as404, scope: 'hub', listedOnly: true },
  { code: 404402, reason: 'InterfaceNameModelNotFound', ...as404, scope: 'hub', listedOnly: true },

  // 405xxx
  { code: 405000, reason: 'GenericMethodNotAllowed', ...as405, listedOnly: true },
  { code: 405102, reason: 'OperationNotAllowedInCurrentState', ...as405, listedOnly: true },
  { code: 405103, reason: 'ImportDevicesNotSupported', ...as405, scope: 'hub', listedOnly: true },
  { code: 405104, reason: 'BulkAddDevicesNotSupported', ...as405, scope: 'hub', listedOnly: true },

  // 409xxx
  { code: 409000, reason: 'GenericConflict', ...as409, listedOnly: true },
  // May be the caller's own earlier attempt.
  { code: 409001, reason: 'DeviceAlreadyExists', ...as409, transports: ['http', 'amqp'] },
  { code: 409002, reason: 'LinkCreationConflict', ...as409, httpStatus: null, transports: ['mqtt', 'amqp'] },
  { code: 409003, reason: 'CallbackSubscriptionConflict', ...as409, listedOnly: true },
  { code: 409101, reason: 'ModelAlreadyExists', ...as409, scope: 'hub', listedOnly: true },
  { code: 409102, reason: 'DeviceLocked', ...as409, listedOnly: true },
  { code: 409103, reason: 'DeviceJobAlreadyExists', ...as409, listedOnly: true },
  { code: 409104, reason: 'JobAlreadyExists', ...as409, scope: 'hub', listedOnly: true },
  { code: 409301, reason: 'ModuleAlreadyExistsOnDevice', ...as409, transports: ['http'], scope: 'module' },
  { code: 409401, reason: 'ConfigurationAlreadyExists', ...as409, scope: 'hub', listedOnly: true },
  { code: 409402, reason: 'ApplyConfigurationAlreadyInProgressOnDevice', ...as409, listedOnly: true },
  { code: 409501, reason: 'DigitalTwinModelAlreadyExists', ...as409, scope: 'hub', listedOnly: true },
  { code: 409502, reason: 'DigitalTwinModelExistsWithOtherModelType', ...as409, scope: 'hub', listedOnly: true },
  { code: 409503, reason: 'InterfaceNameModelAlreadyExists', ...as409, scope: 'hub', listedOnly: true },

  // 412xxx
  { code: 412000, reason: 'GenericPreconditionFailed', ...as412, listedOnly: true },
  { code: 412001, reason: 'PreconditionFailed', ...as412, transports: ['http', 'amqp'] },
  // The handler ran; the message is delivered again.
  {
    code: 412002,
    reason: 'DeviceMessageLockLost',
    ...as412,
    executed: 'yes',
    httpStatus: null,
    transports: ['http', 'amqp'],
  },
  { code: 412003, reason: 'JobRunPreconditionFailed', ...as412, listedOnly: true },
  { code: 412004, reason: 'InflightMessagesInLink', ...as412, transports: ['amqp'], listedOnly: true },

  // 413xxx
  { code: 413000, reason: 'GenericRequestEntityTooLarge', ...as413, listedOnly: true },
  { code: 413001, reason: 'MessageTooLarge', ...as413, transports: ALL },
  { code: 413002, reason: 'TooManyDevices', ...as413, transports: ['http'] },
  // Limits of a count.
  { code: 413003, reason: 'TooManyModulesOnDevice', ...as413, category: 'quota', scope: 'module' },
  {
    code: 413101,
    reason: 'ConfigurationCountLimitExceeded',
    ...as413,
    category: 'quota',
    scope: 'hub',
    listedOnly: true,
  },
  {
    code: 413201,
    reason: 'DigitalTwinModelCountLimitExceeded',
    ...as413,
    category: 'quota',
    scope: 'hub',
    listedOnly: true,
  },
  {
    code: 413202,
    reason: 'InterfaceNameCompressionModelCountLimitExceeded',
    ...as413,
    category: 'quota',
    scope: 'hub',
    listedOnly: true,
  },

  // 415xxx and 499xxx
  { code: 415000, reason: 'GenericUnsupportedMediaType', ...as415, listedOnly: true },
  { code: 415101, reason: 'IncompatibleDataType', ...as415, listedOnly: true },

  // 429xxx: shed at admission, never executed.
  { code: 429000, reason: 'GenericTooManyRequests', ...as429, transports: ALL },
  { code: 429001, reason: 'ThrottlingException', ...as429, transports: ALL },
  { code: 429002, reason: 'ThrottleBacklogLimitExceeded', ...as429, transports: ALL },
  {
    code: 429003,
    reason: 'ThrottlingBacklogTimeout',
    ...as429,
    transports: ALL,
    disputedNames: ['InvalidThrottleParameter'],
  },
  { code: 429004, reason: 'ThrottlingMaxActiveJobCountExceeded', ...as429, transports: ALL },
  { code: 429005, reason: 'DeviceThrottlingLimitExceeded', ...as429, transports: ALL, scope: 'device' },
  { code: 499000, reason: 'ClientClosedRequest', ...as499, listedOnly: true },

  // 500xxx
  { code: 500000, reason: 'GenericServerError', aliases: ['Generic Server error'], ...as500 },
  {
    code: 500001,
    reason: 'ServerError',
    aliases: ['InternalServerError'],
    ...as500,
    transports: ALL,
    misprints: [5000001],
  },
  // Somebody cancelled a job; parts of it may have run.
  { code: 500002, reason: 'JobCancelled', ...as500, category: 'cancelled', advice: 'never' },
  { code: 500007, reason: 'AzureStorageTimedOut', aliases: ['Azure Storage Timedout'], ...as500 },
  // About opening a connection: nothing had run.
  { code: 500008, reason: 'GenericTimeout', ...as500, executed: 'no', transports: ['mqtt', 'amqp'], listedOnly: true },
  { code: 500009, reason: 'InvalidThrottleParameter', ...as500 },
  { code: 500301, reason: 'ModelRepoEndpointError', ...as500, listedOnly: true },
  { code: 500302, reason: 'ResolutionError', ...as500, listedOnly: true },
  { code: 500401, reason: 'UnableToFetchCredentials', ...as500, listedOnly: true },
  { code: 500402, reason: 'UnableToFetchTenantInfo', ...as500, listedOnly: true },
  { code: 500403, reason: 'UnableToShareIdentity', ...as500, listedOnly: true },
  { code: 500501, reason: 'UnableToExpandDiscoveryInfo', ...as500, listedOnly: true },
  { code: 500502, reason: 'UnableToExpandComponentInfo', ...as500, listedOnly: true },
  { code: 500503, reason: 'UnableToCompressComponentInfo', ...as500, listedOnly: true },
  { code: 500504, reason: 'UnableToCompressDiscoveryInfo', ...as500, listedOnly: true },
  { code: 500505, reason: 'OrphanDiscoveryDocument', ...as500, listedOnly: true },

  // 502xxx, 503xxx, 504xxx
  { code: 502000, reason: 'GenericBadGateway', ...as502, listedOnly: true },
  { code: 503000, reason: 'GenericServiceUnavailable', ...as503, listedOnly: true },
  { code: 503001, reason: 'ServiceUnavailable', ...as503, transports: ['http'] },
  // One SDK says it is not returned any more.
  { code: 503003, reason: 'PartitionNotFound', ...as503 },
  { code: 503004, reason: 'IotHubActivationFailed', ...as503, listedOnly: true },
  // Overload: an early attempt is refused as well.
  { code: 503005, reason: 'ServerBusy', ...as503, advice: 'throttled', listedOnly: true },
  { code: 503006, reason: 'IotHubRestoring', ...as503, listedOnly: true },
  // Throttling that wears a 503.
  {
    code: 503008,
    reason: 'ReceiveLinkOpensThrottled',
    aliases: ['Receive link throttled'],
    ...as503,
    category: 'throttled',
    advice: 'throttled',
    executed: 'no',
    transports: ['amqp'],
    listedOnly: true,
  },
  { code: 503101, reason: 'ConnectionUnavailable', ...as503, listedOnly: true },
  { code: 503102, reason: 'DeviceUnavailable', ...as503, scope: 'device', listedOnly: true },
  { code: 503201, reason: 'ConfigurationNotAvailable', ...as503, listedOnly: true },
  { code: 503202, reason: 'GroupNotAvailable', ...as503, listedOnly: true },
  { code: 503301, reason: 'HostingServiceNotAvailable', ...as503, listedOnly: true },
  { code: 504000, reason: 'GenericGatewayTimeout', ...as504, listedOnly: true },
  // The method may have run: the hub got no answer in time.
  { code: 504101, reason: 'GatewayTimeout', ...as504, transports: ['http'], scope: 'device' },
] as const satisfies readonly CodeRow[];

/**
 * The codes of Azure IoT Hub: its documentation, its SDKs and captures. The `source` of each row is
 * among its texts. Searched by `classify` and `lookup` by themselves.
 */
export const iotHub: Catalogue = {
  name: 'azure-iot-hub',
  rows: iotHubRows,
  // Made when first read: classifying needs no texts.
  get texts() {
    return iotHubTexts();
  },
};
