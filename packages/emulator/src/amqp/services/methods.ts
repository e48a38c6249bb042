import type { Identity } from '../../state/identity.ts';
import type { Json } from '../../state/json.ts';
import type { MethodCall } from '../../state/methods.ts';
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
  const call = (method: MethodCall) => deliver(link, identity, method);
  connection.onMethod = call;
  return {
    onClosed: () => {
      if (connection.onMethod === call) connection.onMethod = undefined;
    },
  };
}

function deliver(link: Link, identity: Identity, method: MethodCall): void {
  void serve(link.peer, {
    operation: 'method',
    deviceId: identity.deviceId,
    moduleId: identity.moduleId,
    messageId: method.requestId,
    link,
    run: () => {},
    succeed: () =>
      link.send({
        correlation_id: idValue(method.requestId),
        application_properties: { 'IoThub-methodname': method.methodName },
        body: dataSection(JSON.stringify(method.payload)),
      }),
    // Not delivered at all: the caller meets its time-out.
    refuse: (error) => link.fail(error.record),
  });
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
    refuse: (error) => reject(delivery, error),
    outcome: (fault) => settleAs(delivery, fault),
  });
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
