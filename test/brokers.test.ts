import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

// Tests against real brokers skip themselves, and say so, where a program is not installed. Where
// none may be skipped (FAULTMAP_NO_SKIP, as in CI), this is what fails.
const programs = {
  mosquitto: () => existsSync('/usr/sbin/mosquitto'),
  'rabbitmq-server': () => existsSync('/usr/sbin/rabbitmq-server'),
  'qpid-proton (python3-qpid-proton)': () => {
    try {
      execFileSync('/usr/bin/python3', ['-c', 'import proton'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  },
};

const missing = Object.entries(programs)
  .filter(([, installed]) => !installed())
  .map(([name]) => name);
if (missing.length > 0) console.log(`skipped, not installed: ${missing.join(', ')}`);

describe.runIf(process.env.FAULTMAP_NO_SKIP)('no real broker is missing', () => {
  test('all are installed', () => {
    expect(missing).toEqual([]);
  });
});
