import type { MqttClient } from 'mqtt';
import { undeclared } from './client.ts';

/**
 * Hold back what mqtt.js sends again after this CONNACK until a promise says so. New calls wait behind it,
 * as behind any re-sending. Not where there are no streams of node.
 *
 * @param ready - resolves to `false` when the connection is gone: nothing is sent
 * @returns takes it off, where mqtt.js did not ask for its store; `undefined`: nothing can be held
 */
export function holdStore(client: MqttClient, ready: Promise<boolean>): (() => void) | undefined {
  const store = client.outgoingStore;
  const stream = globalThis.process?.getBuiltinModule?.('node:stream');
  if (!stream || typeof store?.createStream !== 'function') return undefined;
  const before = Object.getOwnPropertyDescriptor(store, 'createStream');
  const { createStream } = store;
  const held = () => {
    restore();
    undeclared(client)._storeProcessing = true;
    const through = new stream.PassThrough({ objectMode: true });
    void ready.then((is) => {
      if (!is || through.destroyed) return;
      const stored = createStream.call(store);
      stored.on('error', (error: Error) => through.destroy(error));
      through.once('close', () => stored.destroy());
      stored.pipe(through);
    });
    return through as unknown as ReturnType<typeof createStream>;
  };
  const restore = () => {
    if (Object.getOwnPropertyDescriptor(store, 'createStream')?.value !== held) return;
    if (before) Object.defineProperty(store, 'createStream', before);
    else Reflect.deleteProperty(store, 'createStream');
  };
  Object.defineProperty(store, 'createStream', { value: held, configurable: true, writable: true });
  return restore;
}
