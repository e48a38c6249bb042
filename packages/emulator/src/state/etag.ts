/** ETags of the cloud are base64 of a counter. */
export function etagOf(text: string): string {
  return Buffer.from(text).toString('base64');
}

/**
 * Does an If-Match condition hold (RFC 9110, 13.1.1)? None given always does, `*` does for
 * whatever exists; quotes and the weak mark are taken off, as the cloud accepts both forms.
 */
export function holds(etag: string, ifMatch: string | undefined): boolean {
  if (ifMatch === undefined) return true;
  return ifMatch.split(',').some((one) => {
    const bare = one
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    return bare === '*' || bare === etag;
  });
}
