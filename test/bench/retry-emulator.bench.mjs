// The pace in real time: axios instances in 4 processes read twins of an emulated hub that allows 150 a second.
// Rerun: pnpm bench retry-emulator
import { fork } from 'node:child_process';
import { startEmulator } from '@faultmap/emulator';

const PROCESSES = 4;
const OPERATIONS = 3_000;
const PER_SECOND = 150;
const client = new URL('./retry-emulator-client.mjs', import.meta.url);

/** @returns what all clients together saw */
async function run(mode) {
  const emulator = await startEmulator({
    transports: ['http'],
    throttle: { perSecond: { 'twin-read': PER_SECOND } },
  });
  const authorization = emulator.serviceToken();
  const url = `${emulator.httpUrl}/twins/device1?api-version=2021-04-12`;
  const children = Array.from({ length: PROCESSES }, () => fork(client));
  try {
    await Promise.all(children.map((child) => message(child)));
    const results = children.map((child) => message(child));
    for (const child of children) child.send({ url, authorization, operations: OPERATIONS / PROCESSES, mode });
    const all = await Promise.all(results);
    const begun = Math.min(...all.map(({ begun }) => begun));
    const ended = Math.max(...all.map(({ ended }) => ended));
    const sum = (of) => all.reduce((total, result) => total + of(result), 0);
    return {
      seconds: (ended - begun) / 1_000,
      ok: sum(({ ok }) => ok),
      sent: sum(({ sent }) => sent),
      stopped: all.flatMap(({ stopped }) => stopped),
    };
  } finally {
    for (const child of children) child.kill();
    await emulator.stop();
  }
}

function message(child) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error('a client ended early')));
  });
}

// The hub lets a second's worth through at once.
const ideal = (OPERATIONS - PER_SECOND) / PER_SECOND;
console.log(`${OPERATIONS} twin reads by ${PROCESSES} processes, ${PER_SECOND} a second allowed: ${ideal} s at best\n`);
console.log('                          done   given up      s   ÷ ideal   requests per success');
for (const mode of ['slowStart', 'default', 'axios-retry']) {
  const { seconds, ok, sent, stopped } = await run(mode);
  console.log(
    `${mode.padEnd(22)} ${String(ok).padStart(7)} ${String(stopped.length).padStart(10)} ${seconds.toFixed(1).padStart(6)} ${(seconds / ideal).toFixed(2).padStart(9)} ${(sent / ok).toFixed(2).padStart(22)}`,
  );
}
console.log('\ntargets (slowStart): ÷ ideal at most 1.15, requests per success at most 1.2');
