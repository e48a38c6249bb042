// What must never be seen in an error or a log: one marker for each place a secret is given.
export const SECRETS = {
  signature: 'c2lnbmF0dXJlLW9mLXNhcw',
  header: 'aGVhZGVyLXRva2Vu',
  apiKey: 'YXBpLWtleS1oZWFkZXI',
  body: 'cGFzc3dvcmQtaW4tYm9keQ',
  password: 'YmFzaWMtcGFzc3dvcmQ',
  params: 'cGFyYW1ldGVyLXNlY3JldA',
  proxy: 'cHJveHktcGFzc3dvcmQ',
};

/** A config with all of them in it. */
export function secretConfig(url) {
  const sas = `SharedAccessSignature sr=hub&sig=${SECRETS.signature}&se=1700000000`;
  return {
    url: `${url}/devices/dev-1?sig=${SECRETS.signature}&sr=hub`,
    method: 'put',
    params: { token: SECRETS.params },
    headers: { Authorization: sas, 'x-auth': `Bearer ${SECRETS.header}`, 'x-api-key': SECRETS.apiKey },
    data: { authentication: { symmetricKey: { primaryKey: SECRETS.body } } },
    faultmap: { retry: false, operation: 'registry.put' },
  };
}

export function secretsIn(text) {
  return Object.entries(SECRETS)
    .filter(([, secret]) => text.includes(secret) || text.includes(encodeURIComponent(secret)))
    .map(([name]) => name);
}
