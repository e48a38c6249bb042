import type { Identity } from '../../state/identity.ts';
import type { Json } from '../../state/json.ts';
import type { MethodCall } from '../../state/methods.ts';
import { deliver } from '../deliver.ts';
import { dataSection, sectionBytes } from '../engine.ts';
import { serve } from '../exchange.ts';
import type { AmqpMessage, Incoming, Link, LinkService } from '../link.ts';
import { idText, idValue } from '../properties.ts';
import { accept, reject, settleAs } from '../settle.ts';

/** Direct methods: calls on one link, the device's answers on the other. */
export function methods(link: Link): LinkService {
  const { identity, peer } = link;
  if (!identity) return {};
  if (link.inbound) return { onMessage: (message, delivery) => answered(link, identity, message, delivery) };
  const connection = peer.device(identity);
  // A call that is not delivered lets its caller run into the time-out.
  const call = (method: MethodCall) => deliver(link, toAmqp(method), { messageId: method.requestId });
  connection.onMethod = call;
  return {
    onClosed: () => {
      if (connection.onMethod === call) connection.onMethod = undefined;
    },
  };
}

function answered(link: Link, identity: Identity, message: AmqpMessage, delivery: Incoming): void {
  const requestId = idText(message.correlation_id) ?? '';
  void serve(link.peer, {
    operation: 'method-answer',
    deviceId: identity.deviceId,
    moduleId: identity.moduleId,
    messageId: requestId,
    link,
    run: () => {
      const status = Number(message.application_properties?.['IoThub-status'] ?? 200);
      link.peer.cloud.methods.answer(identity, requestId, { status, payload: payloadOf(message) });
    },
    succeed: () => accept(delivery),
    again: () => accept(delivery),
    refuse: (error) => reject(delivery, error),
    outcome: (fault) => settleAs(delivery, fault),
  });
}

function toAmqp({ requestId, methodName, payload }: MethodCall): object {
  return {
    correlation_id: idValue(requestId),
    application_properties: { 'IoThub-methodname': methodName },
    body: dataSection(JSON.stringify(payload)),
  };
}

/** What a device answers need not be JSON; the caller then gets it as text. */
function payloadOf(message: AmqpMessage): Json {
  const text = sectionBytes(message.body).toString('utf8');
  if (text === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
