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
    const { stdout } = await run(process.execPath, args, { timeout: 15_000 });
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

describe('nobody listens', () => {
  it.each(CASES)(
    '%s: the process does what it did without us; with keepAlive it lives',
    async (kind, serve, fate, fault) => {
      const { port } = await serve();
      const [bare, attached, kept] = await Promise.all([
        child(port, 'bare', kind),
        child(port, 'attached', kind),
        child(port, 'keepAlive', kind),
      ]);
      expect(bare.alive).toBe(fate === 'lives');
      expect(attached.alive).toBe(bare.alive);
      expect(kept).toEqual({ alive: true, said: [fault] });
      if (attached.alive) expect(attached.said).toEqual([fault]);
    },
  );

  it('only an error listener on the connection: a link error drops the connection, as without us', async () => {
    const { port } = await startPeer(
      {},
      onSession(({ receiver }) => receiver?.close(refused)),
    );
    const [bare, attached, kept] = await Promise.all([
      child(port, 'bare', 'error-listener'),
      child(port, 'attached', 'error-listener'),
      child(port, 'keepAlive', 'error-listener'),
    ]);
    expect(bare).toEqual({ alive: true, said: ['error heard'] });
    expect(attached).toEqual({ alive: true, said: ['fault link unauthorized', 'error heard'] });
    expect(kept).toEqual({ alive: true, said: ['fault link unauthorized'] });
  });

  it('an exception of a listener of the application ends the process, keepAlive or not', async () => {
    const { port } = await startPeer();
    const [bare, kept] = await Promise.all([
      child(port, 'bare', 'listener-throws'),
      child(port, 'keepAlive', 'listener-throws'),
    ]);
    expect(bare.alive).toBe(false);
    expect(kept.alive).toBe(false);
  });
});
