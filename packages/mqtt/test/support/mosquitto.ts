/* A mosquitto of the test's own: free port, configuration in a folder that goes away. */
import { type ChildProcess, spawn } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { accepts, freePort } from '../../../../test/support/ports.ts';

const PLACES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'];

export const mosquittoPath = PLACES.find((path) => existsSync(path));

export interface Mosquitto {
  readonly port: number;
  readonly url: string;
  /** Stop it and start it again, on the same port. */
  restart(): Promise<void>;
  /** Hold it: connections stay, nothing is answered. */
  freeze(): void;
  stop(): Promise<void>;
}

export interface MosquittoOptions {
  /** Names and passwords; none: everybody may connect. */
  readonly users?: Readonly<Record<string, string>>;
  /** Lines of an access list. */
  readonly acl?: readonly string[];
  /** Further lines of the configuration. */
  readonly more?: readonly string[];
}

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), 'faultmap-mosquitto-'));
  const port = await freePort();
  const file = (name: string, lines: readonly string[]) => {
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`, { mode: 0o600 });
    return join(folder, name);
  };
  const config = file('mosquitto.conf', [
    `listener ${port} 127.0.0.1`,
    // As root it would become a user who cannot read the folder.
    'user root',
    `allow_anonymous ${options.users ? 'false' : 'true'}`,
    ...(options.users ? [`password_file ${file('passwords', Object.entries(options.users).map(entry))}`] : []),
    ...(options.more ?? []),
    ...(options.acl ? [`acl_file ${file('acl', options.acl)}`] : []),
  ]);
  let child = await launch(config, port);
  // However the tests end, it does not outlive them.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    restart: async () => {
      await end(child);
      child = await launch(config, port);
    },
    freeze: () => void child.kill('SIGSTOP'),
    stop: async () => {
      child.kill('SIGCONT');
      await end(child);
      process.off('exit', kill);
      rmSync(folder, { recursive: true });
    },
  };
}

async function launch(config: string, port: number): Promise<ChildProcess> {
  const child = spawn(mosquittoPath as string, ['-c', config], { stdio: 'ignore' });
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}`);
    if (await accepts(port)) return child;
    await after(10);
  }
  child.kill('SIGKILL');
  throw new Error('mosquitto did not start within 4 s');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(late);
}

/** `user:$7$iterations$salt$hash`, as mosquitto_passwd writes it. */
function entry([user, password]: readonly [string, string]): string {
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512');
  return `${user}:$7$101$${salt.toString('base64')}$${hash.toString('base64')}`;
}
