/* Certificates made on the spot with the openssl command; nothing secret lies in the repository. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  readonly key: string;
  readonly cert: string;
}

export interface Certificates {
  readonly ca: string;
  /** For 127.0.0.1 and localhost, signed by `ca`. */
  readonly good: Pair;
  readonly selfSigned: Pair;
  readonly expired: Pair;
  readonly otherHost: Pair;
}

const CONFIG = (dir: string) => `
[ca]
default_ca = main
[main]
database = ${dir}/index.txt
serial = ${dir}/serial
new_certs_dir = ${dir}
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
`;

/** `undefined` where there is no openssl. */
export function makeCertificates(): Certificates | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'faultmap-tls-'));
  try {
    return issueAll(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function issueAll(dir: string): Certificates {
  const config = join(dir, 'openssl.cnf');
  mkdirSync(dir, { recursive: true });
  writeFileSync(config, CONFIG(dir));
  writeFileSync(join(dir, 'index.txt'), '');
  writeFileSync(join(dir, 'serial'), '01');
  const file = (name: string) => join(dir, name);
  const read = (name: string) => readFileSync(file(name), 'utf8');
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', config];
  const self = (name: string, subject: string) => {
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
    openssl('req', '-x509', ...key, ...out, '-days', '2', '-subj', `/CN=${subject}`);
  };
  const signed = (name: string, names: string, from: string, to: string): Pair => {
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.csr`)];
    openssl('req', '-new', ...key, ...out, '-subj', '/CN=peer', '-addext', `subjectAltName=${names}`);
    const by = ['-cert', file('ca.crt'), '-keyfile', file('ca.key')];
    const dates = ['-startdate', from, '-enddate', to];
    openssl(
      'ca',
      '-batch',
      '-config',
      config,
      ...by,
      ...dates,
      '-in',
      file(`${name}.csr`),
      '-out',
      file(`${name}.crt`),
    );
    return { key: read(`${name}.key`), cert: read(`${name}.crt`) };
  };
  const here = 'IP:127.0.0.1,DNS:localhost';
  self('ca', 'test-ca');
  self('self', 'localhost');
  return {
    ca: read('ca.crt'),
    selfSigned: { key: read('self.key'), cert: read('self.crt') },
    good: signed('good', here, '20200101000000Z', '20491231000000Z'),
    expired: signed('expired', here, '20200101000000Z', '20200102000000Z'),
    otherHost: signed('other', 'DNS:elsewhere.example', '20200101000000Z', '20491231000000Z'),
  };
}
