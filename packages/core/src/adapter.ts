// For authors of adapters: everything the three of ours are built with.

export { attachOnce } from './attachment.ts';
export { isTransient, strongerExecuted } from './categories.ts';
export { MAX_TIMER_MS, sleep, systemClock } from './clock.ts';
export { conclude, type Ending } from './error.ts';
export { makeError } from './errors.ts';
export { FaultEvents } from './events.ts';
export { type Evidence, type EvidenceFields, evidence, isEvidence, type Reader } from './evidence.ts';
export { type OptionRule, optionError, resolveOptions, rules } from './options.ts';
export type {
  Credentials,
  ReconnectDecision,
  ReconnectGovernor,
  ReconnectOptions,
  ReconnectSetup,
} from './reconnect/types.ts';
export { redact } from './redact.ts';
export type { Attempt, OperationOptions } from './retry/options.ts';
