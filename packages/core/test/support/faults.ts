import type { AnyDeviceCloudError, ErrorFields } from '@faultmap/core';
import { makeError } from '@faultmap/core/adapter';

/*
 * Faults made by hand, so that retry is tested apart from classification.
 */

export const throttled = (more: Partial<ErrorFields> = {}): AnyDeviceCloudError =>
  makeError('throttled', {
    reason: 'ThrottlingException',
    code: 429001,
    httpStatus: 429,
    advice: 'throttled',
    executed: 'no',
    ...more,
  });

export const unavailable = (more: Partial<ErrorFields> = {}): AnyDeviceCloudError =>
  makeError('server', {
    reason: 'ServiceUnavailable',
    code: 503001,
    httpStatus: 503,
    advice: 'backoff',
    executed: 'unknown',
    ...more,
  });

export const refused = (more: Partial<ErrorFields> = {}): AnyDeviceCloudError =>
  makeError('network', { reason: 'ECONNREFUSED', advice: 'backoff', executed: 'no', ...more });

export const notFound = (more: Partial<ErrorFields> = {}): AnyDeviceCloudError =>
  makeError('not-found', {
    reason: 'DeviceNotFound',
    code: 404001,
    httpStatus: 404,
    advice: 'never',
    executed: 'no',
    ...more,
  });

export const unauthorized = (more: Partial<ErrorFields> = {}): AnyDeviceCloudError =>
  makeError('unauthorized', {
    reason: 'IotHubUnauthorizedAccess',
    code: 401002,
    httpStatus: 401,
    advice: 'renew-credentials',
    executed: 'no',
    ...more,
  });

export const exists = (more: Partial<ErrorFields> = {}): AnyDeviceCloudError =>
  makeError('conflict', {
    reason: 'DeviceAlreadyExists',
    code: 409001,
    httpStatus: 409,
    advice: 'never',
    executed: 'no',
    ...more,
  });
