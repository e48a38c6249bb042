// For authors of adapters: everything the three of ours are built with.

export { attachOnce } from './attachment.ts';
export { stoppedTexts } from './catalogue/category-texts.ts';
export { type SystemFault, systemFault } from './catalogue/system-faults.ts';
export { CATEGORIES, isTransient, strongerExecuted } from './categories.ts';
export { guardToJson, safeCause } from './cause.ts';
export { MAX_TIMER_MS, sleep, systemClock } from './clock.ts';
export { conclude, type Ending } from './error.ts';
export { makeError } from './errors.ts';
export { FaultEvents } from './events.ts';
export { type Evidence, type EvidenceFields, evidence, isEvidence, type Reader } from './evidence.ts';
export { isCancellation, isForeign } from './foreign.ts';
export { type OptionRule, optionError, resolveOptions, rules } from './options.ts';
export { defaultPacer, pacerFor } from './pacer/shared.ts';
export type { Entry, Gate, PacedOut, PaceOutcome } from './pacer/types.ts';
export { type CredentialsGate, createCredentials } from './reconnect/credentials.ts';
export { createReconnectGovernor } from './reconnect/governor.ts';
export { type ResolvedReconnectOptions, resolveReconnectOptions } from './reconnect/options.ts';
export type {
  Credentials,
  ReconnectDecision,
  ReconnectGovernor,
  ReconnectOptions,
  ReconnectSetup,
} from './reconnect/types.ts';
export { redact } from './redact.ts';
export { endAtOnce, isHopeless } from './retry/at-once.ts';
export { RETRY_DEFAULTS, type ResolvedRetryOptions, resolveRetryOptions } from './retry/defaults.ts';
export type { Attempt, Operation, OperationOptions } from './retry/options.ts';
export { runOperation } from './retry/run.ts';
export { type AmqpAnswer, readAmqpAnswer } from './wire/amqp-answer.ts';
export { type AmqpErrorRecord, readAmqpError } from './wire/amqp-error.ts';
export { type HttpAnswer, readHttpAnswer } from './wire/http.ts';
export { readMqttAnswer, readMqttPacket } from './wire/mqtt.ts';
export { parseRetryAfter } from './wire/retry-after.ts';
export { readSystemError } from './wire/system.ts';
export { readText } from './wire/text.ts';
