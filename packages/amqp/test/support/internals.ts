import rhea, { type Session } from 'rhea';

/** What rhea's typings leave out of a session. */
export function insideOf(session: Session): {
  incoming: { readonly window: number };
  links: Record<string, object>;
  outgoing: { deliveries: { size: number } };
} {
  return session as never;
}

/** States of a delivery, as rhea writes them on the wire. */
export const outcome = rhea.message as unknown as {
  accepted(): { described(): object };
  released(): { described(): object };
  rejected(fields: { error: object }): { described(): object };
};
