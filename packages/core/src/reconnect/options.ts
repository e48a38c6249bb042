import { type OptionRule, resolveOptions, rules } from '../options.ts';
import type { ReconnectOptions } from './types.ts';

/** Checked options, with defaults; the reasons are at `ReconnectOptions`. */
export interface ResolvedReconnectOptions {
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly throttledBaseDelayMs: number;
  readonly stableAfterMs: number;
  readonly connectTimeoutMs: number;
  readonly onPermanentFault: 'slow' | 'stop';
  readonly slowDelayMs: number;
  readonly onTakeOver: 'wait' | 'stop';
  readonly takeOverDelayMs: number;
  readonly onQuota: 'wait' | 'slow' | 'stop';
  readonly fleet: ReconnectOptions['fleet'];
  readonly maxAttempts: number;
}

export const RECONNECT_DEFAULTS: ResolvedReconnectOptions = {
  baseDelayMs: 1_000,
  maxDelayMs: 60_000,
  throttledBaseDelayMs: 10_000,
  stableAfterMs: 30_000,
  connectTimeoutMs: 30_000,
  onPermanentFault: 'slow',
  slowDelayMs: 900_000,
  onTakeOver: 'wait',
  takeOverDelayMs: 60_000,
  onQuota: 'wait',
  fleet: undefined,
  maxAttempts: Infinity,
};

const RULES: Readonly<Record<keyof ResolvedReconnectOptions, OptionRule>> = {
  baseDelayMs: rules.ms,
  maxDelayMs: rules.ms,
  throttledBaseDelayMs: rules.ms,
  stableAfterMs: rules.ms,
  connectTimeoutMs: rules.ms,
  onPermanentFault: rules.oneOf('slow', 'stop'),
  slowDelayMs: rules.ms,
  onTakeOver: rules.oneOf('wait', 'stop'),
  takeOverDelayMs: rules.ms,
  onQuota: rules.oneOf('wait', 'slow', 'stop'),
  fleet: {
    expected: 'an object { size, connectionsPerSecond } of numbers above 0',
    ok: (v) => {
      if (!rules.object.ok(v)) return false;
      const { size, connectionsPerSecond } = v as Record<string, unknown>;
      return rules.positive.ok(size) && rules.positive.ok(connectionsPerSecond);
    },
  },
  maxAttempts: rules.count,
};

/**
 * Check reconnect options and fill in defaults.
 *
 * @param owner - for messages, for instance `attachMqtt`
 * @throws TypeError naming option, expected and received
 */
export function resolveReconnectOptions(
  owner: string,
  given: ReconnectOptions | undefined,
  defaults: ResolvedReconnectOptions = RECONNECT_DEFAULTS,
): ResolvedReconnectOptions {
  return resolveOptions<ResolvedReconnectOptions>(owner, given, defaults, RULES, 'reconnect.');
}
