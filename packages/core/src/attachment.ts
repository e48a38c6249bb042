import { optionError, rules } from './options.ts';

/** What is kept on a client that is attached to, under a registered symbol: found across copies of the package. */
interface Mark<H> {
  readonly handle: H;
  readonly options: unknown;
}

/**
 * Attach once: a second attach with the same options returns the first handle.
 *
 * @param target - the client
 * @param adapter - name of the adapter, for instance `http`; messages say `attachHttp`
 * @param options - as the user gave them, compared by content (functions and class instances by identity)
 * @param create - wires the client; gets `release`, to be called by `detach`
 * @returns what `create` gave, now or at the first call
 * @throws TypeError when it is no object, or attached already with other options
 */
export function attachOnce<H>(
  target: object,
  adapter: string,
  options: unknown,
  create: (release: () => void) => H,
): H {
  const key = Symbol.for(`faultmap.attached.${adapter}`);
  if (!rules.object.ok(target) && !rules.function.ok(target)) {
    const owner = `attach${adapter[0]?.toUpperCase()}${adapter.slice(1)}`;
    throw optionError(owner, 'client', 'an object', target);
  }
  const there = (target as Record<symbol, Mark<H> | undefined>)[key];
  if (there) {
    if (same(there.options, options)) return there.handle;
    throw new TypeError(
      `attach${adapter[0]?.toUpperCase()}${adapter.slice(1)}: this client is attached already, with other options: detach() the first handle, or attach with the same options`,
    );
  }
  const handle = create(() => Reflect.deleteProperty(target, key));
  Object.defineProperty(target, key, { value: { handle, options }, configurable: true });
  return handle;
}

/** Equal by content, functions and class instances by identity. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isPlain(a ?? {}) || !isPlain(b ?? {})) return false;
  const left = (a ?? {}) as Record<string, unknown>;
  const right = (b ?? {}) as Record<string, unknown>;
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].every((name) => same(left[name], right[name]));
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}
