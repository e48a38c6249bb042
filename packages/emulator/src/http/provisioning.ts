import { CloudFault } from '../state/fault.ts';
import { parseObject } from './body.ts';
import type { HandlerAnswer, Operation } from './types.ts';

const register: Operation['handle'] = (request, { cloud }): HandlerAnswer => {
  const registrationId = request.params.registrationId ?? '';
  const input = parseObject(request.body, true);
  if (input.registrationId !== undefined && input.registrationId !== registrationId) {
    throw new CloudFault('argument-invalid', { text: 'registrationId of the body is not that of the path' });
  }
  const answer = cloud.register(registrationId);
  return { status: 202, headers: { 'retry-after': String(cloud.enrollments.retryAfterS) }, body: answer };
};

const status: Operation['handle'] = (request, { cloud }): HandlerAnswer => {
  const answer = cloud.registrationStatus(request.params.registrationId ?? '', request.params.operationId ?? '');
  if (answer.status !== 'assigning') return { status: 200, body: answer };
  return { status: 202, headers: { 'retry-after': String(cloud.enrollments.retryAfterS) }, body: answer };
};

const lookup: Operation['handle'] = (request, { cloud }): HandlerAnswer => ({
  status: 200,
  body: cloud.enrollments.lookup(request.params.registrationId ?? ''),
});

/** The provisioning service's device API. */
export const provisioning = {
  register: { name: 'dps-register', access: 'registration', shape: 'flat', handle: register },
  status: { name: 'dps-status', access: 'registration', shape: 'flat', handle: status },
  lookup: { name: 'dps-lookup', access: 'registration', shape: 'flat', handle: lookup },
} as const satisfies Record<string, Operation>;
