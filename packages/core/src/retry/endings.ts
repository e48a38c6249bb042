import { type AnyDeviceCloudError, makeError } from '../errors.ts';
import type { PacedOut } from '../pacer/types.ts';

/** The error of an attempt that was running when the operation's time was over. */
export function deadlineExceeded(
  operation: string | undefined,
  wasSent: boolean,
  cause: AnyDeviceCloudError | undefined,
): AnyDeviceCloudError {
  return makeError('timeout', {
    reason: 'DeadlineExceeded',
    advice: 'backoff',
    executed: wasSent ? 'unknown' : 'no',
    detail: wasSent ? 'no answer before the deadline' : 'not sent before the deadline',
    operation,
    cause,
  });
}

/** The error of an operation that was never sent: the target is throttled or down and the wait too long. */
export function notLetThrough({ stopped, because }: PacedOut, operation: string | undefined): AnyDeviceCloudError {
  return makeError(because?.category ?? 'throttled', {
    reason: 'PacedOut',
    advice: because?.advice ?? 'throttled',
    executed: 'no',
    code: because?.code,
    httpStatus: because?.httpStatus,
    transport: because?.transport,
    detail:
      stopped === 'deadline'
        ? 'not sent: its turn did not come before the deadline'
        : 'not sent: too many operations wait for this target',
    operation,
    cause: because,
  });
}

/** Wait for something that knows no signal; an abort ends the wait with `signal.reason`. */
export function abortable<T>(pending: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return pending;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    pending.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
