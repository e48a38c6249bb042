const results = [];

/** Note a target and whether it is met. */
export function target(what, value, limit, how = '<=') {
  results.push({ what, value, limit, how, met: how === '<=' ? value <= limit + 1e-9 : value >= limit - 1e-9 });
}

export const checks = {
  /** No peer that completes everything may be better in both. */
  dominated(scenario, mine, peers) {
    for (const [name, { drain, requests }] of Object.entries(mine)) {
      const better = peers.filter((p) => p.drain <= drain && p.requests <= requests);
      results.push({
        what: `${scenario}: peers better than ${name} in both${better.length ? ` (${better.map((p) => p.name)})` : ''}`,
        value: better.length,
        limit: 0,
        how: '<=',
        met: better.length === 0,
      });
    }
  },

  print() {
    console.log('\nTargets');
    for (const { what, value, limit, how, met } of results)
      console.log(`  ${met ? 'met   ' : 'MISSED'}  ${what}: ${round(value)} (${how} ${limit})`);
    const missed = results.filter(({ met }) => !met).length;
    console.log(`  ${results.length - missed} of ${results.length} met`);
  },
};

const round = (value) => (value >= 100 ? value.toFixed(0) : value.toFixed(3));

const columns = [
  ['drain', (r) => (r.lost > 0 || r.drain === undefined ? '' : r.drain.toFixed(2))],
  ['requests', (r) => r.requests?.toFixed(2)],
  ['given up', (r) => (r.lost === 0 ? '–' : `${((100 * r.lost) / (r.ok + r.lost)).toPrecision(2)} %`)],
  ['in outage', (r) => r.whileDown?.toFixed(1)],
  ['goodput', (r) => r.goodput?.toFixed(3)],
  ['p50 ms', (r) => r.p50?.toFixed(0)],
  ['p99 ms', (r) => r.p99?.toFixed(0)],
  ['Jain', (r) => r.jain?.toFixed(3)],
];

export function printTable(title, rows) {
  const used = columns.filter(([, show]) => rows.some(([, , result]) => show(result)));
  console.log(`\n${title}`);
  console.log(
    `  ${'policy'.padEnd(38)} ${'operations'.padStart(10)} ${used.map(([name]) => name.padStart(9)).join(' ')}`,
  );
  for (const [name, size, result] of rows) {
    const cells = used.map(([, show]) => (show(result) ?? '').padStart(9));
    console.log(`  ${name.padEnd(38)} ${String(size).padStart(10)} ${cells.join(' ')}`);
  }
}
