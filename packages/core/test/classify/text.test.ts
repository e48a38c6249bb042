import { classify } from '@faultmap/core';
import { describe, expect, test } from 'vitest';

const trackingId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9-G:9-TimeStamp:10/16/2025 03:11:24';

describe('a number in prose', () => {
  test.each([
    ['request failed: errorCode=404103', 404103],
    ['failed with error code 429001 after 3 tries', 429001],
    ['Code: 403004\nMessage: full', 403004],
    ['see https://aka.ms/iothub404103', 404103],
    ['https://docs.example/iot-hub-troubleshoot-error-504101-gatewaytimeout', 504101],
    ['{"resultType":"404104","resultDescription":"x"}', 404104],
    ['409002 LinkCreationConflict', 409002],
    [
      'Service Error: 401002 - Invalid certificate (TrackingID: 5f58ab41-6154-4565-a531-4c11cf286e85 Time: 2019-03-15T19:43:02.79Z)',
      401002,
    ],
    [
      `{'Message': 'ErrorCode:IotHubUnauthorizedAccess;Unauthorized', 'ExceptionMessage': 'Tracking ID:${trackingId}'}`,
      401002,
    ],
    [`{'errorCode': 404103, 'trackingId': '${trackingId}', 'message': 'x'}`, 404103],
    ['the device answered DeviceMessageLockLost', 412002],
    ['failed with code: 404103', 404103],
    ['I get Error 401003 since yesterday', 401003],
    ['Error: 401003', 401003],
    ['Error: 401003 - not authorized', 401003],
    // beside its own name, which alone is too common
    ['504101 GatewayTimeout', 504101],
    ['401003 IoT Hub unauthorized', 401003],
    ['[400024] RequestTimedOut', 400024],
    ['ArgumentInvalid (400004)', 400004],
    ['400027 Connection forcefully closed on new connection', 400027],
    ['400027 Error whenever I invoke a method', 400027], // Azure/azure-iot-sdk-node#689
    [JSON.stringify({ level: 50, msg: `failed: ${JSON.stringify({ errorCode: 404103, trackingId })}` }), 404103],
  ])('%s', (text, code) => {
    expect(classify(text).code).toBe(code);
  });

  test.each([
    'Order 412002 shipped',
    'listening on 404103',
    'code coverage 404103 lines',
    'started in 500001 ms',
    'status: 1, code: 12',
    'GatewayTimeout',
    'InternalServerError',
    'PreconditionFailed',
    'DeviceNotFoundException: x',
    'exit code: 400027',
    'area code: 404103',
    'Error 404999',
    'ArgumentInvalid 404103',
    '400004 and later ArgumentInvalid',
    'error 404103 of 500000',
    'Error 404103.5',
    'id-404103 error',
    'Error: 404103 is no valid id',
    'Error: 404103.5',
    'E (404103) MQTT_CLIENT: Error transport connect',
    'Line:401002 Func:f connection lost',
    'messageId: 404103 timed out',
    'issues/404103 connection refused',
    'aka.ms/iothub404103456',
    // about errors, not of one
    'To avoid DeviceMaximumQueueDepthExceeded complete the messages',
    'If you get DeviceNotFound, create the device first',
    'DeviceNotOnline and IotHubQuotaExceeded are repeated',
    '{"error":{"code":429,"message":"slow"}}',
    '{"error":{"code":"429","message":"slow"}}',
  ])('is none in: %s', (text) => {
    expect(classify(text).code).toBeUndefined();
  });
});

