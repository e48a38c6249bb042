import { classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { describe, expect, test } from 'vitest';

const judged = (input: unknown) => classify(input, { readers: [readAzureSdk] });

describe("the hub's own text of one code gives that code's name as the reason, and the code as candidate", () => {
  test.each([
    ['Device Queue depth cannot exceed 50 messages', 'DeviceMaximumQueueDepthExceeded', 403004],
    ['Number of active file upload requests exceeded limit', 'DeviceMaximumActiveFileUploadLimitExceeded', 403006],
    [
      "Total number of messages on IotHub 'h' exceeded the allocated quota. Max allowed message count : '8000'",
      'IotHubQuotaExceeded',
      403002,
    ],
    ["A device with ID 'd1' is already registered.", 'DeviceAlreadyExists', 409001],
    ['Device d1 already registered', 'DeviceAlreadyExists', 409001],
    ["A module with ID 'm' on device 'd1' is already registered.", 'ModuleAlreadyExistsOnDevice', 409301],
    ['Timed out waiting for device to connect.', 'DeviceNotOnline', 404103],
    ['The message lock was lost', 'DeviceMessageLockLost', 412002],
  ])('%s', (text, reason, candidate) => {
    const error = judged(text);
    expect(error).toMatchObject({ reason, candidates: [candidate] });
    expect(error.code).toBeUndefined();
  });
});

describe('a class of an SDK gives the name it is made of, and no number', () => {
  test.each([
    ['IotHubQuotaExceededError', 'IotHubQuotaExceeded', 'quota', 'at-reset'],
    ['DeviceAlreadyExistsError', 'DeviceAlreadyExists', 'conflict', 'never'],
    ['ModuleAlreadyExistsException', 'ModuleAlreadyExistsOnDevice', 'conflict', 'never'],
  ])('%s', (name, reason, category, advice) => {
    const error = judged(Object.assign(new Error('x'), { name }));
    expect(error).toMatchObject({ reason, category, advice });
    expect(error.code).toBeUndefined();
  });

  test('but what is said beside it goes first', () => {
    const quota = Object.assign(new Error('Job quota has been exceeded'), { name: 'QuotaExceededException' });
    expect(judged(quota)).toMatchObject({ reason: 'JobQuotaExceeded' });
    expect(judged('quota exceeded')).toMatchObject({ reason: 'QuotaExceeded' });
    expect(judged('entity already exists')).toMatchObject({ reason: 'Conflict' });
  });
});
