// What retry costs when nothing fails: around a promise that is resolved already, against a bare
// await and the peers, in one run. Rerun: pnpm bench retry.bench
import { createPacer, retry } from '@faultmap/core';
import { runOperation } from '@faultmap/core/adapter';
import { StandardRetryStrategy } from '@smithy/util-retry';
import { retry as cockatielRetry, ExponentialBackoff, handleAll } from 'cockatiel';
import { bench, do_not_optimize, run } from 'mitata';
import pRetry from 'p-retry';

const value = { status: 200 };
const operation = () => Promise.resolve(value);
const options = { idempotent: true, deadlineMs: 20_000 };
const pacer = createPacer();
const paced = { ...options, pacer, pacerKey: 'hub' };

const cockatiel = cockatielRetry(handleAll, { maxAttempts: 4, backoff: new ExponentialBackoff() });

/** As the smithy middleware drives it around a request. */
const strategy = new StandardRetryStrategy(3);
async function smithy() {
  const token = await strategy.acquireInitialRetryToken('');
  const result = await operation();
  strategy.recordSuccess(token);
  return result;
}

// A thousand calls a sample, and the least of many samples: what else the machine does is no cost
// of the code.
const CALLS = 1_000;
const subjects = {
  'bare await': operation,
  'faultmap retry': () => retry(operation),
  'faultmap retry, options': () => retry(operation, options),
  'faultmap runOperation, paced (an adapter)': () => runOperation(operation, paced),
  cockatiel: () => cockatiel.execute(operation),
  '@smithy/util-retry': smithy,
  'p-retry': () => pRetry(operation),
};
for (const [name, call] of Object.entries(subjects))
  bench(name, async () => {
    for (let i = 0; i < CALLS; i++) do_not_optimize(await call());
  });

const { benchmarks } = await run({ format: 'quiet' });
const least = Object.fromEntries(benchmarks.map(({ alias, runs }) => [alias, runs[0].stats.min / CALLS]));
const bare = least['bare await'];
console.log('around a promise that is resolved already  ns per call   over a bare await');
for (const [alias, ns] of Object.entries(least))
  console.log(`${alias.padEnd(44)} ${ns.toFixed(0).padStart(8)} ${(ns - bare).toFixed(0).padStart(19)}`);
console.log('\ntarget: faultmap retry at most 100 ns over a bare await');