describe('a status in prose', () => {
  test.each([
    ['Request 1f8d3a6c-a40b-401b-a0fe-6478f153eb51 returned status 429', 429, 'throttled'],
    ['Put token failed. status-code: 404, status-description: not registered', 404, 'not-found'],
    ['HttpStatusCode: Unauthorized, Content: {}', 401, 'unauthorized'],
    ['Failure in HTTP communication: server reply code is 403', 403, 'unauthorized'],
    ['too many 504 error responses', 504, 'timeout'],
    ['Unexpected server response: 503', 503, 'server'],
    ['Response status code does not indicate success: 502 (Bad Gateway).', 502, 'server'],
    ['The remote server returned an error: (401) Unauthorized.', 401, 'unauthorized'],
    ['"GET /x HTTP/1.1" 500 Internal Server Error 468', 500, 'server'],
    ['Request failed with status code 412', 412, 'precondition'],
    ['failure in the communication with status code NotFound and body {}', 404, 'not-found'],
    ['Received status code TooManyRequests', 429, 'throttled'],
    ['403: Forbidden', 403, 'unauthorized'],
    ['{"level":"error","statusCode":404}', 404, 'not-found'],
    ['{"msg":"{\\"status_code\\": 429}"}', 429, 'throttled'],
    ['Error 429', 429, 'throttled'],
    ['HTTP request failed: [401 \n>   Unauthorized]', 401, 'unauthorized'],
    [String.raw`{"message":"HTTP request failed: [401\n   Unauthorized]"}`, 401, 'unauthorized'],
    ['message received on $iothub/twin/res/429/?$rid=7', 429, 'throttled'],
    ['$dps/registrations/res/401/?$rid=1', 401, 'unauthorized'],
    // of a twin, as Azure's .NET SDK writes it: who is answered there is signed in (Azure/iotedge#1560)
    ['Service rejected the message with status: 403', 403, 'quota'],
    ['Service rejected the message with status: 429', 429, 'throttled'],
    ["Operation failed with status: 'Unauthorized'. Details", 401, 'unauthorized'],
    // Erlang's hackney: helium/console#1039
    ['channel_start_error: error {ok,401,\n [{<<"Content-Length">>,<<"161">>}', 401, 'unauthorized'],
  ])('%s', (text, httpStatus, category) => {
    expect(classify(text)).toMatchObject({ httpStatus, category });
  });

  test.each([
    'HTTP/1.1 200 OK',
    'status: 204',
    'status code is odd',
    'Error 429 of 1000',
    'Error 4290.',
    '{ok,200,[]}',
    '$iothub/twin/res/204/?$rid=1',
    "invalid status code 'OK'",
    'status 1',
    'at line 404',
    '10.0.0.1:443 status 401.2.3',
  ])('is none in: %s', (text) => {
    expect(classify(text).httpStatus).toBeUndefined();
  });
});

test('a log record with a body in its message gives number, tracking id and text', () => {
  const body = JSON.stringify({
    errorCode: 404103,
    trackingId,
    message: 'Timed out waiting.',
    timestampUtc: '2025-01-01T00:00:00Z',
  });
  expect(classify(JSON.stringify({ level: 'error', msg: `failed: ${body}` }))).toMatchObject({
    code: 404103,
    trackingId,
    timestamp: '2025-01-01T00:00:00Z',
    detail: 'Timed out waiting.',
  });
});

describe('words alone', () => {
  test.each([
    ['Timed out waiting for device to connect', 'offline', 'no'],
    ['Timed out waiting for the response from device.', 'timeout', 'unknown'],
    ['Device unavailable', 'offline', 'unknown'],
    ['Connection Refused: broker unavailable.', 'server', 'no'],
    ['Connection refused: Connection rate exceeded', 'throttled', 'no'],
    ['{shutdown,unacceptable_protocol_version}', 'protocol', 'no'],
    ['certificate verify failed: self signed certificate in certificate chain', 'network', 'no'],
    ['[Errno -2] Name or service not known', 'network', 'no'],
    ['Failed to establish a new connection: [Errno 110] Connection timed out', 'network', 'no'],
    ['[Errno 104] Connection reset by peer', 'network', 'unknown'],
    ['The message container is being closed (42864).', 'server', 'unknown'],
    ['Unexpected character encountered while parsing value: }. Path "x", line 1', 'protocol', 'unknown'],
    ['The operation was canceled.', 'cancelled', 'unknown'],
    ['Job quota has been exceeded', 'quota', 'no'],
    ['Provided json is not a valid object: arrays are not supported', 'bad-request', 'no'],
    ['The specified SAS token is expired', 'unauthorized', 'no'],
    ["IotHub 'h' does not contain the specified device 'd'", 'unauthorized', 'no'],
    ['Authorization header missing', 'unauthorized', 'no'],
    ["New receiver 'a' with higher epoch of '3' is created", 'conflict', 'unknown'],
    ['Listen claim(s) are required to perform this operation', 'unauthorized', 'no'],
    ['CBS Token authentication failed. - ExpiredToken', 'unauthorized', 'no'],
    ['The SSL connection could not be established. Authentication failed because the remote party', 'network', 'no'],
    ['unable to find valid certification path to requested target', 'network', 'no'],
    ['tlsv1 alert unknown ca', 'network', 'no'],
    ['TLS connection error: 1', 'network', 'no'],
    ['Failure: getaddrinfo failure -2.', 'network', 'no'],
    ["couldn't get hostname for :h: getaddrinfo() returns 202", 'network', 'no'],
    ['Error: Lookup error.', 'network', 'no'],
    ['connection_encode_frame: Connection not open', 'network', 'no'],
    ['Could not connect', 'network', 'no'],
    ['unexpected end of file from server', 'network', 'unknown'],
    ['TLS failed to start the connection process.', 'network', 'no'], // Azure/azure-iot-arduino-protocol-mqtt#1
    ['ssl.SSLEOFError: EOF occurred in violation of protocol (_ssl.c:997)', 'network', 'no'],
    ['A TLS fatal alert has been received.', 'network', 'no'],
    ['failure connecting to address hub.example:0.', 'network', 'no'],
    ['Server closed connection without DISCONNECT.', 'network', 'unknown'], // HiveMQ's client
    ['java.io.EOFException', 'network', 'unknown'],
    ['Client dev1 already connected, closing old connection.', 'conflict', 'unknown'], // mosquitto
    ['client disconnected due to session takeover', 'conflict', 'unknown'], // VerneMQ
    ['Client dev1 has exceeded timeout, disconnecting.', 'timeout', 'unknown'],
    ['SharedAccessSignature is expired', 'unauthorized', 'no'],
    // Azure/azure-iot-sdks#895, Azure/azure-iot-sdk-java#1421
    ['java.lang.InterruptedException: Waited too long for the connection to open.', 'timeout', 'unknown'],
    ['Failed to send a message because its AMQP links were not open yet.', 'network', 'no'],
    ['payload exceeds 256 KB limit', 'bad-request', 'no'],
  ])('%s', (text, category, executed) => {
    const error = classify(text);
    expect(error).toMatchObject({ category, executed });
    expect(error.code).toBeUndefined();
  });

  test.each([
    '',
    'Error',
    'could not update twin reported properties is not retriable',
    'Exception caught in background thread.',
    'timeout: 30, retries: 3',
    'CBS Error occured',
  ])('that tell nothing are unknown: %j', (text) => {
    expect(classify(text)).toMatchObject({ category: 'unknown', advice: 'never' });
  });
});

