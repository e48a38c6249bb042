/**
 * The numbers of the pacer, found by simulation (`pnpm bench pacing`): tuned on some seeds and
 * reported on others. Times in ms, rates per second.
 */
export const PARAMETERS = {
  /** Loss that is aimed at: the limit is felt by about this share of 429. */
  loss: 0.022,
  /** How much of e one round trip may change the rate by. */
  gain: 0.8,
  /** Who would need this long for what waits aims at `loss`; e times longer: `tiltSlope` more of it. */
  tiltMs: 20_000,
  tiltSlope: 0.33,
  tiltLeast: 0.06,
  tiltMost: 2.6,
  /** A success of a slow sender weighs as if at least so many came in a round trip. */
  leastUp: 0.8,
  /** Without a 429 for this long, and for so many sends, a lifted limit is looked for. */
  quietMs: 1_100,
  quietSends: 2.4,
  /** Growth per second, per second of quiet; and its most. */
  growth: 0.65,
  growthMost: 0.3,
  /** Depth of the bucket as time: right after a 429, then growing by quiet ÷ `burstGrowth`, to the most. */
  burstMs: 5,
  burstGrowth: 150,
  burstMostMs: 300,
  /** Never slower than one in five seconds. */
  leastRate: 0.2,
  /** Off again after this long without a 429 and with nobody waiting. */
  offAfterMs: 10_000,
  /** The rate to begin with is what succeeded in this span. */
  spanMs: 1_000,
  /** Fewer successes than this do not tell a rate. */
  fewSuccesses: 8,
  /** A rate is judged from a count + `prior` + `doubt` · √count: too low costs more than too high. */
  prior: 0.7,
  doubt: 1,
  /** So many refused in a round trip, and more than passed: begin again from what passed. */
  flood: 6,
  /** Failures in a row that open the circuit. */
  failures: 5,
  /** First probe after uniform(½, 1) × this, doubling, to the most. */
  probeMs: 500,
  probeMostMs: 5_000,
  /** Operations at once when a circuit closes, or with `slowStart: true`. */
  startConcurrency: 4,
  /** Slow start is over when so many may run at once. */
  startedConcurrency: 1_000,
  /** A request that takes longer does not hold up slow start: long polls are no sign of load. */
  slotMs: 1_000,
} as const;

export type Parameters = { readonly [K in keyof typeof PARAMETERS]: number };
