import { Engine, seeded } from './engine.mjs';
import { Hub } from './hub.mjs';

/**
 * Run one policy: `processes` processes, operations arriving as `arrivals` says, until all ended.
 *
 * @param options.arrivals - (index, random) → ms at which operation `index` of all is asked for
 * @param options.share - index → process; default round robin
 * @returns counts, the time of the last end, latencies
 */
export async function simulate(policy, options) {
  const { seed = 1, processes = 16, count, arrivals, hub: hubOptions, share, untilMs } = options;
  const engine = new Engine();
  const hub = new Hub(engine, hubOptions, seeded(seed * 7919 + 1));
  const random = seeded(seed);
  const starters = Array.from({ length: processes }, (_, i) =>
    policy.process({ engine, hub, random: seeded(seed * 104_729 + i), fleetSize: count }),
  );
  const tries = new Float64Array(processes);
  const doneBy = new Float64Array(processes);
  const latencies = options.latencies ? new Float64Array(count) : undefined;
  let ok = 0;
  let lost = 0;
  let lastAt = 0;
  const stopped = {};
  const start = (index) => {
    const process = share ? share(index) : index % processes;
    const at = engine.now;
    starters[process]((success, requests, why) => {
      tries[process] += requests;
      if (!success) {
        lost++;
        stopped[why ?? 'attempts'] = (stopped[why ?? 'attempts'] ?? 0) + 1;
        return;
      }
      if (latencies) latencies[ok] = engine.now - at;
      ok++;
      doneBy[process] = engine.now;
      lastAt = engine.now;
    });
  };
  // One event for all that come at the same moment; the rest in order of time.
  const times = Array.from({ length: count }, (_, index) => [arrivals(index, random), index]).sort(
    (a, b) => a[0] - b[0],
  );
  let next = 0;
  const feed = () => {
    while (next < count && times[next][0] <= engine.now) start(times[next++][1]);
    if (next < count) engine.after(times[next][0] - engine.now, feed, true);
  };
  feed();
  await engine.run(untilMs);
  return {
    ok,
    lost,
    stopped,
    unfinished: count - ok - lost,
    lastAt,
    sent: hub.sent,
    sentWhileDown: hub.sentWhileDown,
    perSuccess: hub.sent / Math.max(1, ok),
    jain: jain(tries),
    doneBy,
    events: engine.events,
    latencies: latencies?.subarray(0, ok).sort(),
  };
}

/** Jain's index of fairness: 1 when all have the same. */
export function jain(values) {
  const sum = values.reduce((a, b) => a + b, 0);
  const squares = values.reduce((a, b) => a + b * b, 0);
  return (sum * sum) / (values.length * squares);
}

export function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}
