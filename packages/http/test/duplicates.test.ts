import { Agent } from 'node:http';
import { isDeviceCloudError } from '@faultmap/core';
import { attachHttp } from '@faultmap/http';
import axios, { type AxiosInstance } from 'axios';
import { expect, test } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import { type DuplicateDetector, duplicateDetector, FAULTS, type Fault } from './support/duplicate-detector.ts';
import { FAST } from './support/script.ts';

/*
 * No request that must not run twice is executed twice, wherever the exchange breaks. 500 random
 * requests by default; FAULTMAP_RUNS=10000 for more, FAULTMAP_SEED=… to repeat a run (the seed is
 * in every message; the network's own order of events is not in it).
 */
const RUNS = Number(process.env.FAULTMAP_RUNS ?? 500);
const SEED = Number(process.env.FAULTMAP_SEED ?? Math.floor(Math.random() * 2 ** 31));

const METHODS = ['POST', 'PATCH', 'POST', 'PUT', 'GET', 'DELETE'] as const;

interface Run {
  readonly id: string;
  readonly method: (typeof METHODS)[number];
  readonly faults: readonly Fault[];
  readonly size: number;
  readonly declared: boolean | undefined;
  readonly client: AxiosInstance;
}

test(`no non-idempotent request is executed twice in ${RUNS} runs (seed ${SEED})`, { timeout: 120_000 }, async () => {
  const random = randomFrom(SEED);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const server = await duplicateDetector(randomFrom(SEED + 1));
  const agents = [new Agent({ keepAlive: true, maxSockets: 32 }), new Agent({ keepAlive: false })];
  const clients = [
    axios.create({ adapter: 'http', httpAgent: agents[0] }),
    axios.create({ adapter: 'http', httpAgent: agents[1] }),
    axios.create({ adapter: 'fetch' }),
  ];
  let tokens = 0;
  for (const client of clients) {
    client.defaults.baseURL = server.url;
    client.defaults.timeout = 500;
    attachHttp(client, { retry: FAST, credentials: () => ({ Authorization: `token-${tokens++}` }) });
  }

  const runs: Run[] = Array.from({ length: RUNS }, (_, index) => ({
    id: `r${index}`,
    method: pick(METHODS),
    faults: Array.from({ length: Math.floor(random() * 5) }, () => (random() < 0.2 ? 'ok' : pick(FAULTS))),
    size: random() < 0.1 ? 200_000 : 20,
    declared: random() < 0.1 ? random() < 0.5 : undefined,
    client: pick(clients),
  }));

  const seen = { repeated: 0, succeeded: 0, refused: 0 };
  const queue = [...runs];
  const worker = async () => {
    for (let run = queue.pop(); run; run = queue.pop()) await check(run, server, seen);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  for (const agent of agents) agent.destroy();

  console.log(`duplicates: seed ${SEED}, ${RUNS} runs`, JSON.stringify(seen));
  // The runs were not idle: repeats happened, and refusals to repeat.
  expect(seen.repeated).toBeGreaterThan(RUNS / 20);
  expect(seen.succeeded).toBeGreaterThan(RUNS / 20);
  expect(seen.refused).toBeGreaterThan(RUNS / 50);
});

async function check(run: Run, server: DuplicateDetector, seen: Record<'repeated' | 'succeeded' | 'refused', number>) {
  const { id, method, faults, declared, size, client } = run;
  server.plan(id, faults);
  const config = {
    method,
    url: `/devices/${id}`,
    headers: { 'x-id': id },
    ...(method !== 'GET' && method !== 'DELETE' && { data: 'x'.repeat(size) }),
    ...(declared !== undefined && { faultmap: { idempotent: declared } }),
  };
  const outcome = await client.request(config).then(
    () => undefined,
    (error: unknown) => error,
  );
  const executions = server.executions(id);
  const message = `seed ${SEED}, run ${id}: ${method} ${JSON.stringify({ faults, declared, size, executions })} → ${outcome}`;

  const idempotent = declared ?? (method !== 'POST' && method !== 'PATCH');
  if (!idempotent) expect(executions, message).toBeLessThanOrEqual(1);
  if (outcome === undefined) {
    expect(executions, message).toBeGreaterThanOrEqual(1);
    seen.succeeded++;
  } else {
    if (!isDeviceCloudError(outcome)) throw new Error(message);
    // What is said of execution is never less than the truth.
    if (outcome.executed === 'no') expect(executions, message).toBe(0);
    if (outcome.stopped === 'not-idempotent') seen.refused++;
  }
  if (server.requests(id) > 1) seen.repeated++;
}
