import type { AnyDeviceCloudError, Clock } from '@faultmap/core';
import { createCredentials } from '@faultmap/core/adapter';
import type { AxiosHeaders } from 'axios';
import type { MarkedConfig } from './adapter.ts';
import { headerOf } from './idempotency.ts';
import type { AttachHttpOptions } from './options.ts';
import { originOf } from './pacer-key.ts';

/** Headers to send instead of those that were refused, for instance `{ Authorization: … }`. */
export type HttpCredentials = Readonly<Record<string, string>>;

/** Servers, and values that were refused by one, that are remembered; the oldest go first. */
const MAX_REMEMBERED = 32;

type Refusal = {
  readonly error: AnyDeviceCloudError;
  readonly attempt: number;
  readonly signal?: AbortSignal | undefined;
};

/** What is known of one server. */
interface Known {
  /** The headers that were given last, by the names they were given under. */
  readonly fresh: ReadonlyMap<string, string>;
  /** The values that were refused in their place, as they were sent together. */
  readonly refused: Set<string>;
  accepted: boolean;
}

/**
 * Fresh headers, asked for after a refusal and remembered per server: a request that carries what
 * was refused there before gets what was accepted there since. Nothing of it is visible from outside.
 */
export class FreshHeaders {
  readonly #ask: (refusal: Refusal) => Promise<HttpCredentials | undefined>;
  readonly #known = new Map<string, Known>();

  constructor(provider: NonNullable<AttachHttpOptions['credentials']>, clock: Clock | undefined) {
    const gate = createCredentials(provider, { clock });
    this.#ask = (refusal) => gate.refresh(refusal);
  }

  /** Before a request is sent: not with what is known to be refused. */
  replace(config: MarkedConfig): void {
    if (this.#known.size === 0) return;
    const known = this.#known.get(originOf(config));
    if (known?.accepted && known.refused.has(valuesOf(config, known.fresh.keys()))) lay(config, known.fresh);
  }

  /**
   * After a refusal: headers that differ from the refused ones, of the provider where none are known.
   *
   * @returns are there any? What it returns is to be told whether they were accepted
   * @throws TypeError when what the provider gave are no headers; a typed error when it fails
   */
  async renew(config: MarkedConfig, refusal: Refusal): Promise<((accepted: boolean) => void) | undefined> {
    const origin = originOf(config);
    const met = this.#known.get(origin);
    const known = met && this.#isStale(config, met) ? met : this.#note(config, origin, await this.#ask(refusal));
    if (known === undefined) return undefined;
    lay(config, known.fresh);
    return (accepted) => {
      if (accepted) known.accepted = true;
      // Refused at once: the next one asks again.
      else if (this.#known.get(origin) === known) this.#known.delete(origin);
    };
  }

  forget(): void {
    this.#known.clear();
  }

  /** Was it refused for what others were refused for, who know better by now? */
  #isStale(config: MarkedConfig, known: Known): boolean {
    const sent = valuesOf(config, known.fresh.keys());
    return sent !== joined(known.fresh.values()) && known.refused.has(sent);
  }

  #note(config: MarkedConfig, origin: string, given: HttpCredentials | undefined): Known | undefined {
    const fresh = checked(given);
    const names = [...fresh.keys()];
    const sent = valuesOf(config, names);
    if (sent === joined(fresh.values())) return undefined;
    const before = this.#known.get(origin);
    // Of those who asked together, the first has noted it already.
    if (before && sameAs(before.fresh, fresh)) {
      remember(before.refused, sent);
      return before;
    }
    // What was refused before it is so still, where the same headers are given.
    const refused = before && joined(before.fresh.keys()) === joined(names) ? before.refused : new Set<string>();
    remember(refused, sent);
    const known = { fresh, refused, accepted: false };
    this.#known.delete(origin);
    this.#known.set(origin, known);
    dropOldest(this.#known);
    return known;
  }
}

function remember(refused: Set<string>, sent: string): void {
  refused.delete(sent);
  refused.add(sent);
  dropOldest(refused);
}

function dropOldest(of: Set<string> | Map<string, unknown>): void {
  if (of.size <= MAX_REMEMBERED) return;
  for (const oldest of of.keys()) {
    of.delete(oldest);
    return;
  }
}

function checked(given: HttpCredentials | undefined): Map<string, string> {
  const fresh = new Map<string, string>();
  // A token alone would be spread into headers, letter by letter.
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given)))
    throw refused('an object of headers', given);
  for (const [name, value] of Object.entries<unknown>(given ?? {})) {
    if (value === undefined) continue;
    if (typeof value !== 'string') throw refused(`a string as header ${JSON.stringify(name)}`, value);
    fresh.set(name, value);
  }
  return fresh;
}

/** Only of what type it was: it may be a secret. */
function refused(expected: string, given: unknown): TypeError {
  const got = given === null ? 'null' : Array.isArray(given) ? 'an array' : `a ${typeof given}`;
  return new TypeError(`attachHttp: option credentials: expected it to give ${expected}, got ${got}`);
}

function lay(config: MarkedConfig, fresh: ReadonlyMap<string, string>): void {
  for (const [name, value] of fresh) {
    (config.headers as AxiosHeaders).set(name, value);
    // axios would write its own Authorization over this one
    if (name.toLowerCase() === 'authorization') delete config.auth;
  }
}

/** What a request sends under these names, as one text to compare. */
function valuesOf(config: MarkedConfig, names: Iterable<string>): string {
  return joined([...names].map((name) => basicOf(config, name) ?? headerOf(config, name)));
}

/** axios writes the Authorization itself, over any other. */
function basicOf({ auth }: MarkedConfig, name: string): string | undefined {
  return auth && name.toLowerCase() === 'authorization' ? joined([auth.username, auth.password]) : undefined;
}

function joined(values: Iterable<string | undefined>): string {
  return JSON.stringify(Array.from(values, (value) => value ?? null));
}

function sameAs(known: ReadonlyMap<string, string>, given: ReadonlyMap<string, string>): boolean {
  return joined(known.keys()) === joined(given.keys()) && joined(known.values()) === joined(given.values());
}
