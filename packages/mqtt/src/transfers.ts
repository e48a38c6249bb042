import type { Operations } from './operations.ts';
import type { SubscribeGate } from './subscribe-gate.ts';
import type { wrapMethods } from './wrap.ts';

/** Publish and subscribe for requests: under the limits of the attachment, like those of the program. */
export function transfersOver(operations: Operations, gate: SubscribeGate, methods: ReturnType<typeof wrapMethods>) {
  return {
    publish: (topic: string, payload: Buffer, how: object, done: (error: unknown) => void) => {
      operations.call('publish', methods.publish, [topic, payload, how, done], 'request');
      return () => operations.callOff(done);
    },
    subscribe: (filter: string) =>
      new Promise<void>((resolve, reject) => {
        // Also where mqtt.js thinks it is subscribed: after a reconnect it may not be yet.
        const again = { [filter]: { qos: 0 }, resubscribe: true };
        const done = (error: unknown) => (error ? reject(error) : resolve());
        gate.call(methods.subscribe, [again, done], 'request');
      }),
  };
}
