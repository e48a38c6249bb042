import type { MqttClient } from 'mqtt';

type Method = (...args: never[]) => unknown;
export type Verb = 'publish' | 'subscribe' | 'unsubscribe';

export interface WrapHooks {
  readonly call: (verb: Verb, original: Method, args: readonly unknown[]) => unknown;
  /** The program ended a client that has no connection: no event will tell. */
  readonly ended: () => void;
}

/**
 * Own properties of this one client, over its methods: the Async forms and mqtt.js' own re-subscribing
 * go through them too. Where somebody else wrapped them after us, `restore` leaves theirs alone.
 */
export function wrapMethods(client: MqttClient, { call, ended }: WrapHooks) {
  const { publish, subscribe, unsubscribe, end } = client as unknown as Record<Verb | 'end', Method>;
  const undo = [
    replace(client, 'publish', (...args) => call('publish', publish, args)),
    replace(client, 'subscribe', (...args) => call('subscribe', subscribe, args)),
    replace(client, 'unsubscribe', (...args) => call('unsubscribe', unsubscribe, args)),
    replace(client, 'end', (...args) => {
      const given = (end as (...args: unknown[]) => unknown).apply(client, args);
      if (!client.connected) ended();
      return given;
    }),
  ];
  return { publish, subscribe, unsubscribe, restore: () => undo.forEach((one) => void one()) };
}

function replace(client: MqttClient, name: string, value: (...args: unknown[]) => unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(client, name);
  Object.defineProperty(client, name, { value, configurable: true, writable: true, enumerable: false });
  return () => {
    if (Object.getOwnPropertyDescriptor(client, name)?.value !== value) return;
    if (before) Object.defineProperty(client, name, before);
    else Reflect.deleteProperty(client, name);
  };
}
