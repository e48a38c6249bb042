import { attachAmqp } from '@faultmap/amqp';
import { classify, isDeviceCloudError } from '@faultmap/core';
import { evidence, FaultEvents } from '@faultmap/core/adapter';
import { attachHttp } from '@faultmap/http';
import { attachMqtt } from '@faultmap/mqtt';
import axios from 'axios';

/** Exhaustive: a category left out is a compile error. */
export function advise(error: unknown): string {
  if (!isDeviceCloudError(error)) return 'not a fault of a cloud';
  switch (error.category) {
    case 'bad-request':
    case 'unauthorized':
    case 'quota':
    case 'not-found':
    case 'offline':
    case 'conflict':
    case 'precondition':
      return error.fix ?? error.reason;
    case 'throttled':
      return `wait ${error.retryAfterMs ?? 0} ms`;
    case 'server':
    case 'timeout':
    case 'network':
    case 'protocol':
    case 'cancelled':
    case 'unknown':
      return error.executed;
    default: {
      const left: never = error;
      return left;
    }
  }
}

const http = axios.create({ baseURL: 'http://127.0.0.1' });
const handle = attachHttp(http, { retry: { maxAttempts: 3 } });
handle.on('fault', ({ error, attempt }) => console.log(error.code, attempt));
// @ts-expect-error: not an option
attachHttp(http, { retries: 3 });
// @ts-expect-error: not an event
handle.on('failure', () => {});
void http.get('/devices/a', { faultmap: { operation: 'registry.get', retry: false } });
// @ts-expect-error: not a per-request option
void http.get('/devices/a', { faultmap: { retries: 1 } });

export const typed: 'throttled' | string = classify(evidence({ httpStatus: 429 })).category;
export { attachAmqp, attachMqtt, FaultEvents };
