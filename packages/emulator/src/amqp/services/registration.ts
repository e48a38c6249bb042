import { REGISTRATION, REGISTRATION_OPERATIONS } from '../../forms/registration.ts';
import type { RegistrationAnswer, RegistrationState } from '../../state/enrollments.ts';
import { CloudFault } from '../../state/fault.ts';
import { dataSection } from '../engine.ts';
import { errorBody, type WireError } from '../errors.ts';
import { serve } from '../exchange.ts';
import type { AmqpMessage, Incoming, Link, LinkService } from '../link.ts';
import { idText, int } from '../properties.ts';
import { accept, reject, settleAs } from '../settle.ts';

/** The provisioning service's device API: requests on one link, answers on the other. */
export function registration(link: Link): LinkService {
  const { place } = link;
  if (!link.inbound || place.kind !== 'registration') return {};
  return { onMessage: (message, delivery) => request(link, place.registrationId, message, delivery) };
}

function request(link: Link, registrationId: string, message: AmqpMessage, delivery: Incoming): void {
  const { peer } = link;
  let answered: RegistrationAnswer | RegistrationState | undefined;
  void serve<RegistrationAnswer | RegistrationState>(peer, {
    operation: operationOf(message) ?? 'dps-status',
    deviceId: registrationId,
    messageId: idText(message.correlation_id),
    link,
    run: () => perform(link, registrationId, message),
    succeed: (answer) => {
      answered = answer;
      accept(delivery);
      respond(link, message, answer);
    },
    again: () => {
      accept(delivery);
      if (answered) respond(link, message, answered);
    },
    refuse: (error) => reject(delivery, inService(error, peer.cloud.clock.now())),
    outcome: (fault) => settleAs(delivery, fault),
  });
}

function operationOf(message: AmqpMessage): string | undefined {
  return REGISTRATION_OPERATIONS.get(message.application_properties?.[REGISTRATION.operationType]);
}

/** @throws CloudFault */
function perform(link: Link, registrationId: string, message: AmqpMessage): RegistrationAnswer | RegistrationState {
  const { cloud } = link.peer;
  switch (operationOf(message)) {
    case 'dps-register':
      return cloud.register(registrationId);
    case 'dps-status': {
      const operationId = message.application_properties?.[REGISTRATION.operationId];
      return cloud.registrationStatus(registrationId, String(operationId ?? ''));
    }
    case 'dps-lookup':
      return cloud.enrollments.lookup(registrationId);
    default:
      throw new CloudFault('argument-invalid', { text: 'The operation type is missing or not known' });
  }
}

function respond(link: Link, message: AmqpMessage, answer: RegistrationAnswer | RegistrationState): void {
  const wait = int(link.peer.cloud.enrollments.retryAfterS);
  link.peer.answerLink(link, message.reply_to)?.send({
    correlation_id: message.correlation_id ?? message.message_id,
    ...(answer.status === 'assigning' && { application_properties: { [REGISTRATION.retryAfter]: wait } }),
    body: dataSection(JSON.stringify(answer)),
  });
}

/** The service's errors: its JSON body in the description, the wait in the info. A bare condition stays as it is. */
function inService(error: WireError, now: number): WireError {
  if (error.code === undefined) return error;
  const info = error.retryAfterS === undefined ? {} : { [REGISTRATION.retryAfter]: int(error.retryAfterS) };
  const { condition, info: own } = error.record;
  return { ...error, record: { condition, description: errorBody(error, now), info: { ...own, ...info } } };
}
