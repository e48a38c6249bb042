import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AxiosRequestConfig } from 'axios';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run a script beside this one with Node; the packages are the built ones, as a program gets them. */
export function runChild(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run([fileURLToPath(new URL(script, import.meta.url)), ...args], env);
}

/** Run a piece of code as a module of this package. */
export function runCode(code: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  return run(['--input-type=module', '--eval', code], env);
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  // Without the options of the test runner: sources and built packages are not to mix.
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return new Promise((ended) => {
    const child = execFile(process.execPath, args, { cwd, env: { ...rest, ...env } }, (_error, stdout, stderr) =>
      ended({ code: child.exitCode, stdout, stderr }),
    );
  });
}

/** One request in a process that trusts a certificate: fetch takes no other way. */
export async function requestTrusting(cert: string, config: AxiosRequestConfig): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), 'faultmap-'));
  try {
    const file = join(folder, 'cert.pem');
    await writeFile(file, cert);
    const { stdout } = await runChild('request-in-child.mjs', [JSON.stringify(config)], { NODE_EXTRA_CA_CERTS: file });
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}
