import type { AnyDeviceCloudError } from '../errors.ts';
import type { PaceOutcome } from './types.ts';

/** What a fault says about its target as a whole. */
export function outcomeOf(error: AnyDeviceCloudError): PaceOutcome {
  switch (error.category) {
    case 'throttled':
      // 429005 is one device's own limit: the others need not slow down.
      return error.appliesTo === 'device' || error.appliesTo === 'module' ? 'answered' : 'throttled';
    case 'network':
      // A certificate that is refused will be refused again: fail, do not queue.
      return error.transient ? 'outage' : 'answered';
    case 'server':
      return error.transient && !isGateway(error) ? 'outage' : 'answered';
    case 'timeout':
      // Says something about one operation: a device that does not answer (504101), a slow query.
      return error.scope === 'connection' ? 'outage' : 'answered';
    default:
      return 'answered';
  }
}

/** 502 and 504: something between, or one slow operation behind it. */
function isGateway({ code, httpStatus }: AnyDeviceCloudError): boolean {
  const status = code === undefined ? httpStatus : Math.floor(code / 1_000);
  return status === 502 || status === 504;
}
