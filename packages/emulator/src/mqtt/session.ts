import type { Channel } from './topics.ts';

/** What outlives a connection of a client that asked for it: its subscriptions. */
export class Session {
  /** Channel and granted QoS by filter. */
  readonly subscriptions = new Map<string, { readonly channel: Channel; readonly qos: 0 | 1 }>();

  /** Granted QoS of a channel; nothing when it is not subscribed to. */
  qosOf(channel: Channel): 0 | 1 | undefined {
    let qos: 0 | 1 | undefined;
    for (const one of this.subscriptions.values()) {
      if (one.channel === channel && (qos === undefined || one.qos > qos)) qos = one.qos;
    }
    return qos;
  }
}

/** Sessions by client: one per device or module, so bounded by the identities. */
export class Sessions {
  readonly #kept = new Map<string, Session>();

  /** The session to go on with, and whether it was there [MQTT-3.1.2-4, MQTT-3.1.2-6]. */
  open(key: string, clean: boolean): { session: Session; present: boolean } {
    const old = clean ? undefined : this.#kept.get(key);
    const session = old ?? new Session();
    if (clean) this.#kept.delete(key);
    else this.#kept.set(key, session);
    return { session, present: old !== undefined };
  }

  drop(key: string): void {
    this.#kept.delete(key);
  }
}
