import { redact } from '../redact.ts';

/*
 * The ids under which the cloud logs a fault. Eight shapes are recorded: 32 hex digits or a GUID,
 * then any of `-G:3`, `-G2:`, `-B:_Backend_0_38`, `-P:<guid>`, `-TimeStamp:<time>` (each possibly
 * twice, after a hop), and Event Hubs' `<id>_G28` and `<guid>_B2`.
 * (Microsoft.Azure.Devices TrackingHelper.cs; azure-iot-sdk-java#640; azure-event-hubs-node captures.)
 */

const TIME = String.raw`(?:\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d{2}:\d{2}|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z?)`;
const BASE = String.raw`[0-9A-Za-z]{4,64}(?:-[0-9A-Fa-f]{4}){0,3}(?:-[0-9A-Fa-f]{12})?(?:_[A-Z]\w{0,8})?`;
const TAIL = String.raw`(?:-G\d{0,3}:\w{0,16}|-[BP]:[\w.-]{1,80}?(?=-[BGP]\d{0,3}:|-TimeStamp:|$|["'\\,;\s)\]}])|-TimeStamp:${TIME}){0,8}`;
const ID = `${BASE}${TAIL}`;

const WHOLE = new RegExp(`^${ID}$`);
/** Half an id is worse than none: one in quotes must be closed, another must come to an end. */
const LABELLED = new RegExp(
  String.raw`(?:\b|(?<=\\[rnt]))tracking[ -]?id["']?(?:\s{0,2}[:=]\s{0,2}(?:[ub](?=["']))?| (?=[0-9A-Fa-f-]{32}))(?:"(${ID})"|'(${ID})'|(${ID})(?=$|[\\"',;\s)\]}<]|\.(?:\s|$)))`,
  'gi',
);
const TIME_OF_ID = new RegExp(`-TimeStamp:(${TIME})`, 'g');

/** Of another service or a later day: one word, perhaps with times in it. A JSON Web Token is none. */
const OPAQUE = /^(?!eyJ)\w[\w:./+-]{3,199}(?: \d{1,2}:\d{2}:\d{2}[\w:./+-]{0,60}){0,4}$/;

/** The id in a field of its own, where it may be of any grammar. */
export function trackingIdOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const id = value.trim();
  return id.length <= 400 && (WHOLE.test(id) || OPAQUE.test(id)) ? id : undefined;
}

/** `Tracking ID:…`, `TrackingId:…`, `com.microsoft:tracking-id:…` in prose. */
export function trackingIdIn(text: string): string | undefined {
  let outermost: string | undefined;
  let least = Infinity;
  for (const match of text.matchAll(LABELLED)) {
    // JSON inside JSON tells of a call behind the one that failed: the less it is quoted, the nearer.
    const quoting = backslashesAt(text, match.index + match[0].length);
    if (quoting >= least) continue;
    const bare = match[3];
    if (bare !== undefined && match.index + match[0].length === text.length && isCut(text, match.index, bare)) continue;
    outermost = match[1] ?? match[2] ?? bare;
    least = quoting;
    if (quoting === 0) break;
  }
  return outermost;
}

/** What ends an id for certain: its time, or all the digits of its base. */
const ENDED =
  /-TimeStamp:(?:[\d/]{8,10} [\d:]{7,8}|\S{19,29}Z)$|^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{40})(?:_[A-Z]\w{0,8})?$/;

/** At the end of a text, may the rest of the id be missing? In quotes that were not closed it is. */
function isCut(text: string, start: number, id: string): boolean {
  return /["']$/.test(text.slice(Math.max(0, start - 1), start)) || !ENDED.test(id);
}

function backslashesAt(text: string, start: number): number {
  let end = start;
  while (text[end] === '\\') end++;
  return end - start;
}

/** The time an id was made, as written in it; the last hop's. */
export function timeOfTrackingId(id: string | undefined): string | undefined {
  if (!id?.includes('-TimeStamp:')) return undefined;
  let last: string | undefined;
  for (const match of id.matchAll(TIME_OF_ID)) last = match[1];
  return last;
}

/** Times hold digits, marks and `AM`. */
const STAMP = /^\d[\d:/ .TZAPM+-]{3,40}$/;

/** A time stamp as it was written; of another grammar, redacted. */
export function timestampOf(time: string): string {
  return STAMP.test(time) ? time : redact(time.slice(0, 400));
}
