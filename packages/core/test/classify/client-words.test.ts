import { classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

const judged = (text: string) => classify(text, { readers: [readAzureSdk] });

describe('a refused CONNECT, in the words of more clients', () => {
  test.each([
    // CircuitPython's MiniMQTT: adafruit/Adafruit_CircuitPython_AzureIoT#47
    ['MMQTTException: Connection Refused - Unauthorized', 'unauthorized'],
    ['MMQTTException: Connection Refused - Incorrect username/password', 'unauthorized'],
    ['MMQTTException: Connection Refused - Incorrect Protocol Version', 'protocol'],
    ['MMQTTException: Connection Refused - ID Rejected', 'bad-request'],
    ['MMQTTException: Connection Refused - Server unavailable', 'server'],
    // esp-mqtt and what came before it: tuanpmt/esp32-mqtt#13
    ['MQTT_CLIENT: Connection refused, bad protocol', 'protocol'],
    ['MQTT_CLIENT: Connection refused, not authorized', 'unauthorized'],
    ['MQTT_CLIENT: Connection refused, bad username or password', 'unauthorized'],
    ['[MQTT WARN] Connection refuse, reason code: 5', 'unauthorized'],
    ['[MQTT WARN] Connection refuse, reason code: 3', 'server'],
    // samples for paho
    ['Failed to connect, return code 5', 'unauthorized'],
    ['Failed to connect, return code 3', 'server'],
    ['Connection failed with result code 4', 'unauthorized'],
    ['Could not connect, rc=2', 'bad-request'],
  ])('%s', (text, category) => {
    expect(judged(text)).toMatchObject({ category, executed: 'no' });
  });
});

describe('numbers beside a disconnect are those of the library', () => {
  test.each([
    'Unexpected MQTT disconnection. rc=1',
    'Unexpected disconnection, rc=5',
    'Disconnected. Reason: result code 7',
    'Failed to connect to the broker', // no number at all
    'Failed to connect, return code 0',
  ])('%s', (text) => {
    expect(judged(text).category).toBe('network');
  });
});

describe('a connection that went', () => {
  test.each([
    // Node, of an ECONNRESET in the middle of the handshake
    ['Client network socket disconnected before secure TLS connection was established', 'network'],
    ['java.net.SocketException: Software caused connection abort: recv failed', 'network'],
    ['An established connection was aborted by the software in your host machine', 'network'],
    ['[WRN] - Could not get an active Iot Hub connection for device d1/m1', 'network'], // Azure/iotedge#650
    ['MQTT_CLIENT_COMMUNICATION_ERROR', 'network'],
    // mosquitto and its clients
    ['1528178628: Socket error on connection dev1.', 'network'],
    ['Warning: Publish 1 failed: The client is not currently connected..', 'network'],
    // Erlang's brokers write reasons as words in lower case
    ['{shutdown,tcp_closed}', 'network'],
    ['{shutdown,econnrefused}', 'network'],
    ['{error,ehostunreach}', 'network'],
    ['{error,nxdomain}', 'network'],
    ['{error,etimedout}', 'timeout'],
    ['{shutdown,malformed_username_or_password}', 'unauthorized'],
    // TLS, as OpenSSL and .NET tell it
    ['tlsv1 alert internal error', 'network'],
    ['Authentication failed because the remote party has closed the transport stream.', 'network'],
    ['A connection attempt failed because the connected party did not properly respond after a period', 'timeout'],
    ['MQTT_CLIENT_NO_PING_RESPONSE', 'timeout'],
    ['Post "https://hub.example/devices/query": context canceled', 'cancelled'], // Go
  ])('%s', (text, category) => {
    expect(judged(text).category).toBe(category);
  });
});

describe('what is there already', () => {
  test.each([
    "A device with ID 'd1' is already registered.",
    "A module with ID '$edgeHub' on device 'd1' is already registered.",
    'Device d1 already registered',
  ])('%s', (text) => {
    expect(judged(text)).toMatchObject({ category: 'conflict', advice: 'never' });
  });

  test('what is not registered is not found', () => {
    expect(judged('Device d1 at IotHub h1 not registered.').category).toBe('not-found');
  });
});

describe('classes of more SDKs', () => {
  test.each([
    ['Microsoft.Azure.Devices.Common.Exceptions.ConfigurationNotFoundException: x', 'not-found'],
    ['Microsoft.Azure.Devices.Common.Exceptions.DeviceInvalidResultCountException: x', 'bad-request'],
    ['Microsoft.Azure.Devices.Common.Exceptions.InvalidProtocolVersionException: x', 'bad-request'],
    ['IoTHubSuspendedError: x', 'unauthorized'], // as Node spells it
    [
      'com.microsoft.azure.sdk.iot.device.transport.mqtt.exceptions.MqttRejectedProtocolVersionException: x',
      'protocol',
    ],
    [
      'com.microsoft.azure.sdk.iot.provisioning.device.internal.exceptions.ProvisioningDeviceClientAuthenticationException: x',
      'unauthorized',
    ],
    [
      'com.microsoft.azure.sdk.iot.provisioning.service.exceptions.ProvisioningServiceClientTooManyRequestsException: x',
      'throttled',
    ],
    [
      'com.microsoft.azure.sdk.iot.provisioning.service.exceptions.ProvisioningServiceClientNotFoundException: x',
      'not-found',
    ],
    [
      'com.microsoft.azure.sdk.iot.provisioning.service.exceptions.ProvisioningServiceClientUnathorizedException: x',
      'unauthorized',
    ],
    [
      'com.microsoft.azure.sdk.iot.provisioning.service.exceptions.ProvisioningServiceClientInternalServerErrorException: x',
      'server',
    ],
  ])('%s', (text, category) => {
    const error = judged(text);
    expect(error.category).toBe(category);
    expect(error.code).toBeUndefined();
  });

  test('a class of the built-in endpoint with the reason behind it', () => {
    const printed = (reason: string) => judged(`Azure.Messaging.EventHubs.EventHubsException(${reason}): x`).category;
    expect(printed('ServiceBusy')).toBe('server');
    expect(printed('QuotaExceeded')).toBe('quota');
    expect(printed('ServiceTimeout')).toBe('timeout');
    expect(printed('ConsumerDisconnected')).toBe('conflict');
    expect(printed('ResourceNotFound')).toBe('not-found');
    expect(printed('GeneralError')).toBe('unknown');
  });

  test('a module that Python does not find is none of the cloud', () => {
    expect(judged("ModuleNotFoundError: No module named 'azure.iot'").category).toBe('unknown');
    expect(judged('Microsoft.Azure.Devices.Common.Exceptions.ModuleNotFoundException: x').category).toBe('not-found');
  });

  test('the quota of jobs is none of a day', () => {
    expect(judged('JobQuotaExceededException: x')).toMatchObject({ reason: 'JobQuotaExceeded', advice: 'never' });
  });
});

test('the page of all codes is linked by number and name', () => {
  const page = 'https://learn.microsoft.com/en-us/azure/iot-hub/troubleshoot-error-codes#404103-devicenotonline';
  expect(judged(`see ${page}`)).toMatchObject({ code: 404103, category: 'offline' });
  expect(judged('see https://example.com/issues#404103-a').code).toBeUndefined();
});

test('a time-out that is set is none', () => {
  for (const text of ['timeout is set to 30 s', 'Setting connection timeout to 30000', 'timeout: 30'])
    expect(judged(text).category, text).toBe('unknown');
  expect(judged('timeout of 5000ms exceeded').category).toBe('timeout');
});

test('a 403 of too many devices is a quota', () => {
  const text = 'HTTP operation returned: 403 TooManyDevicesError(Error: Forbidden)';
  expect(judged(text)).toMatchObject({ category: 'quota', httpStatus: 403 });
});

test('a condition that says nothing is throttling where its text says so', () => {
  const description = 'The request has been throttled. Wait 10 seconds and try again. Operation type: AmqpLinkOpen';
  for (const condition of ['amqp:not-allowed', 'amqp:internal-error', 'amqp:link:detach-forced'])
    expect(classify({ condition, description })).toMatchObject({
      category: 'throttled',
      advice: 'throttled',
      executed: 'no',
      condition,
      retryAfterMs: 10_000,
    });
  expect(classify({ condition: 'amqp:not-allowed', description: 'x' }).category).toBe('bad-request');
});

test('a byte order mark before a body is no part of it', () => {
  const body = '{"Message":"ErrorCode:DeviceNotFound;x","ExceptionMessage":""}';
  expect(classify({ status: 404, body: `\uFEFF${body}` })).toMatchObject({ code: 404001 });
  expect(classify({ status: 404, body: Buffer.from(`\uFEFF${body}`) })).toMatchObject({ code: 404001 });
});
