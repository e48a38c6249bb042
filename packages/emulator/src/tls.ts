import { isIP } from 'node:net';
import { generate } from 'selfsigned';

export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  /** Certificate of the authority that signed it: what clients are to trust. */
  readonly ca: string;
}

export interface TlsOptions {
  /** Names and addresses of the certificate besides `localhost` and `127.0.0.1`. */
  readonly hosts?: readonly string[] | undefined;
}

const DAY_MS = 86_400_000;

/** Make an authority and a certificate signed by it, for this run of the emulator only. */
export async function makeCertificates(host: string, options: TlsOptions = {}): Promise<TlsMaterial> {
  // A day back: a client whose clock is a little behind still accepts them.
  const notBeforeDate = new Date(Date.now() - DAY_MS);
  const notAfterDate = new Date(Date.now() + 30 * DAY_MS);
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', notBeforeDate, notAfterDate } as const;
  const authority = await generate([{ name: 'commonName', value: 'faultmap emulator CA' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    ],
  });
  const names = [...new Set(['localhost', '127.0.0.1', host, ...(options.hosts ?? [])])];
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
      },
    ],
  });
  return { key: server.private, cert: server.cert, ca: authority.cert };
}
