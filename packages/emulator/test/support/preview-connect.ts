import { createHmac } from 'node:crypto';

export interface PreviewConnect {
  readonly clientId?: string;
  /** When the signature expires, in ms since the epoch. Default: in a minute. */
  readonly expiry?: number;
  /** Sign as this policy instead of as the device. */
  readonly policy?: string;
}

const HOST = 'hub.example';

/** Properties of a proof by SAS, as the preview's page has them: five lines are signed. */
export function sasProof(key: string, { clientId = 'device1', expiry = Date.now() + 60_000, policy }: PreviewConnect) {
  const at = String(Date.now());
  const signed = `${HOST}\n${clientId}\n${policy ?? ''}\n${at}\n${expiry}\n`;
  return {
    authenticationMethod: 'SAS',
    authenticationData: createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest(),
    userProperties: {
      host: HOST,
      'sas-at': at,
      'sas-expiry': String(expiry),
      ...(policy === undefined ? {} : { 'sas-policy': policy }),
    },
  };
}

/** CONNECT of the preview: no user name, the signature is the Authentication Data. */
export function previewConnect(key: string, options: PreviewConnect = {}) {
  const { clientId = 'device1' } = options;
  const protocolVersion = 5 as const;
  return { protocolVersion, clientId, username: '', password: '', properties: sasProof(key, options) };
}
