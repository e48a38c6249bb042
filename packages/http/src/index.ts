// For users.

export { wrapAdapter } from './adapter.ts';
export { attachHttp, type HttpAttachment } from './attach.ts';
export type { HttpCredentials } from './credentials.ts';
export { azureIotIdempotent } from './idempotency.ts';
export type { AttachHttpOptions, HttpRetryOptions, Idempotent, RequestFaultmapOptions } from './options.ts';

// For authors of adapters, and for `classify` without an attachment.

export { readHttp } from './evidence.ts';
