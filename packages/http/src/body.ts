/*
 * Bodies on both ways. Measured with axios 1.21.1: a stream that was read once is sent again as an
 * empty body, and that can succeed; a failed answer's unread stream holds its socket, so that the
 * next request on a pool of one waits for ever.
 */

interface MaybeStream {
  readonly pipe?: unknown;
  readonly getReader?: unknown;
  readonly getHeaders?: unknown;
  readonly [Symbol.asyncIterator]?: unknown;
}

/** Can the body of a request be sent again? Streams, iterators and the form-data package cannot. */
export function isReplayable(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return typeof data !== 'function';
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return true;
  const { pipe, getReader, getHeaders, [Symbol.asyncIterator]: iterate } = data as MaybeStream;
  return ![pipe, getReader, getHeaders, iterate].some((method) => typeof method === 'function');
}

interface MaybeUnread {
  readonly destroy?: () => void;
  readonly cancel?: () => Promise<void>;
  readonly locked?: boolean;
  readonly body?: MaybeUnread | null;
}

/** Let go of an answer that nobody will read, so that its connection can be used again. */
export function release(data: unknown): void {
  try {
    if (typeof data !== 'object' || data === null) return;
    const { destroy, cancel, body } = data as MaybeUnread;
    if (typeof destroy === 'function') destroy.call(data);
    else if (typeof cancel === 'function') cancel.call(data).catch(() => {});
    else if (typeof body?.cancel === 'function') release(body);
  } catch {
    // Already read, or somebody reads it: then it needs no help.
  }
}