describe('a refused connection, in the words of clients and brokers', () => {
  test.each([
    ['Connection refused: Not authorized error', 'unauthorized'], // mqtt.js
    ['Connection Refused: not authorised.', 'unauthorized'], // mosquitto
    ['Connection Refused: broker unavailable.', 'server'],
    ['Connecting with MQTT server failed (NotAuthorized).', 'unauthorized'], // MQTTnet
    ['Connecting with MQTT server failed (BadUserNameOrPassword).', 'unauthorized'],
    ['Connecting with MQTT server failed (ServerUnavailable).', 'server'],
    ['Connecting with MQTT server failed (ConnectionRateExceeded).', 'throttled'],
    ['Connection Refused, reason = NotAuthorized', 'unauthorized'], // rumqttc
    ['Error(ConnectionRefused(BadUserNamePassword))', 'unauthorized'],
    ['ReturnCode: ConnectionRefusedIdentifierRejected', 'bad-request'],
    ['CONNECT failed: RefusedUnacceptableProtocolVersion', 'protocol'], // the Azure SDK for .NET
  ])('%s', (text, category) => {
    expect(classify(text)).toMatchObject({ category, executed: 'no' });
  });

  test('by the socket it is a fault of the network', () => {
    expect(classify('dial tcp 192.0.2.1:8883: connect: connection refused')).toMatchObject({ category: 'network' });
    expect(classify('connection refused by peer')).toMatchObject({ category: 'network' });
  });
});

describe('an AMQP condition in prose', () => {
  test('in frames and messages of several libraries', () => {
    for (const text of [
      'error(condition:amqp:link:stolen,description:x,info:[])',
      "Error{condition=amqp:link:stolen, description='x', info=null}",
      '<- [DETACH]* {3,true,* {amqp:link:stolen,x,{[com.microsoft:is-filtered:true]}}}',
      '{"error":{"condition":"amqp:link:stolen","description":"x"}}',
    ])
      expect(classify(text)).toMatchObject({ condition: 'amqp:link:stolen', category: 'conflict' });
  });

  test('the peer’s own words are the detail, without what a library prints around them', () => {
    for (const text of [
      'error(condition:amqp:not-allowed,description:Not (now).,info:[a])',
      "Error{condition=amqp:not-allowed, description='Not (now).', info=null}",
      '*Error{Condition: amqp:not-allowed, Description: Not (now)., Info: map[]}',
      '<- [DETACH]* {3,true,* {amqp:not-allowed,Not (now).,{[com.microsoft:is-filtered:true]}}}',
      '<- [CLOSE]* {* {amqp:not-allowed,Not (now).,NULL}}',
      'rhea:frames <- detach#16 {"error":{"condition":"amqp:not-allowed","description":"Not (now)."}}',
    ])
      expect(classify(text).detail, text).toBe('Not (now).');
    const empty = 'error(condition:amqp:not-allowed,description:,info:[])';
    expect(classify(empty).detail).toBe(empty);
  });

  test('keys of the info map and addresses are none', () => {
    for (const text of [
      '{[com.microsoft:timeout:30]}',
      'amqps://hub.example',
      'com.microsoft:tracking-id',
      'com.microsoft.azure.sdk',
    ])
      expect(classify(text).condition).toBeUndefined();
  });
});
