import type { RegistrationAnswer } from '../../state/enrollments.ts';
import { CloudFault } from '../../state/fault.ts';
import { dataSection } from '../engine.ts';
import { errorBody, type WireError } from '../errors.ts';
import { serve } from '../exchange.ts';
import type { AmqpMessage, Incoming, Link, LinkService } from '../link.ts';
import { idText, int } from '../properties.ts';
import { accept, reject, settleAs } from '../settle.ts';

/*
 * The provisioning service's device API: requests on one link, answers on the other. Names and
 * forms as the official clients write and read them (azure-iot-provisioning-device-amqp amqp.ts;
 * C# ProvisioningTransportHandlerAmqp.cs#L337-L371).
 */
const OPERATION_TYPE = 'iotdps-operation-type';
const OPERATION_ID = 'iotdps-operation-id';
const RETRY_AFTER = 'retry-after';

export function registration(link: Link): LinkService {
  const { place } = link;
  if (!link.inbound || place.kind !== 'registration') return {};
  return { onMessage: (message, delivery) => request(link, place.registrationId, message, delivery) };
}

function request(link: Link, registrationId: string, message: AmqpMessage, delivery: Incoming): void {
  const { peer } = link;
  let answered: RegistrationAnswer | undefined;
  void serve<RegistrationAnswer>(peer, {
    operation: operationOf(message) === 'iotdps-register' ? 'dps-register' : 'dps-status',
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

function operationOf(message: AmqpMessage): unknown {
  return message.application_properties?.[OPERATION_TYPE];
}

/** @throws CloudFault */
function perform(link: Link, registrationId: string, message: AmqpMessage): RegistrationAnswer {
  const { cloud } = link.peer;
  const operation = operationOf(message);
  if (operation === 'iotdps-register') return cloud.register(registrationId);
  if (operation !== 'iotdps-get-operationstatus') {
    throw new CloudFault('argument-invalid', { text: `Unknown operation ${String(operation).slice(0, 100)}` });
  }
  return cloud.enrollments.status(registrationId, String(message.application_properties?.[OPERATION_ID] ?? ''));
}

function respond(link: Link, message: AmqpMessage, answer: RegistrationAnswer): void {
  const { retryAfterS } = link.peer.cloud.enrollments;
  link.peer.answerLink(link, message.reply_to)?.send({
    correlation_id: message.correlation_id ?? message.message_id,
    ...(answer.status === 'assigning' && { application_properties: { [RETRY_AFTER]: int(retryAfterS) } }),
    body: dataSection(JSON.stringify(answer)),
  });
}

/** The service's errors: its JSON body in the description, the wait in the info. A bare condition stays as it is. */
function inService(error: WireError, now: number): WireError {
  if (error.code === undefined) return error;
  const info = error.retryAfterS === undefined ? {} : { [RETRY_AFTER]: int(error.retryAfterS) };
  const { condition, info: own } = error.record;
  return { ...error, record: { condition, description: errorBody(error, now), info: { ...own, ...info } } };
}
