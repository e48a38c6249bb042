import { CloudFault } from '../state/fault.ts';
import type { JsonObject } from '../state/json.ts';
import type { MethodInput } from '../state/methods.ts';
import { parseObject } from './body.ts';
import { identityIn, type Operation } from './types.ts';

/** Limits of the two time-outs, in s (devguide-direct-methods). */
const LONGEST_S = 300;

const invoke: Operation['handle'] = async (request, { cloud }) => {
  const answer = await cloud.invokeMethod(identityIn(request.params), methodInput(parseObject(request.body)));
  // A success of the hub whatever the device's own status is.
  return { status: 200, body: { status: answer.status, payload: answer.payload } };
};

/** What a service asks for, checked. @throws CloudFault argument-invalid */
export function methodInput(input: JsonObject): MethodInput {
  if (typeof input.methodName !== 'string') throw new CloudFault('argument-invalid', { text: 'methodName is missing' });
  return {
    methodName: input.methodName,
    payload: input.payload,
    responseTimeoutMs: seconds(input.responseTimeoutInSeconds, 30) * 1000,
    connectTimeoutMs: seconds(input.connectTimeoutInSeconds, 0) * 1000,
  };
}

/** Shorter than the documented least of 5 s is let through: tests should not wait. */
function seconds(value: unknown, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'number' || value < 0 || value > LONGEST_S) {
    throw new CloudFault('argument-invalid', { text: `A time-out is not between 0 and ${LONGEST_S} s` });
  }
  return value;
}

/** Direct methods, called by the service. */
export const methods = {
  invoke: { name: 'method', access: 'service', shape: 'new', handle: invoke },
} as const satisfies Record<string, Operation>;
