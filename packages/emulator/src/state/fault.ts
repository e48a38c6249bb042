/**
 * What the cloud objects to, in words of no protocol. The state raises these; each transport
 * writes them in its own wire form (`forms/`).
 */
export type FaultName =
  | 'argument-invalid'
  | 'malformed-json'
  | 'unauthorized'
  | 'forbidden'
  | 'device-disabled'
  | 'device-not-found'
  | 'module-not-found'
  | 'address-not-found'
  | 'enrollment-not-found'
  | 'job-not-found'
  | 'job-already-exists'
  | 'device-already-exists'
  | 'module-already-exists'
  | 'precondition-failed'
  | 'device-not-online'
  | 'device-connection-closed'
  | 'taken-over'
  | 'link-conflict'
  | 'method-timeout'
  | 'lock-lost'
  | 'queue-full'
  | 'upload-limit'
  | 'upload-unknown'
  | 'upload-status-invalid'
  | 'quota-exceeded'
  | 'throttled'
  | 'message-too-large'
  | 'too-many-devices'
  | 'device-repeated'
  | 'method-not-allowed'
  | 'unsupported-operation'
  | 'server-error';

export interface CloudFaultDetails {
  /** Free text for the wire, where the fault has no fixed one. */
  readonly text?: string;
  /** When a throttled caller may ask again, in s: written only where the listener is told to. */
  readonly retryAfterS?: number;
  /** Whose resource it is about, for the log. */
  readonly target?: string;
}

/** A fault that arose from behaviour. */
export class CloudFault extends Error {
  override readonly name = 'CloudFault';
  readonly fault: FaultName;
  readonly details: CloudFaultDetails;

  constructor(fault: FaultName, details: CloudFaultDetails = {}) {
    super(details.text ? `${fault}: ${details.text}` : fault);
    this.fault = fault;
    this.details = details;
  }
}
