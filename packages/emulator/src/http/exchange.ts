import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ScriptedFault, UncleanFault } from '../faults/types.ts';
import type { ListenerContext } from '../listener.ts';
import { CloudFault } from '../state/fault.ts';
import { authorize } from './access.ts';
import { hasBody, NO_BYTES, readBody } from './body.ts';
import { behaviourAnswer, scriptedAnswer } from './errors.ts';
import { messageIdOf } from './messages.ts';
import { type Found, route } from './router.ts';
import { reset, send, sendGarbage, sendUnclean } from './send.ts';
import type { HandlerAnswer, Operation, Route } from './types.ts';

/** A handler's answer, or that of a fault by behaviour, with the word for the log. */
interface Result {
  readonly answer: HandlerAnswer;
  readonly outcome: string;
}

/** One request and its answer. */
export class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #context: ListenerContext;
  readonly #connection: number;
  readonly #path: string;
  readonly #query: string;
  readonly #route: Found;
  readonly #target: string;
  #skewMs = 0;

  constructor(request: IncomingMessage, response: ServerResponse, context: ListenerContext, connection: number) {
    this.#request = request;
    this.#response = response;
    this.#context = context;
    this.#connection = connection;
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.#path = mark < 0 ? url : url.slice(0, mark);
    this.#query = mark < 0 ? '' : url.slice(mark + 1);
    const place = route(request.method ?? 'GET', this.#path, request.headers['if-match'] !== undefined);
    this.#route = place.route;
    this.#target = place.target;
  }

  /** Read, run, answer. Never throws: a client that goes away meanwhile ends it. */
  run(): void {
    if (hasBody(this.#request)) readBody(this.#request, (body) => this.#serve(body));
    else this.#serve(NO_BYTES);
  }

  #serve(body: Buffer | CloudFault): void {
    const fault = this.#context.faults.isEmpty ? undefined : this.#context.faults.next(this.#asFaultRequest());
    if (fault) {
      this.#serveFaulty(fault, body).catch((thrown) => this.#giveUp(thrown));
      return;
    }
    const result = this.#perform(body);
    // Most operations are done at once; waiting for them would cost every request.
    if (result instanceof Promise) result.then((one) => this.#finish(one)).catch((thrown) => this.#giveUp(thrown));
    else this.#finish(result);
  }

  async #serveFaulty(fault: ScriptedFault, body: Buffer | CloudFault): Promise<void> {
    if (fault.delayMs > 0) await this.#wait(fault.delayMs);
    if (!this.#response.destroyed) await this.#runFaulty(fault, body);
  }

  async #runFaulty(fault: ScriptedFault, body: Buffer | CloudFault): Promise<void> {
    const { form } = fault;
    if (form && 'clockSkewMs' in form) this.#skewMs = form.clockSkewMs;
    if (form && 'unclean' in form) return this.#runUnclean(form, body);
    const answer = scriptedAnswer(fault, this.#place());
    if (!answer) {
      // No form (a delay), a clock that is off, or a form of another protocol: the operation runs.
      const result = await this.#perform(body);
      return this.#finish(result, form !== undefined || fault.delayMs > 0);
    }
    if (fault.executes) await this.#perform(body);
    this.#finish({ answer, outcome: form && 'code' in form ? String(form.code) : `status ${answer.status}` }, true);
  }

  async #runUnclean(fault: UncleanFault, body: Buffer | CloudFault): Promise<void> {
    const notRun: Partial<Record<UncleanFault['unclean'], () => void>> = {
      'reset-before': () => reset(this.#response),
      close: () => this.#response.socket?.end(),
      'half-open': () => {},
      garbage: () => sendGarbage(this.#response),
    };
    const act = notRun[fault.unclean];
    if (act) {
      this.#log(fault.unclean, undefined, true);
      act();
      return;
    }
    const { answer } = await this.#perform(body);
    if (fault.unclean === 'duplicate') await this.#perform(body);
    this.#log(fault.unclean, answer.status, true);
    if (fault.unclean === 'lost-ack') return;
    this.#write(() => sendUnclean(this.#response, answer, fault, this.#context.cloud.clock));
  }

  #perform(body: Buffer | CloudFault): Result | Promise<Result> {
    try {
      if (body instanceof CloudFault) throw body;
      const found = this.#found();
      const principal = authorize(this.#request, found, this.#context, this.#skewMs);
      const answer = found.operation.handle(
        {
          method: this.#request.method ?? 'GET',
          path: this.#path,
          query: this.#query,
          headers: this.#request.headers,
          body,
          params: found.params,
          principal,
        },
        this.#context,
      );
      if (!(answer instanceof Promise)) return { answer, outcome: 'ok' };
      return answer.then(
        (one) => ({ answer: one, outcome: 'ok' }),
        (thrown) => this.#failed(thrown),
      );
    } catch (thrown) {
      return this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): Result {
    if (!(thrown instanceof CloudFault)) process.emitWarning(`The emulator failed: ${String(thrown)}`);
    const outcome = thrown instanceof CloudFault ? thrown.fault : 'server-error';
    return { answer: behaviourAnswer(thrown, this.#place()), outcome };
  }

  #found(): Route {
    if (this.#route === 'path') throw new CloudFault('address-not-found', { text: 'No such resource' });
    if (this.#route === 'method') {
      const text = `The requested resource does not support http method '${this.#request.method}'.`;
      throw new CloudFault('method-not-allowed', { text });
    }
    return this.#route;
  }

  #finish({ answer, outcome }: Result, scripted = false): void {
    this.#log(outcome, answer.status, scripted);
    if (this.#response.destroyed) return;
    const skew = this.#skewMs + this.#context.cloud.clock.skewMs;
    if (skew !== 0) this.#response.setHeader('date', new Date(this.#now()).toUTCString());
    this.#write(() => send(this.#response, answer));
  }

  #write(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.#giveUp(thrown);
    }
  }

  /** A scripted answer may hold what HTTP cannot: that ends the connection, not the process. */
  #giveUp(thrown: unknown): void {
    process.emitWarning(`An answer cannot be written: ${String(thrown)}`, 'FaultmapEmulatorWarning');
    this.#response.destroy();
  }

  #log(outcome: string, status: number | undefined, scripted: boolean): void {
    this.#context.cloud.log.record({
      transport: 'http',
      operation: this.#operation?.name ?? 'unknown',
      deviceId: this.#deviceId,
      moduleId: this.#moduleId,
      target: this.#target,
      messageId: messageIdOf(this.#request),
      connection: this.#connection,
      outcome,
      status,
      scripted: scripted || undefined,
    });
  }

  #asFaultRequest() {
    return {
      transport: 'http',
      operation: this.#operation?.name ?? 'unknown',
      deviceId: this.#deviceId,
      moduleId: this.#moduleId,
      method: this.#request.method,
      path: this.#path,
      messageId: messageIdOf(this.#request),
    } as const;
  }

  get #operation(): Operation | undefined {
    return typeof this.#route === 'object' ? this.#route.operation : undefined;
  }

  get #deviceId(): string | undefined {
    return typeof this.#route === 'object'
      ? (this.#route.params.deviceId ?? this.#route.params.registrationId)
      : undefined;
  }

  get #moduleId(): string | undefined {
    return typeof this.#route === 'object' ? this.#route.params.moduleId : undefined;
  }

  #place() {
    return { operation: this.#operation, wire: this.#context.wire, now: this.#now() };
  }

  #now(): number {
    return this.#context.cloud.clock.now() + this.#skewMs;
  }

  /** Ends early when the client goes away. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#response.off('close', done);
        resolve();
      };
      const cancel = this.#context.cloud.clock.after(ms, done);
      this.#response.once('close', done);
    });
  }
}
