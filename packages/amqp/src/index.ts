// For users.

export type { FaultEvent, FaultEventName, FaultListener, RetryOptions } from '@faultmap/core';
export { type Attachable, attachAmqp, type RheaPromiseConnection } from './attach.ts';
export type { AmqpHandle, AnySender } from './handle.ts';
export type { AmqpCredentials, AmqpOptions, CbsToken, RequestOptions, SendOptions } from './options.ts';
export type { SettleOutcome } from './outcome.ts';

// For authors of adapters, and for `classify`.

export { type AmqpSighting, readAmqp } from './evidence.ts';
