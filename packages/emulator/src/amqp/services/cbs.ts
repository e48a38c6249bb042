import type { AuthResult, Principal, Refusal } from '../../auth.ts';
import { CBS_TEXT } from '../../forms/amqp.ts';
import type { WireError } from '../errors.ts';
import { serve } from '../exchange.ts';
import type { AmqpMessage, Incoming, Link, LinkService } from '../link.ts';
import { int } from '../properties.ts';
import { accept } from '../settle.ts';

/** Claims-based security: a token is put for an audience, the answer comes on the other link. */
export function cbs(link: Link): LinkService {
  if (!link.inbound) return {};
  return { onMessage: (message, delivery) => put(link, message, delivery) };
}

/** A refusal with the status and text of the CBS node, which are not those of a link. */
class CbsRefusal extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

function put(link: Link, message: AmqpMessage, delivery: Incoming): void {
  accept(delivery);
  const { peer } = link;
  const answer = (status: number, description: string) => reply(link, message, status, description);
  void serve<CbsRefusal | undefined>(peer, {
    operation: 'cbs',
    deviceId: audienceDevice(message),
    link,
    run: ({ clockSkewMs }) => check(link, message, clockSkewMs),
    succeed: (refusal) => answer(refusal?.status ?? 200, refusal?.message ?? CBS_TEXT.accepted),
    refuse: (error: WireError) => answer(error.status, error.text),
    answer: ({ answerStatus, body }) =>
      answer(answerStatus, typeof body === 'string' ? body : `Status ${answerStatus}`),
    outcomeOf: (refusal) => (refusal ? { name: 'unauthorized', status: refusal.status } : undefined),
  });
}

/** @throws CloudFault when the device may not connect */
function check(link: Link, message: AmqpMessage, clockSkewMs: number): CbsRefusal | undefined {
  const { peer } = link;
  const { operation, type } = message.application_properties ?? {};
  if (operation !== 'put-token' || typeof type !== 'string') return new CbsRefusal(400, 'Unknown operation.');
  const token = typeof message.body === 'string' ? message.body : undefined;
  const result = peer.authority.verify(token, clockSkewMs);
  if (result.ok) return admit(link, result.principal);
  return peer.authority.required ? refusal(link, message, result) : undefined;
}

function admit(link: Link, principal: Principal): undefined {
  if (principal.kind === 'device') link.peer.device(principal.identity);
  link.peer.claims.add(principal);
}

const TEXT_OF: Partial<Record<Refusal, string>> = {
  expired: CBS_TEXT.expired,
  'wrong-signature': CBS_TEXT.wrongSignature,
};

function refusal(link: Link, message: AmqpMessage, { why }: AuthResult & { ok: false }): CbsRefusal {
  if (why !== 'unknown-device') return new CbsRefusal(401, TEXT_OF[why] ?? CBS_TEXT.invalid);
  return new CbsRefusal(404, CBS_TEXT.notRegistered(audienceDevice(message) ?? '', link.peer.cloud.hostName));
}

/** The device of an audience `{host}/devices/{id}`, which the official clients send url-encoded. */
function audienceDevice(message: AmqpMessage): string | undefined {
  const name = message.application_properties?.name;
  if (typeof name !== 'string') return undefined;
  try {
    return /\/devices\/([^/]+)/.exec(decodeURIComponent(name))?.[1];
  } catch {
    return undefined; // a broken escape
  }
}

function reply(link: Link, request: AmqpMessage, status: number, description: string): void {
  const out = link.peer.answerLink(link, request.reply_to);
  out?.send({
    correlation_id: request.message_id,
    application_properties: { 'status-code': int(status), 'status-description': description },
    body: null,
  });
}
