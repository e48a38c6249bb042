/**
 * The numbers of the pacer. Found by simulation (`test/bench/sim`), tuned on some seeds and
 * reported on others; times in ms, rates per second.
 */
export const PARAMETERS = {
  /** Loss that is aimed at: probes the limit without more than about this share of 429. */
  loss: 0.02,
  /** How much of e one round trip may change the rate by. */
  gain: 1,
  /** The loss aimed at is scaled by projected drain time ÷ this, between the two limits. */
  tiltMs: 10_000,
  tiltSlope: 0.35,
  tiltLinear: 1,
  leastPerRound: 1,
  tiltLeast: 0.25,
  tiltMost: 4,
  /** Without a 429 for this long (or two sends, if longer), a lifted limit is looked for. */
  quietMs: 1_000,
  quietSends: 2,
  /** Growth per second, per second of quiet; and its most. */
  growth: 0.5,
  growthMost: 1,
  /** Depth of the bucket as time: right after a 429, then growing by quiet ÷ this, to the most. */
  burstMs: 5,
  burstGrowth: 20,
  burstMostMs: 500,
  /** Never slower than one in five seconds. */
  leastRate: 0.2,
  /** Off again after this long without a 429 and with nobody waiting. */
  offAfterMs: 10_000,
  /** The rate to begin with is what succeeded in this span. */
  spanMs: 1_000,
  /** Fewer successes than this do not tell a rate. */
  fewSuccesses: 8,
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
