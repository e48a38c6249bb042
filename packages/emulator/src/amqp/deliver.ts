import { serve } from './exchange.ts';
import type { Link, OutcomeHandler } from './link.ts';

interface Delivered {
  readonly messageId?: string | undefined;
  readonly tag?: Buffer;
  readonly onOutcome?: OutcomeHandler;
}

/** Something the cloud sends a device by itself; faults of operation `c2d-deliver` strike here. */
export function deliver(link: Link, message: object, { messageId, ...options }: Delivered = {}): void {
  void serve(link.peer, {
    operation: 'c2d-deliver',
    deviceId: link.identity?.deviceId,
    moduleId: link.identity?.moduleId,
    messageId,
    link,
    run: () => {},
    succeed: () => link.send(message, options),
    again: () => link.send(message),
    refuse: (error) => link.fail(error.record),
  });
}
