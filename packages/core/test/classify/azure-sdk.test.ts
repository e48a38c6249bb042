import { classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

const judged = (input: unknown) => classify(input, { readers: [readAzureSdk] });
const error = (name: string, message: string, fields: object = {}) =>
  Object.assign(new Error(message), fields, { name });

describe('errors of the Node SDK, by shape', () => {
  test('a condition kept in amqpError', () => {
    const amqpError = { condition: 'amqp:resource-limit-exceeded', description: 'queue' };
    expect(
      judged(error('DeviceMaximumQueueDepthExceededError', 'AMQP Transport: Could not send message', { amqpError })),
    ).toMatchObject({
      category: 'quota',
      code: 403004,
      condition: 'amqp:resource-limit-exceeded',
    });
  });

  test('an answer kept in response and responseBody: number, hint and status that the class lost', () => {
    const response = { statusCode: 429, headers: { 'retry-after': '12' } };
    const responseBody = '{"Message":"{\\"errorCode\\":429001,\\"message\\":\\"slow\\"}"}';
    expect(judged(error('ThrottlingError', 'Error: x', { response, responseBody }))).toMatchObject({
      code: 429001,
      retryAfterMs: 12_000,
      httpStatus: 429,
    });
    const notOnline = {
      response: { statusCode: 404, headers: { 'iothub-errorcode': 'DeviceNotOnline' } },
      responseBody: '',
    };
    expect(judged(error('Error', 'Not found', notOnline))).toMatchObject({ code: 404103, category: 'offline' });
  });

  test('the error behind "Failure on first connection (Not authorized)" is what went wrong', () => {
    const wrap = (text: string) =>
      judged(
        error('UnauthorizedError', `mqtt.js returned Failure on first connection (Not authorized): ${text} error`),
      );
    expect(wrap('connect ECONNREFUSED 192.0.2.4:8883')).toMatchObject({ category: 'network', reason: 'ECONNREFUSED' });
    expect(wrap('unable to verify the first certificate')).toMatchObject({ category: 'network', advice: 'never' });
    expect(wrap('connack timeout')).toMatchObject({ category: 'timeout' });
    expect(wrap('Connection refused: Server unavailable')).toMatchObject({ category: 'server' });
    expect(wrap('Connection refused: Not authorized')).toMatchObject({ category: 'unauthorized' });
    // Neither the words of the wrapper nor its class tell anything.
    expect(wrap('something odd')).toMatchObject({ category: 'unknown' });
  });

  test('what provisioning keeps in result', () => {
    const result = { errorCode: 401002, trackingId: 'e73aec30-0820-4d31-ae14-5477c4ee5214', message: 'Unauthorized' };
    expect(judged(error('UnauthorizedError', 'incoming message failure', { result }))).toMatchObject({
      code: 401002,
      trackingId: 'e73aec30-0820-4d31-ae14-5477c4ee5214',
    });
  });

  test('of core-amqp, by the condition it keeps', () => {
    expect(
      judged(error('ServerBusyError', 'busy', { condition: 'com.microsoft:server-busy', retryable: true })),
    ).toMatchObject({
      condition: 'com.microsoft:server-busy',
      category: 'server',
      advice: 'throttled',
    });
  });

  test('an answer of which only the body was kept', () => {
    const trackingId = '4c004cc9c096ba760ec615f004b0dee5-G:11-TimeStamp:07/17/2025 00:29:41';
    const responseBody = `{"Message":"ErrorCode:DeviceNotFound;d1","ExceptionMessage":"Tracking ID:${trackingId}"}`;
    expect(judged(error('DeviceNotFoundError', 'Error: Not Found', { responseBody }))).toMatchObject({
      code: 404001,
      trackingId,
    });
  });

  test('an answer of which a client kept its status as text only', () => {
    const kept = error('AxiosError', 'Request failed with status code 404', { code: 'ERR_BAD_REQUEST' });
    expect(judged(kept)).toMatchObject({ category: 'not-found', httpStatus: 404 });
  });

  test('an inner error with the reason', () => {
    const amqpError = error('NotConnectedError', 'rhea: connection disconnected');
    expect(judged(error('Error', 'AMQP Transport: Could not connect', { amqpError }))).toMatchObject({
      category: 'network',
    });
  });

  test('the error is the cause', () => {
    const native = error('NotConnectedError', 'x');
    expect(judged(native).cause).toBe(native);
  });
});

describe('classes say a category and, but for the exact ones, no number', () => {
  test.each([
    ['csharp', 'Microsoft.Azure.Devices.Client.Exceptions.UnauthorizedException', 'x', 'unauthorized'],
    ['csharp', 'Microsoft.Azure.Devices.Client.Exceptions.IotHubThrottledException', 'x', 'throttled'],
    ['csharp', 'Microsoft.Azure.Devices.Client.Exceptions.QuotaExceededException', 'x', 'quota'],
    ['csharp', 'Microsoft.Azure.Devices.Client.Exceptions.ServerBusyException', 'x', 'server'],
    ['csharp', 'Microsoft.Azure.Devices.Client.Exceptions.IotHubCommunicationException', 'x', 'network'],
    ['csharp', 'Microsoft.Azure.Devices.Common.Exceptions.DeviceNotFoundException', 'NotFound', 'not-found'],
    [
      'csharp',
      'Microsoft.Azure.Devices.Common.Exceptions.DeviceNotFoundException',
      'Timed out waiting for device to connect',
      'offline',
    ],
    ['csharp', 'System.TimeoutException', 'x', 'timeout'],
    ['csharp', 'System.Threading.Tasks.TaskCanceledException', 'x', 'cancelled'],
    ['csharp', 'System.Security.Authentication.AuthenticationException', 'x', 'network'],
    ['csharp', 'System.NullReferenceException', 'Object reference not set', 'unknown'],
    ['java', 'com.microsoft.azure.sdk.iot.service.exceptions.IotHubUnathorizedException', 'x', 'unauthorized'],
    ['java', 'com.microsoft.azure.sdk.iot.service.exceptions.IotHubTooManyRequestsException', 'x', 'throttled'],
    ['java', 'java.net.UnknownHostException', 'x', 'network'],
    ['python', 'azure.iot.device.exceptions.ConnectionDroppedError', 'None', 'network'],
    ['python', 'azure.iot.device.exceptions.CredentialError', 'x', 'unauthorized'],
    ['node', 'ServiceUnavailableError', 'x', 'server'],
    ['node', 'InvalidEtagError', 'x', 'precondition'],
  ])('%s %s: %s is %s', (_sdk, name, message, category) => {
    const typed = judged(error(name, message));
    expect(typed.category).toBe(category);
    expect(typed.code).toBeUndefined();
  });

  test('a class made of one number and nothing else gives it', () => {
    expect(judged(error('DeviceMaximumQueueDepthExceededException', 'x'))).toMatchObject({ code: 403004 });
    const lost = error('Microsoft.Azure.Devices.Client.Exceptions.DeviceMessageLockLostException', 'x');
    expect(judged(lost)).toMatchObject({ code: 412002, category: 'precondition', executed: 'yes' });
    // Two sources give two numbers for this one.
    const jobs = judged(error('JobQuotaExceededException', 'Job quota has been exceeded'));
    expect(jobs).toMatchObject({ category: 'quota', reason: 'JobQuotaExceeded', candidates: [403003, 403001] });
    expect(jobs.code).toBeUndefined();
  });
});

describe('what exceptions keep as fields, in the spelling of any language', () => {
  const trackingId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24';
  const body = `{"errorCode":404201,"trackingId":"${trackingId}","message":"Enrollment not found"}`;

  test.each([
    // Microsoft.Azure.Devices.Common.Exceptions.IotHubException
    [
      { Code: 'DeviceNotFound', TrackingId: trackingId, IsTransient: false },
      { code: 404001, trackingId },
    ],
    // Microsoft.Azure.Devices.IotHubServiceException
    [
      { StatusCode: 'NotFound', ErrorCode: 'DeviceNotOnline' },
      { code: 404103, httpStatus: 404 },
    ],
    [
      { StatusCode: 404, ErrorCode: 404103 },
      { code: 404103, httpStatus: 404 },
    ],
    // ProvisioningServiceClientHttpException
    [
      { StatusCode: 'NotFound', Body: body },
      { code: 404201, httpStatus: 404, trackingId },
    ],
    // azure.core.exceptions.HttpResponseError
    [{ status_code: 429 }, { httpStatus: 429, category: 'throttled' }],
    // an exception's inner ones, as text, list and at any depth
    [{ InnerException: `AmqpException: ${body}` }, { code: 404201, trackingId }],
    [{ InnerException: { Type: 'A', Message: 'x', InnerException: { Type: 'B', Message: body } } }, { code: 404201 }],
    [{ InnerExceptions: [{ Message: 'error(condition:amqp:link:stolen,description:N)' }] }, { category: 'conflict' }],
  ])('%j', (fields, expected) => {
    expect(judged(error('SomeException', 'x', fields))).toMatchObject(expected);
  });

  test.each([
    { Code: 'InvalidErrorCode', TrackingId: '' },
    { code: 'E1', errno: -104 },
    { code: 401 },
    { code: 1234567 },
  ])('no code: %j', (fields) => {
    expect(judged(error('SomeException', 'x', fields)).code).toBeUndefined();
  });

  test('a chain that ends nowhere is read once', () => {
    const loop: Record<string, unknown> = { Message: 'x' };
    loop.InnerException = loop;
    loop.InnerExceptions = [loop, loop];
    expect(judged(error('SomeException', 'x', loop)).category).toBe('unknown');
  });
});

describe('the device SDK for Java has a class per condition', () => {
  // Azure/azure-iot-sdk-java AmqpsExceptionTranslator; reports as in MicrosoftDocs/azure-docs#97504
  const printed = (name: string, text: string) => `com.microsoft.azure.sdk.iot.device.exceptions.${name}: ${text}`;

  test.each([
    ['AmqpLinkDetachForcedException', 'Server Busy. Please retry operation', 'amqp:link:detach-forced', 'server'],
    ['AmqpInternalErrorException', 'Another AMQP Client has opened a Receive Link', 'amqp:internal-error', 'conflict'],
    ['AmqpUnauthorizedAccessException', 'x', 'amqp:unauthorized-access', 'unauthorized'],
    ['AmqpSessionWindowViolationException', 'x', 'amqp:session:window-violation', 'protocol'],
    ['AmqpConnectionThrottledException', 'x', 'com.microsoft:device-container-throttled', 'throttled'],
    ['AmqpLinkCreationConflictException', 'x', 'com.microsoft:link-creation-conflict', 'conflict'],
  ])('%s: %s', (name, text, condition, category) => {
    expect(judged(printed(name, text))).toMatchObject({ condition, category });
    expect(judged(error(name, text))).toMatchObject({ condition, category });
  });

  test('a class of another kind is no condition', () => {
    expect(judged('AmqpSomethingElseException: x').condition).toBeUndefined();
  });
});

describe('what SDKs and clients print', () => {
  // Wordings of the SDKs' sources and public reports; own values.
  test.each([
    [
      'error(condition:amqp:link:stolen,description:New receiver,info:[])',
      { category: 'conflict', condition: 'amqp:link:stolen' },
    ],
    [
      'ErrorCodes.LinkDetachForced: The link is force detached. Code: RenewToken.',
      { category: 'server', condition: 'amqp:link:detach-forced' },
    ],
    [
      // the link's token ran out: Azure/azure-sdk-for-python#23487
      "The link 'r1' is force detached. Code: RenewToken. Details: Unauthorized access. Error condition: ErrorCodes.LinkDetachForced.",
      { category: 'unauthorized', advice: 'renew-credentials', condition: 'amqp:link:detach-forced' },
    ],
    ['IOTHUB_CLIENT_CONNECTION_EXPIRED_SAS_TOKEN', { category: 'unauthorized' }],
    ['IOTHUB_CLIENT_CONFIRMATION_MESSAGE_TIMEOUT', { category: 'timeout' }],
    ['IOTHUB_CLIENT_CONFIRMATION_BECAUSE_DESTROY', { category: 'cancelled' }],
    ['PROV_DEVICE_RESULT_DEV_AUTH_ERROR', { category: 'unauthorized' }],
    ['status = Disconnected_Retrying, reason = Communication_Error', { category: 'network', transient: true }],
    ['IoT Hub responded to message with status THROTTLED', { category: 'throttled' }],
    ['failed, rc=5 try again in 5 seconds', { category: 'unauthorized' }],
    ['failed, rc=-4', { category: 'timeout' }],
    ['failed, status code =5. Trying again in 5 seconds.', { category: 'unauthorized' }],
    ['failed, status code =-2. Trying again in 5 seconds.', { category: 'network' }],
    ['status code = 5.1', { category: 'unknown' }],
    ['umqtt.simple.MQTTException: 5', { category: 'unauthorized' }],
    ['SocketException (10061): Es konnte keine Verbindung hergestellt werden', { category: 'network', executed: 'no' }],
    ['SocketException (11001): Der angegebene Host ist unbekannt', { category: 'network', executed: 'no' }],
    ['[WinError 10054] Une connexion existante a dû être fermée', { category: 'network', executed: 'unknown' }],
    ['SocketException (10060)', { category: 'timeout' }],
    ['transport error (os error 104)', { category: 'network' }],
    ['SocketException (0x80004005)', { category: 'network' }],
    ['errno 1 of 20', { category: 'unknown' }],
    ["ConnectionDroppedError('Paho returned rc==1')", { category: 'network' }],
    ['Paho returned rc==1', { category: 'network' }],
    ['Device disconnected with result code 7', { category: 'network' }],
    ['CONNECT failed: RefusedNotAuthorized', { category: 'unauthorized' }],
    ['CONNECT failed: RefusedServerUnavailable', { category: 'server', executed: 'no' }],
    ['OperationTimeout: Could not connect to IoTHub', { category: 'timeout' }],
    ['OperationCancelled: x', { category: 'cancelled' }],
    ['mbedtls_ssl_handshake returned -0x7200', { category: 'network', transient: false }],
    ['dial tcp: lookup hub.example: no such host', { category: 'network' }],
    [
      'HTTP operation returned: 504 GatewayTimeoutError(Error: Gateway Timeout) caused by None',
      { category: 'timeout', httpStatus: 504 },
    ],
    [
      "HttpOperationError: Operation returned an invalid status code 'Too Many Requests'",
      { category: 'throttled', httpStatus: 429 },
    ],
    ['HTTP request failed: [401        \n          Unauthorized] {}', { category: 'unauthorized', httpStatus: 401 }],
    ['IoTHub client status: 1, Reason: 4 .', { category: 'unknown' }],
    ["TypeError: Object close has no method 'log'", { category: 'unknown' }],
    ['AMQP Transport: Could not get feedback receiver', { category: 'unknown' }],
  ])('%s', (text, expected) => {
    const typed = judged(text);
    expect(typed).toMatchObject(expected);
    expect(typed.code).toBeUndefined();
  });

  test('a documented name is a code', () => {
    expect(judged('DeviceMessageLockLost')).toMatchObject({ code: 412002, category: 'precondition' });
    expect(judged('settle failed with DeviceMessageLockLost on d1')).toMatchObject({ code: 412002 });
  });
});

test('what is no error of an SDK is left to others', () => {
  for (const input of [undefined, 5, {}, [], 'hello', new Error('hello'), { status: 404, headers: {} }, null])
    expect(readAzureSdk(input)).toBeUndefined();
});
