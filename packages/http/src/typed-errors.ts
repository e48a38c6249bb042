import { type AnyDeviceCloudError, type Catalogue, classify, isDeviceCloudError } from '@faultmap/core';
import { isForeign } from '@faultmap/core/adapter';
import { type FailedRequest, type FailedResponse, hideRequest, isPlainRefusal } from './axios-error.ts';
import { readHttp, readRefusal } from './evidence.ts';

const READERS = [readHttp];

/**
 * Typed errors and what they were made of. A request is repeated below axios' interceptors and
 * mapped among them; in between axios' own error is under way, for the interceptors that expect it.
 */
export class TypedErrors {
  readonly #catalogues: readonly Catalogue[] | undefined;
  /** By the native error, its response and its config: a transform of axios may replace the error, not those. */
  readonly #announced = new WeakMap<object, AnyDeviceCloudError>();
  /** The one announced last, which is nearly always the one asked for. */
  #last: { readonly raw: object; readonly error: AnyDeviceCloudError } | undefined;

  constructor(catalogues: readonly Catalogue[] | undefined) {
    this.#catalogues = catalogues;
  }

  /** `undefined`: no fault of a cloud, but a cancellation by the caller or a mistake in the program. */
  make(raw: unknown, operation: string | undefined): AnyDeviceCloudError | undefined {
    const context = { readers: READERS, catalogues: this.#catalogues, operation };
    if (isPlainRefusal(raw) && hideRequest(raw)) {
      // `classify` makes any cause safe to print, for which it has to read its stack: that takes
      // as long as all the rest. This one is known to hold nothing else.
      const refusal = withoutFrames(() => classify(readRefusal(raw.response, raw.message), context));
      Object.defineProperty(refusal, 'cause', { value: raw, writable: true, configurable: true });
      return withResponse(refusal);
    }
    const seen = readHttp(raw);
    if (seen === undefined && isForeign(raw, READERS)) return undefined;
    const error = withoutFrames(() => classify(seen ?? raw, context));
    // The cause may be a copy, with secrets masked.
    if (error.cause !== raw) natives.set(error, raw);
    return responseOf(raw) ? withResponse(error) : error;
  }

  /** The answer of a failed attempt, which may hold a stream that nobody reads. */
  responseOf(error: AnyDeviceCloudError): FailedResponse | undefined {
    return responseOf(nativeOf(error));
  }

  /** The final error goes up as the native one; `announced` finds it again. */
  announce(final: unknown): unknown {
    if (!isDeviceCloudError(final)) return final;
    const raw = nativeOf(final);
    // A typed error of retry itself (cut at the deadline), or one of something that is no object.
    if (typeof raw !== 'object' || raw === null || isDeviceCloudError(raw)) return final;
    if (this.#last) this.#keep(this.#last.raw, this.#last.error);
    this.#last = { raw, error: final };
    return raw;
  }

  announced(raw: object): AnyDeviceCloudError | undefined {
    if (this.#last?.raw === raw) {
      const { error } = this.#last;
      this.#last = undefined;
      return error;
    }
    if (this.#last) this.#keep(this.#last.raw, this.#last.error);
    for (const key of keysOf(raw)) {
      const error = this.#announced.get(key);
      if (error) return error;
    }
    return undefined;
  }

  #keep(raw: object, error: AnyDeviceCloudError): void {
    this.#last = undefined;
    for (const key of keysOf(raw)) this.#announced.set(key, error);
  }
}

/** What belongs to one request and no other: its config is a copy made for it. */
function keysOf(raw: object): object[] {
  const { config } = raw as FailedRequest;
  return [raw, responseOf(raw), config].filter((key) => typeof key === 'object' && key !== null);
}

function responseOf(raw: unknown): FailedResponse | undefined {
  const response = (raw as FailedRequest | null | undefined)?.response;
  return typeof response === 'object' && response !== null ? response : undefined;
}

/** Of errors whose cause is a copy. */
const natives = new WeakMap<AnyDeviceCloudError, unknown>();

function nativeOf(error: AnyDeviceCloudError): unknown {
  return natives.get(error) ?? error.cause;
}

/** Code that reads `error.response?.status` goes on working; no logger sees it. */
function withResponse(error: AnyDeviceCloudError): AnyDeviceCloudError {
  return Object.defineProperty(error, 'response', RESPONSE);
}

/** One getter for all: one of each error's own would give each a hidden class of its own. */
const RESPONSE: PropertyDescriptor & ThisType<AnyDeviceCloudError> = {
  get() {
    return responseOf(nativeOf(this));
  },
  enumerable: false,
  configurable: true,
};

/**
 * Frames of here say nothing: axios lays those of the caller on every error that leaves it. Looking
 * for them is most of what an error costs.
 */
function withoutFrames<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
  } catch {
    return make(); // frozen intrinsics
  }
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
