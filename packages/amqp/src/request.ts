import { randomUUID } from 'node:crypto';
import type { AnyDeviceCloudError } from '@faultmap/core';
import { type Attempt, conclude, evidence, readAmqpAnswer } from '@faultmap/core/adapter';
import { CBS, putsToken } from './cbs.ts';
import { AnswerChannel, type ChannelSetup } from './channel.ts';
import type { RequestOptions } from './options.ts';
import { has, type RheaContext, type RheaLink, type RheaSession } from './rhea.ts';
import { type Call, sendOnce } from './send.ts';

/** What identifies a request on its channel. */
type Id = string | number | Uint8Array;

/** Requests over a pair of links: `$cbs`, management nodes, twins, and any other node that answers. */
export class Requests {
  readonly #setup: ChannelSetup;
  readonly #channels = new Map<string, AnswerChannel>();
  readonly #own = new WeakSet<RheaLink | RheaSession>();

  constructor(setup: ChannelSetup) {
    this.#setup = setup;
  }

  /** One attempt: send the request, wait for the message that answers it. */
  async once(
    address: string,
    message: Record<string, unknown>,
    options: Pick<RequestOptions, 'links' | 'replyTo'>,
    call: Call,
    attempt: Attempt,
  ): Promise<Record<string, unknown>> {
    attempt.unsent();
    this.#setup.links.present(call.operation);
    const channel = this.#channel(address, options.links, call.operation);
    await channel.ready(call.creditTimeoutMs, call.operation, attempt.signal);
    // A refused link opens first, and is detached in the same breath.
    const refused = channel.fault();
    if (refused) throw this.#setup.links.refusal(refused, call.operation);
    const request = withIds(message, address, options.replyTo ?? channel.replyTo);
    const answer = await this.#exchange(channel, request, call, attempt);
    const refusal = readAmqpAnswer({
      applicationProperties: answer.application_properties,
      annotations: answer.message_annotations,
      body: answer.body,
      scope: scopeOf(address),
      address,
    });
    if (refusal) throw this.#setup.faults.typed(refusal, call.operation);
    if (putsToken(address, message)) this.#setup.links.tokenPut();
    return answer;
  }

  /** Is it, or was it, a link or the session of a channel of ours? */
  owns(end: RheaLink | RheaSession): boolean {
    return this.#own.has(end);
  }

  /** Is it a link that tokens are put on? */
  putsTokens(link: RheaLink): boolean {
    for (const channel of this.#channels.values()) if (channel.address === CBS && channel.isOn(link)) return true;
    return false;
  }

  /** An answer? Then it is ours alone: only our own links are looked at. */
  onMessage(link: RheaLink, { message }: RheaContext): void {
    for (const channel of this.#channels.values()) if (channel.receiver === link && message) channel.answered(message);
  }

  onOpen(link: RheaLink): void {
    for (const channel of this.#channels.values()) if (channel.receiver === link) channel.opened();
  }

  /** Links, a session or the connection are gone: nobody will answer. */
  lost(which: 'all' | RheaLink | RheaSession, fault: AnyDeviceCloudError): void {
    for (const channel of this.#channels.values()) if (which === 'all' || channel.isOn(which)) channel.lost(fault);
  }

  /** Close our own links; whoever waits is rejected with `reason`. */
  stop(reason: unknown): void {
    for (const channel of this.#channels.values()) channel.stop(reason);
    this.#channels.clear();
  }

  #channel(address: string, links: RequestOptions['links'], operation: string): AnswerChannel {
    const key = `${address}\n${JSON.stringify(links ?? null)}`;
    const there = this.#channels.get(key);
    if (there) {
      const fault = there.fault();
      // Somebody else has the link now: a new attach would take it back.
      if (fault?.category === 'conflict') throw this.#setup.links.refusal(fault, operation);
      if (!fault && !there.closed) return there;
      there.stop(fault);
    }
    const fresh = new AnswerChannel(this.#setup, address, links);
    this.#channels.set(key, fresh);
    this.#own.add(fresh.sender).add(fresh.receiver).add(fresh.sender.session);
    return fresh;
  }

  /** Send, and wait for the answer; it may come before the outcome of the request's own delivery. */
  #exchange(
    channel: AnswerChannel,
    request: Record<string, unknown>,
    call: Call,
    attempt: Attempt,
  ): Promise<Record<string, unknown>> {
    const { clock, faults } = this.#setup;
    return new Promise((resolve, reject) => {
      let sent = false;
      const release: (() => void)[] = [];
      const end = (conclusion: () => void) => {
        for (const take of release.splice(0)) take();
        conclusion();
      };
      release.push(
        channel.wait(idOf(request), {
          resolve: (answer) => end(() => resolve(answer)),
          reject: (fault) =>
            end(() => reject(faults.follow(fault, { operation: call.operation, executed: sent ? 'unknown' : 'no' }))),
          stop: (reason) => end(() => reject(reason)),
        }),
      );
      const onAbort = () => end(() => reject(attempt.signal?.reason));
      attempt.signal?.addEventListener('abort', onAbort, { once: true });
      release.push(() => attempt.signal?.removeEventListener('abort', onAbort));
      const watched: Attempt = {
        number: attempt.number,
        signal: attempt.signal,
        unsent: () => attempt.unsent(),
        sent: () => {
          sent = true;
          attempt.sent();
          const expire = () => end(() => reject(this.#noAnswer(channel.address, call)));
          release.push(clock.after(call.attemptTimeoutMs, expire));
        },
      };
      sendOnce(this.#setup, channel.sender, request, call, watched).catch((refused) => end(() => reject(refused)));
    });
  }

  #noAnswer(address: string, { operation, attemptTimeoutMs }: Call): AnyDeviceCloudError {
    const seen = evidence({
      transport: 'amqp',
      scope: scopeOf(address),
      address,
      local: true,
      timedOut: 'request',
      text: `no answer within ${attemptTimeoutMs} ms`,
    });
    return conclude(this.#setup.faults.typed(seen, operation), { executed: 'unknown' });
  }
}

/** May this request run twice without harm, by what it says of itself? */
export function isIdempotentRequest(message: Record<string, unknown>): boolean {
  const properties = message.application_properties;
  const annotations = message.message_annotations;
  const operation = has(properties) ? properties.operation : undefined;
  // A token put twice is the same token; a twin read changes nothing.
  return operation === 'put-token' || operation === 'READ' || (has(annotations) && annotations.operation === 'GET');
}

/** The caller's message with what an answer needs; the caller's own object is left alone. */
function withIds(
  message: Record<string, unknown>,
  address: string,
  replyTo: string | undefined,
): Record<string, unknown> {
  const request = { ...message };
  if (request.correlation_id === undefined && request.message_id === undefined) request.message_id = randomUUID();
  // Nodes such as `$cbs` route by these; a twin link needs neither.
  if (address.startsWith('$')) request.to ??= address;
  if (replyTo !== undefined) request.reply_to ??= replyTo;
  return request;
}

function idOf(request: Record<string, unknown>): Id {
  return (request.correlation_id ?? request.message_id) as Id;
}

function scopeOf(address: string): 'cbs' | 'management' | 'request' {
  if (address === '$cbs') return 'cbs';
  return address.endsWith('$management') ? 'management' : 'request';
}
