const SECRETS = /(sig=|sharedaccesskey=|accountkey=|password=|bearer |basic )[^\s;&"']+/gi;

/** Mask what must not be logged. */
export function redact(text: string): string {
  return text.replace(SECRETS, '$1[redacted]');
}
