import type { ProseConclusion } from '../text/rules.ts';

/*
 * What the classes and enumerations of the official SDKs mean, without their suffix `Error` or
 * `Exception`. Most are made of the HTTP status alone, so a class gives a category and no number.
 */

export const classes: Readonly<Record<string, ProseConclusion>> = {
  // all languages
  Unauthorized: 'unauthorized',
  DeviceNotFound: 'notFound',
  ModuleNotFound: 'notFound',
  JobNotFound: 'notFound',
  IotHubNotFound: 'notFound',
  NotFound: 'notFound',
  DeviceAlreadyExists: 'conflict',
  ModuleAlreadyExists: 'conflict',
  MessageTooLarge: 'tooLarge',
  RequestEntityTooLarge: 'tooLarge',
  TooManyDevices: 'tooMany',
  TooManyModulesOnDevice: 'tooMany',
  IotHubQuotaExceeded: 'quota',
  QuotaExceeded: 'quota',
  DeviceMaximumQueueDepthExceeded: 'queueFull',
  JobQuotaExceeded: 'jobQuota',
  IotHubSuspended: 'disabled',
  DeviceDisabled: 'disabled',
  DeviceMessageLockLost: 'lockLost',
  PreconditionFailed: 'precondition',
  InvalidEtag: 'precondition',
  Throttling: 'throttled',
  IotHubThrottled: 'throttled',
  Throttled: 'throttled',
  ServerBusy: 'unavailable',
  ServiceUnavailable: 'unavailable',
  ServerError: 'server',
  InternalServer: 'server',
  InternalService: 'server',
  BadDeviceResponse: 'server',
  Server: 'server',
  GatewayTimeout: 'timeout',
  DeviceTimeout: 'timeout',
  ServiceTimeout: 'timeout',
  Timeout: 'timeout',
  OperationTimeout: 'timeout',
  DeviceOperationTimeout: 'timeout',
  SocketTimeout: 'timeout',
  OperationCanceled: 'cancelled',
  OperationCancelled: 'cancelled',
  TaskCanceled: 'cancelled',

  // .NET
  IotHubCommunication: 'connectionLost',
  HttpRequest: 'connectionLost',
  Socket: 'connectionLost',
  WebSocket: 'connectionLost',
  IO: 'connectionLost',
  ClosedChannel: 'connectionLost',
  Authentication: 'tls',
  JsonReader: 'protocol',
  JsonSerialization: 'protocol',
  Argument: 'badRequest',
  ArgumentNull: 'badRequest',
  ArgumentOutOfRange: 'badRequest',
  InvalidProtocolVersion: 'version',

  // Node
  NotConnected: 'notConnected',
  IotHubNotConnected: 'notConnected',
  TwinRequest: 'badRequest',
  Format: 'badRequest',
  NotImplemented: 'badRequest',
  AmqpProtocol: 'protocol',

  // Python (azure-iot-device, paho, requests, uamqp)
  ConnectionFailed: 'notConnected',
  ConnectionDropped: 'connectionLost',
  NoConnection: 'notConnected',
  NewConnection: 'notConnected',
  Connection: 'connectionLost',
  ConnectTimeout: 'connectTimeout',
  ReadTimeout: 'timeout',
  TokenExpired: 'unauthorized',
  TlsExchangeAuth: 'tls',
  SSL: 'tls',
  SSLCertVerification: 'tls',
  Credential: 'unauthorized',
  ProtocolClient: 'protocol',

  // Java
  BadFormat: 'badRequest',
  Conflict: 'conflict',
  TooManyRequests: 'throttled',
  // As the class is spelled.
  Unathorized: 'unauthorized',
  MessagingEntityNotFound: 'notFound',
  BadMessage: 'badRequest',
  HubOrDeviceIdNotFound: 'notFound',
  UnknownHost: 'unresolved',
  Connect: 'notConnected',
  SSLHandshake: 'tls',
  AmqpConnectionForced: 'connectionLost',
  AmqpUnauthorizedAccess: 'unauthorized',
  AmqpLinkDetachForced: 'server',
  AmqpInternal: 'server',
};

