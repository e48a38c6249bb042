import * as amqp from '@faultmap/amqp';
import * as cli from '@faultmap/cli';
import * as core from '@faultmap/core';
import * as adapter from '@faultmap/core/adapter';
import * as azureSdk from '@faultmap/core/azure-sdk';
import * as emulator from '@faultmap/emulator';
import * as http from '@faultmap/http';
import * as mqtt from '@faultmap/mqtt';
import { expect, test } from 'vitest';

// What is exported is promised: a change here is a change of the public surface, on purpose.

const namesOf = (module: object) => Object.keys(module).sort();

test('core, for users: at most 25 values', () => {
  expect(namesOf(core)).toMatchInlineSnapshot(`
    [
      "BadRequestError",
      "ConflictError",
      "DeviceCloudError",
      "DeviceOfflineError",
      "NetworkError",
      "NotFoundError",
      "OperationCancelledError",
      "PreconditionFailedError",
      "ProtocolViolationError",
      "QuotaExceededError",
      "ServerError",
      "ThrottledError",
      "TimeoutExpiredError",
      "UnauthorizedError",
      "UnknownCloudError",
      "classify",
      "createPacer",
      "dps",
      "fromJSON",
      "iotHub",
      "isDeviceCloudError",
      "lookup",
      "retry",
    ]
  `);
  expect(namesOf(core).length).toBeLessThanOrEqual(25);
});

test('core, for authors of adapters', () => {
  expect(namesOf(adapter)).toMatchInlineSnapshot(`
    [
      "CATEGORIES",
      "FaultEvents",
      "MAX_TIMER_MS",
      "RETRY_DEFAULTS",
      "attachOnce",
      "conclude",
      "createCredentials",
      "createReconnectGovernor",
      "defaultPacer",
      "endAtOnce",
      "evidence",
      "guardToJson",
      "isCancellation",
      "isEvidence",
      "isForeign",
      "isHopeless",
      "isTransient",
      "makeError",
      "optionError",
      "pacerFor",
      "parseRetryAfter",
      "readAmqpAnswer",
      "readAmqpError",
      "readHttpAnswer",
      "readMqttAnswer",
      "readMqttPacket",
      "readSystemError",
      "readText",
      "redact",
      "resolveOptions",
      "resolveReconnectOptions",
      "resolveRetryOptions",
      "rules",
      "runOperation",
      "safeCause",
      "sleep",
      "stoppedTexts",
      "strongerExecuted",
      "systemClock",
      "systemFault",
    ]
  `);
});

test('core, shapes of the official SDKs', () => {
  expect(namesOf(azureSdk)).toMatchInlineSnapshot(`
    [
      "readAzureSdk",
    ]
  `);
});

test.each([
  ['http', http],
  ['mqtt', mqtt],
  ['amqp', amqp],
] as const)('the adapters have the same rooms: %s', (name, module) => {
  const title = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  expect(namesOf(module)).toEqual(expect.arrayContaining([`attach${title}`, `read${title}`]));
});

test('adapters, emulator and CLI', () => {
  expect({
    http: namesOf(http),
    mqtt: namesOf(mqtt),
    amqp: namesOf(amqp),
    emulator: namesOf(emulator),
    cli: namesOf(cli),
  }).toMatchInlineSnapshot(`
    {
      "amqp": [
        "attachAmqp",
        "readAmqp",
      ],
      "cli": [
        "EXIT",
        "main",
      ],
      "emulator": [
        "CloudFault",
        "Emulator",
        "createToken",
        "startEmulator",
      ],
      "http": [
        "attachHttp",
        "azureIotIdempotent",
        "readHttp",
        "wrapAdapter",
      ],
      "mqtt": [
        "attachMqtt",
        "readMqtt",
      ],
    }
  `);
});
