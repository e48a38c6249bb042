import { type AnyDeviceCloudError, type Catalogue, classify } from '@faultmap/core';
import { type Evidence, evidence, isForeign } from '@faultmap/core/adapter';
import { type FailedRequest, type FailedResponse, hideRequest, isPlainRefusal } from './axios-error.ts';
import { readHttp } from './evidence.ts';

const READERS = [readHttp];

/**
 * Typed errors and what they were made of. A request is repeated below axios' interceptors and
 * mapped among them; in between axios' own error is under way, for the interceptors that expect it.
 */
export class TypedErrors {
  readonly #catalogues: readonly Catalogue[] | undefined;
  readonly #native = new WeakMap<AnyDeviceCloudError, unknown>();
  /** By the native error and by its response: a transform of axios may replace the error, not the response. */
  readonly #announced = new WeakMap<object, AnyDeviceCloudError>();

  constructor(catalogues: readonly Catalogue[] | undefined) {
    this.#catalogues = catalogues;
  }

  /** `undefined`: no fault of a cloud, but a cancellation by the caller or a mistake in the program. */
  make(raw: unknown, operation: string | undefined): AnyDeviceCloudError | undefined {
    const context = { readers: READERS, catalogues: this.#catalogues, operation };
    const seen = readHttp(raw);
    if (seen === undefined && isForeign(raw, READERS)) return undefined;
    const refused = seen !== undefined && isPlainRefusal(raw) && hideRequest(raw);
    const error = refused ? withCause(classify(withoutCause(seen), context), raw) : classify(seen ?? raw, context);
    this.#native.set(error, raw);
    if (responseOf(raw)) withResponse(error, raw as FailedRequest);
    return error;
  }

  /** The answer of a failed attempt, which may hold a stream that nobody reads. */
  responseOf(error: AnyDeviceCloudError): FailedResponse | undefined {
    return responseOf(this.#native.get(error));
  }

  /** The final error goes up as the native one; `announced` finds it again. */
  announce(final: unknown): unknown {
    const error = final as AnyDeviceCloudError;
    const raw = this.#native.get(error);
    // A typed error of retry itself (cut at the deadline), or one of something that is no object.
    if (typeof raw !== 'object' || raw === null) return final;
    this.#announced.set(raw, error);
    const response = responseOf(raw);
    if (response) this.#announced.set(response, error);
    return raw;
  }

  announced(raw: object): AnyDeviceCloudError | undefined {
    const response = responseOf(raw);
    return this.#announced.get(raw) ?? (response && this.#announced.get(response));
  }
}

function responseOf(raw: unknown): FailedResponse | undefined {
  const response = (raw as FailedRequest | null | undefined)?.response;
  return typeof response === 'object' && response !== null ? response : undefined;
}

/** Code that reads `error.response?.status` goes on working; no logger sees it. */
function withResponse(error: AnyDeviceCloudError, raw: FailedRequest): void {
  Object.defineProperty(error, 'response', { get: () => raw.response, enumerable: false, configurable: true });
}

/*
 * `classify` makes any cause safe to print, for which it has to read its stack: that alone takes as
 * long as all the rest. The error of a plain refusal by status is known to hold nothing else.
 */

function withoutCause(seen: Evidence): Evidence {
  return evidence({ ...seen, cause: undefined });
}

function withCause<E extends AnyDeviceCloudError>(error: E, cause: unknown): E {
  return Object.defineProperty(error, 'cause', { value: cause, writable: true, enumerable: false, configurable: true });
}