/**
 * Classes that an SDK makes of one number and nothing else: for these the name is as good as the
 * cloud's. The suffix counts, since .NET makes its class of the status alone where Node looks for
 * the name in the answer.
 */
export const exactClasses: ReadonlySet<string> = new Set([
  'DeviceMaximumQueueDepthExceededException',
  'DeviceMaximumQueueDepthExceededError',
  'DeviceNotFoundError',
]);

/** Members of enumerations, as they are printed. Prefixes of C are taken off. */
export const members: Readonly<Record<string, ProseConclusion>> = {
  EXPIRED_SAS_TOKEN: 'unauthorized',
  BAD_CREDENTIAL: 'unauthorized',
  DEV_AUTH_ERROR: 'unauthorized',
  UNAUTHORIZED: 'unauthorized',
  DEVICE_DISABLED: 'disabled',
  DISABLED: 'disabled',
  NO_NETWORK: 'connectionLost',
  COMMUNICATION_ERROR: 'connectionLost',
  IO_ERROR: 'connectionLost',
  RETRY_EXPIRED: 'connectionLost',
  NO_PING_RESPONSE: 'timeout',
  MESSAGE_TIMEOUT: 'timeout',
  MESSAGE_EXPIRED: 'timeout',
  DEVICE_OPERATION_TIMED_OUT: 'timeout',
  TIMEOUT: 'timeout',
  MESSAGE_CANCELLED_ONCLOSE: 'cancelled',
  BECAUSE_DESTROY: 'cancelled',
  THROTTLED: 'throttled',
  QUOTA_EXCEEDED: 'quota',
  TOO_MANY_DEVICES: 'tooMany',
  SERVER_BUSY: 'unavailable',
  INTERNAL_SERVER_ERROR: 'server',
  HUB_OR_DEVICE_ID_NOT_FOUND: 'notFound',
  PRECONDITION_FAILED: 'precondition',
  REQUEST_ENTITY_TOO_LARGE: 'tooLarge',
  BAD_FORMAT: 'badRequest',
  INVALID_ARG: 'badRequest',
};

/** `uamqp.constants.ErrorCodes`: names for conditions. */
export const uamqpConditions: Readonly<Record<string, string>> = {
  InternalServerError: 'amqp:internal-error',
  IllegalState: 'amqp:illegal-state',
  DecodeError: 'amqp:decode-error',
  NotFound: 'amqp:not-found',
  NotImplemented: 'amqp:not-implemented',
  NotAllowed: 'amqp:not-allowed',
  InvalidField: 'amqp:invalid-field',
  ResourceLocked: 'amqp:resource-locked',
  ResourceDeleted: 'amqp:resource-deleted',
  UnauthorizedAccess: 'amqp:unauthorized-access',
  FrameSizeTooSmall: 'amqp:frame-size-too-small',
  ResourceLimitExceeded: 'amqp:resource-limit-exceeded',
  PreconditionFailed: 'amqp:precondition-failed',
  ConnectionCloseForced: 'amqp:connection:forced',
  ConnectionFramingError: 'amqp:connection:framing-error',
  ConnectionRedirected: 'amqp:connection:redirect',
  SessionWindowViolation: 'amqp:session:window-violation',
  SessionErrantLink: 'amqp:session:errant-link',
  SessionHandleInUse: 'amqp:session:handle-in-use',
  SessionUnattachedHandle: 'amqp:session:unattached-handle',
  LinkDetachForced: 'amqp:link:detach-forced',
  LinkTransferLimitExceeded: 'amqp:link:transfer-limit-exceeded',
  LinkMessageSizeExceeded: 'amqp:link:message-size-exceeded',
  LinkRedirect: 'amqp:link:redirect',
  LinkStolen: 'amqp:link:stolen',
};
