import type { AnyDeviceCloudError } from '../errors.ts';

/** How a lost or refused connection is to be answered. */
export type LossKind = 'backoff' | 'throttled' | 'take-over' | 'at-reset' | 'permanent';

/** What a fault of the connection means for making it again. */
export function lossKind(error: AnyDeviceCloudError): LossKind {
  switch (error.category) {
    case 'conflict':
      // 400027, session taken over, link stolen: the other one has it now.
      return 'take-over';
    case 'throttled':
      return 'throttled';
    case 'quota':
      return error.resetAt ? 'at-reset' : 'permanent';
    case 'unauthorized':
    case 'bad-request':
    case 'not-found':
      return error.transient ? 'backoff' : 'permanent';
    case 'network':
      // A certificate or host name that is wrong now is wrong in a second too.
      return error.transient ? 'backoff' : 'permanent';
    default:
      // What is not understood (a silent close, garbage of a gateway) must not stop a device.
      return 'backoff';
  }
}
