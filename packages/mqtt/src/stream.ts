import type { Duplex } from 'node:stream';
import type { MqttClient } from 'mqtt';
import { undeclared } from './client.ts';

/**
 * mqtt.js makes the socket of a reconnect in a timer, where an exception (a certificate that cannot be
 * read, a port that is none) ends the process. Here it becomes a stream that fails with it, and so a
 * fault like any other.
 *
 * @returns takes it off again
 */
export function catchStreamBuilder(client: MqttClient): () => void {
  const slot = undeclared(client);
  const { streamBuilder } = slot;
  const Stream = globalThis.process?.getBuiltinModule?.('node:stream').Duplex;
  if (typeof streamBuilder !== 'function' || !Stream) return () => {};
  const caught = (of: MqttClient): Duplex => {
    try {
      return streamBuilder(of);
    } catch (thrown) {
      return new Stream({ read() {}, write: (_chunk, _encoding, done) => done() }).destroy(
        thrown instanceof Error ? thrown : new Error(String(thrown)),
      );
    }
  };
  slot.streamBuilder = caught;
  return () => {
    if (slot.streamBuilder === caught) slot.streamBuilder = streamBuilder;
  };
}
