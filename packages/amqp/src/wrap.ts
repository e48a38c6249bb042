type Method = (this: unknown, ...args: never[]) => unknown;

/**
 * Put a method of ours in front of an object's own or inherited one, as an own property. Returns
 * what takes it off again: the object is then as before (an inherited method stays inherited).
 * When somebody else wrapped ours meanwhile, theirs stays and ours only passes through.
 */
export function wrapMethod<T extends object, K extends keyof T & string>(
  target: T,
  name: K,
  make: (original: T[K]) => T[K],
): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  const original = target[name] as T[K] & Method;
  const ours = make(original) as T[K] & Method;
  let active = true;
  const front = function (this: unknown, ...args: never[]): unknown {
    return (active ? ours : original).apply(this, args);
  };
  Object.defineProperty(target, name, { value: front, configurable: true, writable: true, enumerable: false });
  return () => {
    active = false;
    if (target[name] !== (front as unknown)) return;
    if (before) Object.defineProperty(target, name, before);
    else Reflect.deleteProperty(target, name);
  };
}

/** Run code of ours inside the library's flow: whatever it throws stays here and becomes a warning. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (thrown) {
    const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    process.emitWarning(`@faultmap/amqp: ${text}`, { type: 'FaultmapWarning', code: 'FAULTMAP_AMQP' });
  }
}
