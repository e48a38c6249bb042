import type { MqttClient } from 'mqtt';
import { levelOf, undeclared } from './client.ts';

/** At most so many SUBSCRIBEs, one after the other, before a connection goes on: each is a round trip. */
const MOST_GROUPS = 16;

/**
 * Finds the subscription that a server closes at. mqtt.js subscribes to all it remembers at once, so that
 * it may take some connections, each with smaller groups, to find the one.
 */
export class SuspectFilters {
  readonly #client: MqttClient;
  readonly #limit: number;
  /** Connections in a row that closed on it alone, by filter. */
  #closes = new Map<string, number>();

  /** @param limit - so many closes in a row convict */
  constructor(client: MqttClient, limit: number) {
    this.#client = client;
    this.#limit = limit;
  }

  /** Groups to be tried one after the other on a new connection: what mqtt.js would subscribe to again. */
  groups(sessionPresent: boolean): string[][] {
    const { clean, resubscribe } = this.#client.options;
    const subscribesAgain = resubscribe && (clean || (levelOf(this.#client) >= 4 && !sessionPresent));
    const filters = subscribesAgain ? [...this.#closes.keys()].filter((one) => this.#isRemembered(one)) : [];
    const size = Math.ceil(filters.length / MOST_GROUPS);
    return Array.from({ length: size && Math.ceil(filters.length / size) }, (_, at) =>
      filters.slice(at * size, (at + 1) * size),
    );
  }

  /** They were acknowledged, or the connection that they were written to closed for another reason. */
  cleared(filters: readonly string[]): void {
    for (const filter of filters) this.#closes.delete(filter);
  }

  /**
   * The connection closed just after these were written.
   *
   * @param only - nothing else can be to blame
   * @returns the one to take back, as this connection was one too many
   */
  closedOn(filters: readonly string[], only: boolean): { filter: string; closes: number } | undefined {
    if (!only) {
      for (const one of filters) if (this.#isRemembered(one)) this.#closes.set(one, this.#closes.get(one) ?? 0);
      return undefined;
    }
    this.#closes = new Map(filters.map((one) => [one, this.#closes.get(one) ?? 0]));
    const [filter] = filters;
    if (filter === undefined || filters.length > 1) return undefined;
    const closes = (this.#closes.get(filter) ?? 0) + 1;
    if (closes < this.#limit) this.#closes.set(filter, closes);
    else this.#closes.delete(filter);
    return closes < this.#limit ? undefined : { filter, closes };
  }

  #isRemembered(filter: string): boolean {
    return Object.hasOwn(undeclared(this.#client)._resubscribeTopics ?? {}, filter);
  }
}
