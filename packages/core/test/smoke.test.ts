import { classify, DeviceCloudError, isDeviceCloudError, ServerError, ThrottledError } from '@faultmap/core';
import { evidence } from '@faultmap/core/adapter';
import { expect, test } from 'vitest';

test('a number in the payload decides', () => {
  const error = classify(evidence({ transport: 'http', httpStatus: 429, payloadCode: 429001 }));
  expect(isDeviceCloudError(error)).toBe(true);
  expect(error).toBeInstanceOf(ThrottledError);
  expect(error).toBeInstanceOf(DeviceCloudError);
  expect(error).not.toBeInstanceOf(ServerError);
  expect(new Error('x')).not.toBeInstanceOf(DeviceCloudError);
  expect(error.name).toBe('ThrottledError');
});
