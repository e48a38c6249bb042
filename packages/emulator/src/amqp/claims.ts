import type { Principal } from '../auth.ts';
import type { Clock } from '../state/clock.ts';
import { type Identity, keyOf } from '../state/identity.ts';
import { identityOf, type Place } from './address.ts';

/** What a connection may do: the principals its tokens stand for, until each expires. */
export class Claims {
  readonly #clock: Clock;
  readonly #held = new Map<string, { principal: Principal; cancel: () => void }>();
  readonly #onExpired: (principal: Principal) => void;

  constructor(clock: Clock, onExpired: (principal: Principal) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  /** Take a valid token's principal; a newer token of the same one replaces the older. */
  add(principal: Principal): void {
    const key = nameOf(principal);
    this.#held.get(key)?.cancel();
    const leftMs = principal.expiresAt - this.#clock.now();
    const cancel = Number.isFinite(leftMs)
      ? this.#clock.after(Math.max(0, leftMs), () => {
          this.#held.delete(key);
          this.#onExpired(principal);
        })
      : () => {};
    this.#held.set(key, { principal, cancel });
  }

  /** May links to this place be opened? */
  allow(place: Place): boolean {
    if (place.kind === 'cbs') return true;
    const principals = [...this.#held.values()].map((one) => one.principal);
    if ('deviceId' in place) return principals.some((one) => speaksFor(one, place));
    if (place.kind === 'registration') {
      return principals.some((one) => one.kind === 'registration' && one.registrationId === place.registrationId);
    }
    return principals.some((one) => one.kind === 'service' && one.policy.rights.includes('service'));
  }

  clear(): void {
    for (const { cancel } of this.#held.values()) cancel();
    this.#held.clear();
  }
}

function speaksFor(principal: Principal, identity: Identity): boolean {
  if (principal.kind === 'service') return principal.policy.rights.includes('device');
  return principal.kind === 'device' && keyOf(principal.identity) === keyOf(identityOf(identity));
}

function nameOf(principal: Principal): string {
  if (principal.kind === 'device') return `device ${keyOf(principal.identity)}`;
  return principal.kind === 'service' ? `policy ${principal.policy.name}` : `registration ${principal.registrationId}`;
}
