import { faultmap } from './ours.mjs';
import { quantile, simulate } from './scenario.mjs';

const PER_SECOND = 100;
const HUB = { perSecond: PER_SECOND };
const DOWN_MS = 60_000;

// A bulk job that is willing to wait: begins slowly, and no deadline or count ends an operation.
const patient = { deadlineMs: Infinity, maxAttempts: Infinity };
export const ours = { ...faultmap({ pacer: { slowStart: true }, retry: patient }), name: 'faultmap, slowStart' };
export const oursByDefault = { ...faultmap({ retry: patient }), name: 'faultmap' };

/** What the hub needs for so many: a second's worth is let through at once. */
const idealMs = (count) => ((count - PER_SECOND) / PER_SECOND) * 1_000 + 50;

/** Operations that are all asked for within `spreadMs`. */
export async function burst(policy, count, spreadMs, seed, retryAfterMs, unequal = false) {
  const result = await simulate(policy, {
    seed,
    count,
    arrivals: (_, random) => random() * spreadMs,
    share: unequal ? unequally : undefined,
    hub: { ...HUB, retryAfterMs },
  });
  return { ...result, drain: result.lastAt / idealMs(count), requests: result.perSuccess };
}

/** The hub is down when everything is asked for, and for a minute. */
export async function outage(policy, count, seed) {
  const result = await simulate(policy, {
    seed,
    count,
    arrivals: (_, random) => random() * 1_000,
    hub: { ...HUB, down: [0, DOWN_MS] },
  });
  return {
    ...result,
    drain: (result.lastAt - DOWN_MS) / idealMs(count),
    requests: result.perSuccess,
    whileDown: result.sentWhileDown / 16,
  };
}

/** Operations that come independently of one another, at a share of what the hub can do. */
export async function steady(policy, load, minutes, seed, burst = PER_SECOND) {
  const spanMs = minutes * 60_000;
  const count = Math.round((load * PER_SECOND * spanMs) / 1_000);
  const result = await simulate(policy, {
    seed,
    count,
    arrivals: (_, random) => random() * spanMs,
    hub: { ...HUB, burst, fail: 0.05 },
    latencies: true,
  });
  const possible = load > 1 ? idealMs(count) : spanMs;
  return {
    ...result,
    requests: result.perSuccess,
    goodput: load > 1 ? possible / result.lastAt : result.ok / count,
    p50: quantile(result.latencies, 0.5),
    p99: quantile(result.latencies, 0.99),
  };
}

/** Process i gets i + 1 shares of the work. */
function unequally(index) {
  const shares = 136; // 1 + 2 + … + 16
  let at = index % shares;
  for (let i = 0; ; i++) {
    if (at <= i) return i;
    at -= i + 1;
  }
}

/** Means over seeds, of every number. */
export async function average(seeds, run) {
  const all = [];
  for (const seed of seeds) all.push(await run(seed));
  const mean = {};
  for (const [key, value] of Object.entries(all[0]))
    if (typeof value === 'number') mean[key] = all.reduce((sum, r) => sum + r[key], 0) / all.length;
  mean.worstDrain = Math.max(...all.map((r) => r.drain ?? 0));
  return mean;
}
