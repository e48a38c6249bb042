import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../src/index.ts';
import { eventually } from './support/eventually.ts';

const PYTHON = '/usr/bin/python3';

const installed = (() => {
  try {
    execFileSync(PYTHON, ['-c', 'import proton'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
if (!installed) console.log('skipped, not installed: qpid-proton (python3-qpid-proton)');

let emulator: Emulator;

beforeEach(async () => {
  emulator = await startEmulator();
});

afterEach(() => emulator.stop());

describe.skipIf(!installed)('qpid-proton, an engine of its own', () => {
  it.each(['bare', 'sasl'])('authenticates, sends, receives and hears refusals (%s)', async (layer) => {
    emulator.state.sendToDevice('device1', { messageId: 'c', properties: { a: 'b' }, body: Buffer.from('down') });
    const script = join(import.meta.dirname, 'support/proton-client.py');
    const run = promisify(execFile);
    const { stdout } = await run(PYTHON, [script, emulator.amqpUrl, emulator.deviceToken('device1'), layer], {
      timeout: 50_000,
    });
    const seen = JSON.parse(stdout) as unknown[];
    expect(seen[0]).toEqual(['cbs', 200]);
    expect(seen).toEqual(
      expect.arrayContaining([
        ['accepted', '$cbs'],
        ['message', 'c', { a: 'b' }, 'down'],
        ['accepted', '/devices/device1/messages/events'],
        ['rejected', 'amqp:link:message-size-exceeded'],
        ['link', 'amqp:not-found'],
      ]),
    );
    expect(seen).toHaveLength(6);
    expect(emulator.log.executions('d2c', 'p1')).toBe(1);
    expect(emulator.log.executions('c2d-complete', 'c')).toBe(1);
    await eventually(() => emulator.connections).toBe(0);
  });
});
