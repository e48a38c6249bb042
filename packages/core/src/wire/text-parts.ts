/* Numbers, times and statuses that prose carries. Every expression is linear. */

/** A code in a link of the documentation: `aka.ms/iothub403004`, `…troubleshoot-error-404103-…`. */
export function codeInText(text: string): number | undefined {
  const match = /\b(?:aka\.ms\/iothub|troubleshoot-error-)(\d{6})\b/i.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** `status: 429`, `status-code: 404`, `status code 503`. */
export function statusInText(text: string): number | undefined {
  const match = /\bstatus(?:[ -]?code)?(?: is|:|=)? ?(?:'|")?([1-5]\d\d)\b(?![-.]\d)/i.exec(text);
  const status = Number(match?.[1] ?? 0);
  return status >= 300 ? status : undefined;
}

/** `Timestamp:7/13/2025 7:59:20 AM`, `"timestampUtc": …`. */
export function timestampInText(text: string): string | undefined {
  return /\btimestamp(?:utc)?["']?\s?[:=]\s?["']?(\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d{2}:\d{2}(?: [AP]M)?|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z?)/i.exec(
    text,
  )?.[1];
}
