import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Container } from 'rhea';
import { beforeAll, describe, expect, it } from 'vitest';
import { OPEN, speak } from './support/frames.ts';
import { startPeer, startRaw } from './support/server.ts';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../../..');

// The child runs the built package, as a user's program does.
beforeAll(async () => {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  await run(process.execPath, [join(dirname(typescript), 'bin/tsc'), '-b', 'packages/amqp'], { cwd: root });
}, 60_000);

async function child(port: number, mode: 'bare' | 'attached' | 'keepAlive', kind: string) {
  const args = [join(here, 'support/crash-child.mjs'), String(port), mode, kind];
  try {
    const { stdout } = await run(process.execPath, args, { timeout: 50_000 });
    return { alive: stdout.includes('alive'), said: stdout.split('\n').filter((line) => /^(fault|error)/.test(line)) };
  } catch (failed) {
    const { code, stdout } = failed as { code: number; stdout: string };
    return { alive: false, code, said: stdout.split('\n').filter((line) => /^(fault|error)/.test(line)) };
  }
}

const onSession = (act: (context: import('rhea').EventContext) => void) => (container: Container) => {
  container.on('receiver_open', (context) => act(context));
};
const refused = { condition: 'amqp:unauthorized-access', description: 'no' };

/** What happens, whether it ends a process that does not listen, and the one fault of it. */
const CASES: [string, () => Promise<{ port: number }>, 'dies' | 'lives', string][] = [
  [
    'fatal-close',
    () =>
      startPeer(
        {},
        onSession(({ connection }) => connection.close(refused)),
      ),
    'dies',
    'fault connection unauthorized',
  ],
  [
    'session-error',
    () =>
      startPeer(
        {},
        onSession(({ session }) => session?.close(refused)),
      ),
    'dies',
    'fault session unauthorized',
  ],
  [
    'link-error',
    () =>
      startPeer(
        {},
        onSession(({ receiver }) => receiver?.close(refused)),
      ),
    'dies',
    'fault link unauthorized',
  ],
  ['sasl', () => startPeer({ plain: () => false }), 'dies', 'fault connection unauthorized'],
  [
    'undecodable',
    () => startRaw((socket: Socket) => speak(socket, [OPEN, Buffer.from('0000000c020000000053100f', 'hex')])),
    'dies',
    'fault connection protocol',
  ],
  [
    'forced-close',
    () =>
      startPeer(
        {},
        onSession(({ connection }) => connection.close({ condition: 'amqp:connection:forced' })),
      ),
    'lives',
    'fault connection server',
  ],
  ['fin', () => startRaw((socket) => socket.end()), 'lives', 'fault connection network'],
  ['http', () => startRaw((socket) => socket.end('HTTP/1.1 400\r\n\r\n')), 'lives', 'fault connection protocol'],
];

/** What the application itself has part in. */
const OTHERS: [string, () => Promise<{ port: number }>][] = [
  [
    'error-listener',
    () =>
      startPeer(
        {},
        onSession(({ receiver }) => receiver?.close(refused)),
      ),
  ],
  ['listener-throws', () => startPeer()],
];

const MODES = ['bare', 'attached', 'keepAlive'] as const;
type Fates = Record<(typeof MODES)[number], Awaited<ReturnType<typeof child>>>;

/** What becomes of a process in each mode. */
async function fatesOf(kind: string, serve: () => Promise<{ port: number }>): Promise<Fates> {
  const { port } = await serve();
  const fates = await Promise.all(MODES.map(async (mode) => [mode, await child(port, mode, kind)] as const));
  return Object.fromEntries(fates) as Fates;
}

describe('nobody listens', () => {
  const fates = new Map<string, Fates>();
  // A few at a time: starting a process is what takes the time, and each is to be quick enough.
  beforeAll(async () => {
    const cases = [...CASES.map(([kind, serve]) => [kind, serve] as const), ...OTHERS];
    while (cases.length > 0)
      await Promise.all(cases.splice(0, 3).map(async ([kind, serve]) => fates.set(kind, await fatesOf(kind, serve))));
  }, 240_000);
  const fateOf = (kind: string) => fates.get(kind) as Fates;

  it.each(CASES)(
    '%s: the process does what it did without us; with keepAlive it lives',
    (kind, _serve, fate, fault) => {
      const { bare, attached, keepAlive } = fateOf(kind);
      expect(bare.alive).toBe(fate === 'lives');
      expect(attached.alive).toBe(bare.alive);
      expect(keepAlive).toEqual({ alive: true, said: [fault] });
      if (attached.alive) expect(attached.said).toEqual([fault]);
    },
  );

  it('only an error listener on the connection: a link error drops the connection, as without us', () => {
    const { bare, attached, keepAlive } = fateOf('error-listener');
    // Alone rhea connects again and again, and hears it each time.
    expect(bare).toMatchObject({ alive: true, said: expect.arrayContaining(['error heard']) });
    expect(attached).toEqual({ alive: true, said: ['fault link unauthorized', 'error heard'] });
    expect(keepAlive).toEqual({ alive: true, said: ['fault link unauthorized'] });
  });

  it('an exception of a listener of the application ends the process, keepAlive or not', () => {
    const { bare, attached, keepAlive } = fateOf('listener-throws');
    expect([bare.alive, attached.alive, keepAlive.alive]).toEqual([false, false, false]);
  });
});
