/** A device, or a module of one. */
export interface Identity {
  readonly deviceId: string;
  readonly moduleId?: string | undefined;
}

/** One string for an identity: `device` or `device/module` (neither name may hold a slash). */
export function keyOf(identity: Identity): string {
  return identity.moduleId === undefined ? identity.deviceId : `${identity.deviceId}/${identity.moduleId}`;
}

/** The identity of a key made by {@link keyOf}. */
export function identityOf(key: string): Identity {
  const slash = key.indexOf('/');
  return slash < 0 ? { deviceId: key } : { deviceId: key.slice(0, slash), moduleId: key.slice(slash + 1) };
}

// Up to 128 of the characters a device id may hold (devguide-identity-registry).
const VALID = /^[A-Za-z0-9\-.%_#*?!(),:=@$']{1,128}$/;

export function isValidId(id: string): boolean {
  return VALID.test(id);
}
